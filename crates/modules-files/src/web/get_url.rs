//! The module `get_url`: a file from the web.

use std::fs;
use std::path::Path;
use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use rustix::fs::Access;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use super::asking::{Answer, Further, Sent, WebArgs, copy_body, file_name_of, named_by_server};
use super::wanted_sum::WantedSum;
use crate::attributes::{AttributeArgs, Pass, add_path_info, restore_context};
use crate::backup;
use crate::checksum::{Algorithm, of_file};
use crate::diff::BeforeAfter;
use crate::paths::{join, parent};
use crate::staged::Staged;
use crate::temp_file::TempFile;

/// The module `get_url`.
pub(crate) struct GetUrl;

/// The arguments of `get_url`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    dest: String,
    backup: bool,
    checksum: String,
    tmp_dest: Option<String>,
    unsafe_writes: bool,
    #[serde(flatten)]
    web: WebArgs,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

/// What [`GetUrl`] found.
pub(crate) struct State {
    sum: Option<WantedSum>,
    kind: Found,
}

enum Found {
    /// The file is there with the right checksum; whether its attributes differ.
    Right(Output, bool),
    /// It is to be asked for.
    Ask {
        /// Whether it is wanted although it did not change.
        force: bool,
        /// When the file that is there was changed.
        since: Option<SystemTime>,
    },
    /// What the server says in check mode, which is all that is needed.
    Told(Output),
}

const OPTIONS: &[Opt] = &[
    Opt::new("url", Type::Str).required(),
    Opt::new("dest", Type::Path).required(),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("checksum", Type::Str).default(Default::Str("")),
    Opt::new("ciphers", Type::List(&Type::Str)),
    Opt::new("client_cert", Type::Path),
    Opt::new("client_key", Type::Path),
    Opt::new("decompress", Type::Bool).default(Default::Bool(true)),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("force_basic_auth", Type::Bool).default(Default::Bool(false)),
    Opt::new("headers", Type::Dict),
    Opt::new("http_agent", Type::Str).default(Default::Str("ansible-httpget")),
    Opt::new("timeout", Type::Int).default(Default::Int(10)),
    Opt::new("tmp_dest", Type::Path),
    Opt::new("unredirected_headers", Type::List(&Type::Str)).default(Default::List(&[])),
    Opt::new("url_password", Type::Str)
        .aliases(&["password"])
        .no_log(),
    Opt::new("url_username", Type::Str).aliases(&["username"]),
    Opt::new("use_gssapi", Type::Bool).default(Default::Bool(false)),
    Opt::new("use_netrc", Type::Bool).default(Default::Bool(true)),
    Opt::new("use_proxy", Type::Bool).default(Default::Bool(true)),
    Opt::new("validate_certs", Type::Bool).default(Default::Bool(true)),
];

#[async_trait]
impl Module for GetUrl {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("get_url", OPTIONS).file_common();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let sum = args.wanted_sum(target).await?;
        let mut force = args.web.force;
        let mut since = None;
        let dest = Path::new(&args.dest);
        if dest.exists() && !dest.is_dir() {
            if let Some(sum) = sum.as_ref().filter(|_| !force) {
                if sum.fits(dest)? {
                    let kind = args.right(target).await?;
                    return Ok(State { sum: None, kind });
                }
                force = true;
            }
            since = dest
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok();
        }
        let kind = if target.mode().check {
            let mut got = args.download(target, "HEAD", force, since).await?;
            Found::Told(args.predicted(target, &mut got).await?)
        } else {
            Found::Ask { force, since }
        };
        Ok(State { sum, kind })
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        match &state.kind {
            Found::Right(output, false) => Verdict::unchanged(output.clone()),
            Found::Right(output, true) | Found::Told(output) => Verdict::Change(Change {
                predicted: output.clone(),
                ..Change::default()
            }),
            Found::Ask { .. } => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        match state.kind {
            Found::Right(mut output, _) => {
                args.settle(target, &args.dest, Pass::Set).await?;
                add_path_info(target, &mut output.result, &args.dest).await;
                Ok(output)
            }
            Found::Told(output) => Ok(output),
            Found::Ask { force, since } => {
                let got = args.download(target, "GET", force, since).await?;
                args.place(target, got, state.sum.as_ref()).await
            }
        }
    }
}

/// What was asked for, and came.
enum Got {
    /// The file that is there is as new.
    NotModified(Output),
    Content {
        file: TempFile,
        /// The result so far, and where the file goes.
        result: Object,
        dest: String,
        msg: String,
        status: Option<u16>,
    },
}

impl Args {
    fn result(&self) -> Object {
        let mut result = Object::new();
        result.insert("checksum_dest".into(), Value::Null);
        result.insert("checksum_src".into(), Value::Null);
        result.insert("dest".into(), self.dest.as_str().into());
        result.insert("elapsed".into(), 0.into());
        result.insert("url".into(), self.web.shown_url().into());
        result
    }

    /// The checksum that is asked for, which may itself be on the web.
    async fn wanted_sum(&self, target: &dyn Target) -> Result<Option<WantedSum>, Failure> {
        if self.checksum.is_empty() {
            return Ok(None);
        }
        let failed = |msg: &str| Failure {
            result: self.result(),
            ..Failure::new(msg)
        };
        let Some((algorithm, sum)) = self.checksum.split_once(':') else {
            return Err(failed(
                "The checksum parameter has to be in format <algorithm>:<checksum>",
            ));
        };
        let is_url = ["http:", "https:", "ftp:", "file:"]
            .iter()
            .any(|scheme| sum.starts_with(scheme));
        let mut sum = sum.to_owned();
        if is_url {
            let list = self.read_list(target, &sum).await?;
            let name = file_name_of(&self.web.url);
            sum = WantedSum::in_list(&list, &name).ok_or_else(|| {
                Failure::new(format!(
                    "Unable to find a checksum for file '{name}' in '{sum}'"
                ))
            })?;
        }
        let sum = WantedSum::new(algorithm, &sum);
        sum.map(Some)
            .ok_or_else(|| failed("The checksum format is invalid"))
    }

    async fn read_list(&self, target: &dyn Target, url: &str) -> Result<String, Failure> {
        let mut answer = self.ask(target, url, "GET", None, self.web.force).await?;
        let mut bytes = Vec::new();
        let mut keep = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            match bytes.len() > WantedSum::LIST_LIMIT {
                true => Err(std::io::Error::other("the list of checksums is too long")),
                false => Ok(()),
            }
        };
        copy_body(target, answer.body.as_mut(), &mut keep).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Asks for a URL; what is no success fails.
    async fn ask(
        &self,
        target: &dyn Target,
        url: &str,
        method: &str,
        since: Option<SystemTime>,
        force: bool,
    ) -> Result<Answer, Failure> {
        let began = Instant::now();
        let sent = Sent {
            method: method.into(),
            headers: self.web.given_headers(),
            since,
            ..Sent::default()
        };
        let asked = self
            .web
            .ask(target, url, force, &Further::default(), sent)
            .await;
        let described = |failure: Failure| {
            failure
                .with("url", self.web.shown_url())
                .with("dest", self.dest.as_str())
                .with("elapsed", began.elapsed().as_secs())
        };
        let answer = asked.map_err(|error| match error.is_final {
            true => Failure::new(error.msg)
                .with("url", self.web.shown_url())
                .with("status", -1),
            false => described(Failure::new(error.msg)),
        })?;
        match answer.status {
            None | Some(200 | 304) => Ok(answer),
            Some(status) => Err(described(Failure::new("Request failed"))
                .with("status_code", status)
                .with("response", answer.msg)),
        }
    }

    async fn download(
        &self,
        target: &dyn Target,
        method: &str,
        force: bool,
        since: Option<SystemTime>,
    ) -> Result<Got, Failure> {
        let began = Instant::now();
        let url = self.web.url.clone();
        let mut answer = self.ask(target, &url, method, since, force).await?;
        let mut result = self.result();
        let elapsed = |began: Instant| Value::from(began.elapsed().as_secs());
        if answer.status == Some(304) {
            let mut result = Object::new();
            result.insert("url".into(), self.web.shown_url().into());
            result.insert("dest".into(), self.dest.as_str().into());
            result.insert("msg".into(), answer.msg.into());
            result.insert("status_code".into(), 304.into());
            result.insert("elapsed".into(), elapsed(began));
            add_path_info(target, &mut result, &self.dest).await;
            return Ok(Got::NotModified(Output::new(result).changed(false)));
        }
        let folder = self.temporary_folder(target)?;
        let mut file = TempFile::new(Path::new(&folder))?;
        let mut keep = |bytes: &[u8]| file.write(bytes);
        copy_body(target, answer.body.as_mut(), &mut keep).await?;
        let mut dest = self.dest.clone();
        if Path::new(&dest).is_dir() {
            let name =
                named_by_server(&answer.headers).unwrap_or_else(|| file_name_of(&answer.url));
            dest = join(&dest, &name);
        }
        result.insert("dest".into(), dest.as_str().into());
        result.insert("elapsed".into(), elapsed(began));
        let src = file.path().display().to_string();
        result.insert("src".into(), src.into());
        let sum = of_file(file.path(), Algorithm::Sha1).ok();
        result.insert("checksum_src".into(), sum.into());
        match check_place(&dest) {
            Ok(sum) => result.insert("checksum_dest".into(), sum.into()),
            Err(msg) => {
                return Err(Failure {
                    result,
                    ..Failure::new(msg)
                });
            }
        };
        Ok(Got::Content {
            file,
            result,
            dest,
            msg: answer.msg,
            status: answer.status,
        })
    }

    fn temporary_folder(&self, target: &dyn Target) -> Result<String, Failure> {
        let given = self.tmp_dest.as_deref().filter(|folder| !folder.is_empty());
        let Some(folder) = given else {
            return Ok(target.temp_dir().display().to_string());
        };
        if Path::new(folder).is_dir() {
            return Ok(folder.to_owned());
        }
        Err(Failure::new(if Path::new(folder).exists() {
            format!("{folder} is a file but should be a directory.")
        } else {
            format!("{folder} directory does not exist.")
        }))
    }

    /// What would be done with what came, of which check mode has the head only.
    async fn predicted(&self, target: &dyn Target, got: &mut Got) -> Result<Output, Failure> {
        match got {
            Got::NotModified(output) => Ok(output.clone()),
            Got::Content {
                result, dest, msg, ..
            } => {
                let changed = result["checksum_src"] != result["checksum_dest"];
                result.insert("msg".into(), msg.as_str().into());
                add_path_info(target, result, dest).await;
                Ok(Output::new(result.clone()).changed(changed))
            }
        }
    }

    /// Puts what came in its place.
    async fn place(
        &self,
        target: &dyn Target,
        got: Got,
        sum: Option<&WantedSum>,
    ) -> Result<Output, Failure> {
        let (file, mut result, dest, msg, status) = match got {
            Got::NotModified(output) => return Ok(output),
            Got::Content {
                file,
                result,
                dest,
                msg,
                status,
            } => (file, result, dest, msg, status),
        };
        let src = file.path().display().to_string();
        if let Some(sum) = sum
            && let found = sum.of(file.path())?
            && found != sum.digits
        {
            let msg = format!(
                "The checksum for {src} did not match {}; it was {found}.",
                sum.digits
            );
            return Err(Failure {
                result,
                ..Failure::new(msg)
            });
        }
        let mut backup_file = None;
        let mut changed = result["checksum_src"] != result["checksum_dest"];
        if changed {
            if self.backup && Path::new(&dest).exists() {
                backup_file = Some(backup::make(&dest)?);
            }
            self.replace(target, file.path(), &dest).await?;
        }
        changed |= self.settle(target, &dest, Pass::Set).await?;
        result.insert("md5sum".into(), of_file(&dest, Algorithm::Md5).ok().into());
        result.insert("msg".into(), msg.into());
        result.insert("status_code".into(), status.into());
        if let Some(backup_file) = backup_file {
            result.insert("backup_file".into(), backup_file.into());
        }
        add_path_info(target, &mut result, &dest).await;
        Ok(Output::new(result).changed(changed))
    }

    async fn replace(&self, target: &dyn Target, from: &Path, dest: &str) -> Result<(), Failure> {
        let dest = Path::new(dest);
        let like = fs::metadata(dest).ok();
        let mut staged = Staged::for_dest(target, dest, self.unsafe_writes)?;
        staged.copy_from(from)?;
        staged.take_attributes(like.as_ref());
        let _told_later = staged.settle(target, &self.attributes).await;
        staged.commit()?;
        if like.is_none() {
            restore_context(target, dest).await;
        }
        Ok(())
    }

    /// The file is there with the right checksum.
    async fn right(&self, target: &dyn Target) -> Result<Found, Failure> {
        let differs = self.settle(target, &self.dest, Pass::Look).await?;
        let mut result = self.result();
        let msg = if differs {
            "file already exists but file attributes changed"
        } else {
            "file already exists"
        };
        result.insert("msg".into(), msg.into());
        add_path_info(target, &mut result, &self.dest).await;
        Ok(Found::Right(Output::new(result), differs))
    }

    async fn settle(&self, target: &dyn Target, dest: &str, pass: Pass) -> Result<bool, Failure> {
        let mut diff = BeforeAfter::default();
        self.attributes.settle(target, dest, pass, &mut diff).await
    }
}

/// Whether a file can be put there, and the checksum of the one that is.
fn check_place(dest: &str) -> Result<Option<String>, String> {
    let can = |path: &str, access| rustix::fs::access(path, access).is_ok();
    let folder = parent(dest);
    if Path::new(dest).exists() {
        for (access, word) in [
            (Access::WRITE_OK, "writable"),
            (Access::READ_OK, "readable"),
        ] {
            if !can(dest, access) {
                return Err(format!("Destination {dest} is not {word}"));
            }
        }
        return Ok(of_file(dest, Algorithm::Sha1).ok());
    }
    if !folder.is_empty() && !Path::new(folder).exists() {
        return Err(format!("Destination {folder} does not exist"));
    }
    if !can(
        if folder.is_empty() { "." } else { folder },
        Access::WRITE_OK,
    ) {
        return Err(format!("Destination {folder} is not writable"));
    }
    Ok(None)
}
