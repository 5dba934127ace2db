//! The module `uri`: asks something of a server on the web.
//!
//! The controller sends `_attachment` where `src` is a file of its own, and one in each part of a form that is such a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use async_trait::async_trait;
use rustle_http::{Body, Follow, Headers};
use rustle_module::{
    Attached, Change, CheckSupport, Constraint, Default, Failure, Mode, Module, Object, Opt,
    Output, Received, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use super::asking::{
    Answer, Further, NoAnswer, Sent, WebArgs, copy_body, file_name_of, named_by_server,
};
use super::form::{json_body, multipart, url_encoded};
use crate::attributes::{AttributeArgs, Pass, add_path_info, restore_context};
use crate::checksum::{Algorithm, of_file};
use crate::diff::BeforeAfter;
use crate::paths::join;
use crate::staged::Staged;
use crate::temp_file::TempFile;

/// The longest answer that a result can have, in bytes.
const CONTENT_LIMIT: usize = 16 << 20;

/// The module `uri`.
pub(crate) struct Uri;

/// The arguments of `uri`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    #[serde(default)]
    body: Value,
    body_format: String,
    ca_path: Option<String>,
    creates: Option<String>,
    dest: Option<String>,
    follow_redirects: String,
    method: String,
    removes: Option<String>,
    return_content: bool,
    src: Option<String>,
    status_code: Vec<Value>,
    unix_socket: Option<String>,
    unsafe_writes: bool,
    #[serde(rename = "_attachment")]
    attached: Option<Attached>,
    #[serde(flatten)]
    web: WebArgs,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

const OPTIONS: &[Opt] = &[
    Opt::new("url", Type::Str).required(),
    Opt::new("body", Type::Raw),
    Opt::new("body_format", Type::Str)
        .default(Default::Str("raw"))
        .choices(&["form-urlencoded", "json", "raw", "form-multipart"]),
    Opt::new("ca_path", Type::Path),
    Opt::new("ciphers", Type::List(&Type::Str)),
    Opt::new("client_cert", Type::Path),
    Opt::new("client_key", Type::Path),
    Opt::new("creates", Type::Path),
    Opt::new("decompress", Type::Bool).default(Default::Bool(true)),
    Opt::new("dest", Type::Path),
    Opt::new("follow_redirects", Type::Str)
        .default(Default::Str("safe"))
        .choices(&["all", "no", "none", "safe", "urllib2", "yes"]),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("force_basic_auth", Type::Bool).default(Default::Bool(false)),
    Opt::new("headers", Type::Dict).default(Default::Dict),
    Opt::new("http_agent", Type::Str).default(Default::Str("ansible-httpget")),
    Opt::new("method", Type::Str).default(Default::Str("GET")),
    Opt::new("remote_src", Type::Bool).default(Default::Bool(false)),
    Opt::new("removes", Type::Path),
    Opt::new("return_content", Type::Bool).default(Default::Bool(false)),
    Opt::new("src", Type::Path),
    Opt::new("status_code", Type::List(&Type::Int)).default(Default::Ints(&[200])),
    Opt::new("timeout", Type::Int).default(Default::Int(30)),
    Opt::new("unix_socket", Type::Path),
    Opt::new("unredirected_headers", Type::List(&Type::Str)).default(Default::List(&[])),
    Opt::new("url_password", Type::Str)
        .aliases(&["password"])
        .no_log(),
    Opt::new("url_username", Type::Str).aliases(&["user"]),
    Opt::new("use_gssapi", Type::Bool).default(Default::Bool(false)),
    Opt::new("use_netrc", Type::Bool).default(Default::Bool(true)),
    Opt::new("use_proxy", Type::Bool).default(Default::Bool(true)),
    Opt::new("validate_certs", Type::Bool).default(Default::Bool(true)),
    Opt::new("_attachment", Type::Raw).internal(),
];

#[async_trait]
impl Module for Uri {
    type Args = Args;
    /// Why nothing is to be asked, if so.
    type State = Option<String>;
    const SPEC: Spec = Spec::new("uri", OPTIONS)
        .file_common()
        .check_mode(CheckSupport::NoneOfAction)
        .constraints(&[Constraint::MutuallyExclusive(&["body", "src"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Self::State, Failure> {
        let is_method =
            !args.method.is_empty() && args.method.chars().all(|c| c.is_ascii_alphabetic());
        if !is_method {
            let msg =
                "Parameter 'method' needs to be a single word in uppercase, like GET or POST.";
            return Err(Failure::new(msg));
        }
        // A body that cannot be sent fails also where nothing is to be sent.
        args.encoded(target).await?;
        let created = args
            .creates
            .as_deref()
            .filter(|path| Path::new(path).exists());
        let removed = args
            .removes
            .as_deref()
            .filter(|path| !Path::new(path).exists());
        Ok(match (created, removed) {
            (Some(path), _) => Some(format!("skipped, since '{path}' exists")),
            (None, Some(path)) => Some(format!("skipped, since '{path}' does not exist")),
            (None, None) => None,
        })
    }

    fn diff(&self, _args: &Args, done: &Self::State, _mode: Mode) -> Verdict {
        match done {
            Some(text) => {
                let result = [("stdout".to_owned(), text.as_str().into())];
                Verdict::unchanged(Output::new(Object::from_iter(result)))
            }
            None => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _done: Self::State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let began = Instant::now();
        let asked = args.ask(target).await?;
        let elapsed = began.elapsed().as_secs();
        match asked {
            Ok(answer) => args.report(target, answer, elapsed).await,
            Err(error) if error.is_final => Err(Failure::new(error.msg)
                .with("url", args.web.shown_url())
                .with("status", -1)),
            Err(error) => {
                let mut result = Object::new();
                result.insert("redirected".into(), false.into());
                result.insert("url".into(), args.web.shown_url().into());
                result.insert("status".into(), (-1).into());
                result.insert("elapsed".into(), elapsed.into());
                if args.allows(-1) {
                    result.insert("msg".into(), error.msg.into());
                    return Ok(Output::new(result).changed(false));
                }
                Err(args.not_allowed(-1, &error.msg, result))
            }
        }
    }
}

impl Args {
    /// The headers, and the body unless it is a file.
    async fn encoded(&self, target: &dyn Target) -> Result<(Headers, Body), Failure> {
        let mut headers = self.web.given_headers();
        let text = |text: String| Body::Bytes(text.into_bytes());
        let body = match self.body_format.as_str() {
            "json" => {
                headers.set_default("Content-Type", "application/json");
                text(json_body(&self.body))
            }
            "form-urlencoded" => {
                headers.set_default("Content-Type", "application/x-www-form-urlencoded");
                text(url_encoded(&self.body)?)
            }
            "form-multipart" => {
                let (kind, bytes) = multipart(target, &self.body).await?;
                headers.set("Content-Type", kind);
                Body::Bytes(bytes)
            }
            _ if self.body.is_null() => Body::None,
            _ => text(rustle_module::py_str(&self.body)),
        };
        Ok((headers, body))
    }

    async fn ask(&self, target: &dyn Target) -> Result<Result<Answer, NoAnswer>, Failure> {
        let (mut headers, mut body) = self.encoded(target).await?;
        let mut received = None;
        if let Some(src) = self.src.as_deref().filter(|src| !src.is_empty()) {
            body = Body::File(match &self.attached {
                Some(attached) => {
                    let file = Received::fetch(target, attached, "source", 0o600).await?;
                    received.insert(file).path().to_owned()
                }
                None => PathBuf::from(src),
            });
            if let Body::File(path) = &body
                && fs::File::open(path).is_err()
            {
                let msg = format!("Unable to open source file {src}");
                return Err(Failure::new(msg).with("elapsed", 0));
            }
        }
        if body != Body::None {
            headers.set_default("Content-Type", "application/x-www-form-urlencoded");
        }
        let there = self
            .dest
            .as_deref()
            .filter(|dest| Path::new(dest).is_file());
        let since = there.and_then(|dest| fs::metadata(dest).ok()?.modified().ok());
        let further = Further {
            follow: Follow::named(&self.follow_redirects).unwrap_or(Follow::Safe),
            ca_path: self.ca_path.clone(),
            unix_socket: self.unix_socket.clone(),
        };
        let sent = Sent {
            method: self.method.to_ascii_uppercase(),
            headers,
            body,
            since,
        };
        let url = &self.web.url;
        let asked = self
            .web
            .ask(target, url, self.web.force, &further, sent)
            .await;
        drop(received);
        Ok(asked)
    }

    fn allows(&self, status: i64) -> bool {
        self.status_code.iter().any(|allowed| match allowed {
            Value::Bool(is_one) => i64::from(*is_one) == status,
            allowed => allowed.as_i64() == Some(status),
        })
    }

    fn not_allowed(&self, status: i64, msg: &str, result: Object) -> Failure {
        let allowed = rustle_module::py_repr(&Value::Array(self.status_code.clone()));
        Failure {
            result,
            ..Failure::new(format!("Status code was {status} and not {allowed}: {msg}"))
        }
    }

    /// The result of an answer, whose content is put where it is wanted.
    async fn report(
        &self,
        target: &dyn Target,
        mut answer: Answer,
        elapsed: u64,
    ) -> Result<Output, Failure> {
        let mut result = described(&answer, &self.web.shown_url());
        result.insert("elapsed".into(), elapsed.into());
        let status = answer.status.map_or(200, i64::from);
        let is_allowed = self.allows(status);
        let kind = ContentType::of(&answer.headers);
        let reads = kind.is_json || self.return_content || !is_allowed || !answer.is_success();
        let mut content = Vec::new();
        if reads {
            let mut keep = |bytes: &[u8]| {
                content.extend_from_slice(bytes);
                match content.len() > CONTENT_LIMIT {
                    true => Err(std::io::Error::other(
                        "the answer is too long for a result; `dest` takes it",
                    )),
                    false => Ok(()),
                }
            };
            copy_body(target, answer.body.as_mut(), &mut keep).await?;
            answer.body = Box::new(std::io::Cursor::new(content.clone()));
        }
        let text = kind.decode(&content);
        if !answer.is_success() && is_allowed && !kind.is_json && !self.return_content {
            result.insert("body".into(), text.as_str().into());
        }
        if kind.is_json
            && let Ok(json) = serde_json::from_str::<Value>(&text)
        {
            result.insert("json".into(), json);
        }
        let mut changed = false;
        if let Some(dest) = &self.dest {
            let dest = self.place_of(dest, &answer);
            if is_allowed && status != 304 {
                self.write(target, &mut answer, &dest).await?;
                self.settle(target, &dest).await?;
                changed = true;
            }
            result.insert("path".into(), dest.as_str().into());
            add_path_info(target, &mut result, &dest).await;
        }
        if self.return_content && (answer.is_success() || !text.is_empty()) {
            result.insert("content".into(), text.into());
        }
        if !is_allowed {
            return Err(self.not_allowed(status, &answer.msg, result));
        }
        result.insert("msg".into(), answer.msg.into());
        Ok(Output::new(result).changed(changed))
    }

    fn place_of(&self, dest: &str, answer: &Answer) -> String {
        if !Path::new(dest).is_dir() {
            return dest.to_owned();
        }
        let name = named_by_server(&answer.headers).unwrap_or_else(|| file_name_of(&answer.url));
        join(dest, &name)
    }

    async fn write(
        &self,
        target: &dyn Target,
        answer: &mut Answer,
        dest: &str,
    ) -> Result<(), Failure> {
        let mut file = TempFile::new(target.temp_dir())?;
        let mut keep = |bytes: &[u8]| file.write(bytes);
        copy_body(target, answer.body.as_mut(), &mut keep).await?;
        let sum = |path: &Path| of_file(path, Algorithm::Sha1).ok();
        let dest = Path::new(dest);
        if sum(dest).is_some() && sum(dest) == sum(file.path()) {
            return Ok(());
        }
        let like = fs::metadata(dest).ok();
        let mut staged = Staged::for_dest(target, dest, self.unsafe_writes)?;
        staged.copy_from(file.path())?;
        staged.take_attributes(like.as_ref());
        let _told_later = staged.settle(target, &self.attributes).await;
        staged.commit()?;
        if like.is_none() {
            restore_context(target, dest).await;
        }
        Ok(())
    }

    async fn settle(&self, target: &dyn Target, dest: &str) -> Result<bool, Failure> {
        let mut diff = BeforeAfter::default();
        self.attributes
            .settle(target, dest, Pass::Set, &mut diff)
            .await
    }
}

/// The keys that every answer gives: its headers, with `_` for `-`, and what it was.
fn described(answer: &Answer, asked: &str) -> Object {
    let mut result = Object::new();
    for (name, value) in &answer.headers.0 {
        let name = name.to_lowercase().replace('-', "_");
        let earlier = result.get(&name).and_then(Value::as_str);
        let value = match earlier.filter(|_| answer.is_success()) {
            Some(earlier) => format!("{earlier}, {value}"),
            None => value.clone(),
        };
        result.insert(name, value.into());
    }
    if let Some(location) = answer.headers.get("location")
        && let Ok(base) = rustle_http::Url::parse(asked)
        && let Ok(url) = base.join(location)
    {
        result.insert("location".into(), url.to_string().into());
    }
    result.insert("redirected".into(), (answer.url != asked).into());
    result.insert("url".into(), answer.url.as_str().into());
    result.insert("status".into(), answer.status.map_or(200, i64::from).into());
    if answer.is_success() {
        let pairs = answer.cookies.iter();
        let text: Vec<String> = pairs
            .clone()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        result.insert("cookies_string".into(), text.join("; ").into());
        let cookies = pairs.map(|(name, value)| (name.clone(), value.as_str().into()));
        result.insert("cookies".into(), Value::Object(cookies.collect()));
    }
    result
}

/// What the answer says of its content.
struct ContentType {
    is_json: bool,
    charset: String,
}

impl ContentType {
    fn of(headers: &Headers) -> Self {
        let text = headers
            .get("content-type")
            .unwrap_or("application/octet-stream");
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let kind = kind.split_once('/').map_or("", |(_, kind)| kind);
        let kind = kind.split_once('+').map_or(kind, |(_, suffix)| suffix);
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.eq_ignore_ascii_case("charset")
                .then(|| value.trim_matches('"').to_ascii_lowercase())
        });
        Self {
            is_json: matches!(kind, "json" | "javascript"),
            charset: charset.unwrap_or_else(|| "utf-8".into()),
        }
    }

    /// The content as text. What is neither UTF-8 nor Latin-1 is read as UTF-8 as far as that goes.
    fn decode(&self, content: &[u8]) -> String {
        match self.charset.as_str() {
            "iso-8859-1" | "latin-1" | "latin1" | "iso8859-1" => {
                content.iter().copied().map(char::from).collect()
            }
            _ => String::from_utf8_lossy(content).into_owned(),
        }
    }
}
