//! What `get_url` and `uri` have in common: their options about the web, and asking for a URL.

use std::fs;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rustle_http::{
    Body, Client, Follow, Headers, HttpError, Proxies, Request, Resolve, Response, TlsSettings,
    Url, netrc_login,
};
use rustle_module::hosts::addresses_of;
use rustle_module::{Failure, Object, Target, py_str};
use serde::Deserialize;

use crate::temp_file::TempFile;

/// The options about the web.
#[derive(Debug, Deserialize)]
pub(super) struct WebArgs {
    pub(super) url: String,
    pub(super) force: bool,
    pub(super) timeout: u64,
    pub(super) decompress: bool,
    http_agent: String,
    use_proxy: bool,
    validate_certs: bool,
    url_username: Option<String>,
    url_password: Option<String>,
    force_basic_auth: bool,
    client_cert: Option<String>,
    client_key: Option<String>,
    use_gssapi: bool,
    use_netrc: bool,
    ciphers: Option<Vec<String>>,
    pub(super) headers: Option<Object>,
    unredirected_headers: Vec<String>,
}

/// What only some of the modules have.
#[derive(Debug, Default)]
pub(super) struct Further {
    pub(super) follow: Follow,
    pub(super) ca_path: Option<String>,
    pub(super) unix_socket: Option<String>,
}

/// What is sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) headers: Headers,
    pub(super) body: Body,
    /// The answer is wanted only where it changed since then.
    pub(super) since: Option<SystemTime>,
}

/// What came back.
pub(super) struct Answer {
    /// The number of the outcome; none where the URL is that of a file.
    pub(super) status: Option<u16>,
    pub(super) headers: Headers,
    pub(super) cookies: Vec<(String, String)>,
    /// Where it came from, without user and password.
    pub(super) url: String,
    /// What there is to say about it.
    pub(super) msg: String,
    pub(super) body: Box<dyn Read + Send>,
}

impl Answer {
    /// Whether it is what was asked for.
    pub(super) fn is_success(&self) -> bool {
        self.status
            .is_none_or(|status| (200..300).contains(&status))
    }
}

/// Why nothing came back.
pub(super) struct NoAnswer {
    /// What happened.
    pub(super) msg: String,
    /// Whether it is a mistake of the task's, or of the server's, that no list of outcomes can allow.
    pub(super) is_final: bool,
}

impl WebArgs {
    /// A URL, and nothing special about it.
    fn plain(url: &str, validate_certs: bool) -> Self {
        Self {
            url: url.into(),
            force: false,
            timeout: 10,
            decompress: true,
            http_agent: "ansible-httpget".into(),
            use_proxy: true,
            validate_certs,
            url_username: None,
            url_password: None,
            force_basic_auth: false,
            client_cert: None,
            client_key: None,
            use_gssapi: false,
            use_netrc: true,
            ciphers: None,
            headers: None,
            unredirected_headers: Vec::new(),
        }
    }

    /// The headers that the task asks for.
    pub(super) fn given_headers(&self) -> Headers {
        let given = self.headers.iter().flatten();
        Headers(
            given
                .map(|(name, value)| (name.clone(), py_str(value)))
                .collect(),
        )
    }

    /// The URL as results show it.
    pub(super) fn shown_url(&self) -> String {
        shown_url(&self.url)
    }

    /// Asks for the URL, or for another one in the same way.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn ask(
        &self,
        target: &dyn Target,
        url: &str,
        force: bool,
        further: &Further,
        sent: Sent,
    ) -> Result<Answer, NoAnswer> {
        if let Some(path) = url.strip_prefix("file:") {
            return read_file(path, url);
        }
        let last = |error: HttpError| NoAnswer {
            msg: error.to_string(),
            is_final: true,
        };
        self.check().map_err(|msg| NoAnswer {
            msg,
            is_final: true,
        })?;
        let parsed = Url::parse(url).map_err(last)?;
        let mut headers = sent.headers;
        headers.set_default("User-Agent", &self.http_agent);
        if force {
            headers.set("Cache-Control", "no-cache");
        } else if let Some(since) = sent.since {
            headers.set("If-Modified-Since", http_date(since));
        }
        let client = self
            .client(target, &parsed, &headers, further)
            .map_err(last)?;
        let request = Request {
            method: sent.method,
            url: parsed,
            headers,
            body: sent.body,
        };
        let hosts = Hosts(target);
        let response = tokio::select! {
            response = client.send(request, &hosts) => response.map_err(no_answer)?,
            () = target.cancelled() => return Err(NoAnswer {
                msg: "the task was cancelled while it waited for an answer".into(),
                is_final: true,
            }),
        };
        Ok(answer(response, url))
    }

    /// What is asked for and not there.
    fn check(&self) -> Result<(), String> {
        if self.use_gssapi {
            return Err("`use_gssapi` is not available in this version".into());
        }
        if self
            .ciphers
            .as_ref()
            .is_some_and(|ciphers| !ciphers.is_empty())
        {
            return Err("`ciphers` is not available in this version; TLS 1.2 and 1.3 are spoken with their safe ciphers".into());
        }
        Ok(())
    }

    fn client(
        &self,
        target: &dyn Target,
        url: &Url,
        headers: &Headers,
        further: &Further,
    ) -> Result<Client, HttpError> {
        let login = self.login();
        let is_told =
            login.is_some() || url.login.is_some() || headers.get("Authorization").is_some();
        let noted = if is_told {
            None
        } else {
            self.noted_login(target, url)
        };
        let proxies = match self.use_proxy {
            true => Proxies::of_environment(&|name| target.variable(name))?,
            false => Proxies::default(),
        };
        let path = |text: &Option<String>| text.as_ref().map(PathBuf::from);
        Ok(Client {
            timeout: Duration::from_secs(self.timeout.max(1)),
            tls: TlsSettings {
                verify: self.validate_certs,
                ca_path: path(&further.ca_path),
                client_cert: path(&self.client_cert),
                client_key: path(&self.client_key),
            },
            follow: further.follow,
            proxies,
            unix_socket: path(&further.unix_socket),
            login_at_once: noted.is_some() || self.force_basic_auth,
            login: login.or(noted),
            unredirected: self.unredirected_headers.clone(),
            decompress: self.decompress,
        })
    }

    /// User and password of the task.
    fn login(&self) -> Option<(String, String)> {
        let user = self
            .url_username
            .as_deref()
            .filter(|user| !user.is_empty())?;
        Some((
            user.to_owned(),
            self.url_password.clone().unwrap_or_default(),
        ))
    }

    /// User and password that `.netrc` notes; they are sent before anybody asks.
    fn noted_login(&self, target: &dyn Target, url: &Url) -> Option<(String, String)> {
        if !self.use_netrc {
            return None;
        }
        let home = || Some(format!("{}/.netrc", target.home(None)?));
        let path = target.variable("NETRC").or_else(home)?;
        netrc_login(&fs::read_to_string(path).ok()?, &url.host)
    }
}

/// Names of hosts are looked up as the machine does it.
struct Hosts<'a>(&'a dyn Target);

#[async_trait]
impl Resolve for Hosts<'_> {
    async fn resolve(&self, host: &str) -> Vec<IpAddr> {
        addresses_of(self.0, host).await
    }
}

fn answer(response: Response, asked: &str) -> Answer {
    let status = response.status;
    let is_success = (200..300).contains(&status);
    let length = response.headers.get("content-length").unwrap_or("unknown");
    let msg = if is_success {
        format!("OK ({length} bytes)")
    } else if response.is_loop {
        format!(
            "HTTP Error {status}: The HTTP server returned a redirect error that would lead to an infinite loop.\nThe last 30x error message was:\n{}",
            response.reason
        )
    } else {
        format!("HTTP Error {status}: {}", response.reason)
    };
    let is_elsewhere = is_success && response.redirects > 0;
    Answer {
        status: Some(status),
        cookies: response.cookies,
        url: match is_elsewhere {
            true => response.url.to_string(),
            false => shown_url(asked),
        },
        msg,
        headers: response.headers,
        body: response.body,
    }
}

fn no_answer(error: HttpError) -> NoAnswer {
    let is_reset = matches!(&error, HttpError::Broken(error) if error.kind() == io::ErrorKind::ConnectionReset);
    let (msg, is_final) = match error {
        HttpError::Url(text) => (text, true),
        HttpError::BadResponse(line) if line.is_empty() => (
            "Remote end closed connection without response".to_owned(),
            true,
        ),
        HttpError::BadResponse(line) => (
            format!(
                "Connection failure: connection was closed before a valid response was received: {line}"
            ),
            false,
        ),
        HttpError::Broken(_) if is_reset => (error.to_string(), true),
        HttpError::Broken(_) => (format!("Connection failure: {error}"), false),
        HttpError::UnknownHost
        | HttpError::Connect(_)
        | HttpError::Proxy(_)
        | HttpError::Tls(_) => (format!("Request failed: <urlopen error {error}>"), false),
    };
    NoAnswer { msg, is_final }
}

/// Downloads a file, for modules that take a URL in place of a file's name.
///
/// # Errors
/// When there is no answer, or it is no success.
pub(crate) async fn download(
    target: &dyn Target,
    url: &str,
    validate_certs: bool,
) -> Result<TempFile, Failure> {
    let failed = |msg: &str| Failure::new(format!("Failure downloading {}, {msg}", shown_url(url)));
    let web = WebArgs::plain(url, validate_certs);
    let sent = Sent {
        method: "GET".into(),
        ..Sent::default()
    };
    let asked = web.ask(target, url, false, &Further::default(), sent).await;
    let mut answer = asked.map_err(|error| failed(&error.msg))?;
    if !answer.is_success() {
        return Err(failed(&answer.msg));
    }
    let mut file = TempFile::new(target.temp_dir())?;
    let mut keep = |bytes: &[u8]| file.write(bytes);
    copy_body(target, answer.body.as_mut(), &mut keep).await?;
    Ok(file)
}

/// Answers with a file of this machine.
fn read_file(path: &str, url: &str) -> Result<Answer, NoAnswer> {
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => path,
    };
    let path = path.split(['#', '?']).next().unwrap_or_default();
    let failed = |error: io::Error| NoAnswer {
        msg: format!(
            "Request failed: <urlopen error {}>",
            crate::os_error::describe_bare(&error)
        ),
        is_final: false,
    };
    let file = fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::from_raw_os_error(21)));
    }
    let mut headers = Headers::default();
    headers.set("Content-Length", metadata.len().to_string());
    Ok(Answer {
        status: None,
        headers,
        cookies: Vec::new(),
        url: url.to_owned(),
        msg: format!("OK ({} bytes)", metadata.len()),
        body: Box::new(file),
    })
}

/// A URL with stars in place of user and password.
fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://****:****@{host}{path}"),
        None => url.to_owned(),
    }
}

/// A time as headers have it.
fn http_date(time: SystemTime) -> String {
    DateTime::<Utc>::from(time)
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// The last part of a URL's path: what a file is called that comes from there.
pub(super) fn file_name_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.find('/').map_or("", |slash| &rest[slash..]);
    let name = path.rsplit('/').next().unwrap_or_default();
    match name {
        // No folder is meant by a file's name.
        "" | "." | ".." => "index.html".into(),
        name => name.into(),
    }
}

/// The name that the server gives a file, without folders.
pub(super) fn named_by_server(headers: &Headers) -> Option<String> {
    let disposition = headers.get("content-disposition")?;
    let mut parts = disposition.split(';').skip(1);
    let value = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("filename")
            .then(|| value.trim().trim_matches('"'))
    })?;
    let name = value.rsplit('/').next().unwrap_or_default();
    (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
}

/// Copies what comes, in pieces, for as long as the task is wanted.
///
/// # Errors
/// When it breaks off, cannot be kept, or the task is cancelled.
pub(super) async fn copy_body(
    target: &dyn Target,
    body: &mut (dyn Read + Send),
    keep: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let text = crate::os_error::describe_bare(&error);
        Failure::new(format!("failed to create temporary content file: {text}"))
    };
    let mut buffer = vec![0; 128 << 10];
    loop {
        let read = body.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(());
        }
        keep(&buffer[..read]).map_err(failed)?;
        tokio::select! {
            biased;
            () = target.cancelled() => {
                return Err(Failure::new("the task was cancelled while it downloaded"));
            }
            () = std::future::ready(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_the_end_of_the_path_and_never_after_folders() {
        for (url, name) in [
            ("http://h/a/b.txt?x=/c", "b.txt"),
            ("http://h/", "index.html"),
            ("http://h", "index.html"),
            ("http://h/a/..", "index.html"),
        ] {
            assert_eq!(file_name_of(url), name);
        }
        let named = |text: &str| {
            let mut headers = Headers::default();
            headers.set("Content-Disposition", text);
            named_by_server(&headers)
        };
        assert_eq!(
            named("attachment; filename=\"../../etc/x\"").as_deref(),
            Some("x")
        );
        assert_eq!(named("attachment; filename=\"..\""), None);
        assert_eq!(named("inline"), None);
    }

    #[test]
    fn passwords_in_urls_are_not_shown() {
        assert_eq!(shown_url("http://u:p@h/x@y"), "http://****:****@h/x@y");
        assert_eq!(shown_url("http://h/x@y"), "http://h/x@y");
    }
}
