//! `url`: what a server answers.

use std::io::Read;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use rustle_http::{
    Body, Client, Follow, Headers, HttpError, Proxies, Request, Resolve, TlsSettings, Url,
    netrc_login,
};
use rustle_module::py_str;
use rustle_process::CancelLevel;
use rustle_template::LookupCall;
use serde_json::Value;

use super::{ControllerLookups, Found, flag_option, list_option, text_option, texts};

/// The longest answer that becomes a value, in bytes.
const LIMIT: u64 = 64 << 20;

/// What each URL answers, line by line unless `split_lines` says otherwise.
pub(super) fn url(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let splits = flag_option(call, "split_lines", true)?;
    let mut found = Vec::new();
    for term in texts(&call.terms) {
        let text = body(lookups, call, &term)?;
        if splits {
            let lines = text.replace("\r\n", "\n").replace('\r', "\n");
            found.extend(lines.split_terminator('\n').map(Value::from));
        } else {
            found.push(text.into());
        }
    }
    Ok(found)
}

fn body(lookups: &ControllerLookups, call: &LookupCall<'_>, term: &str) -> Result<String, String> {
    let url = Url::parse(term).map_err(|error| error.to_string())?;
    let client = client(call, &url).map_err(|why| format!("cannot ask for {term}: {why}"))?;
    let request = Request {
        method: "GET".into(),
        headers: headers(call)?,
        url,
        body: Body::None,
    };
    let lost = |why: &str| format!("Failed lookup url for {term}: {why}");
    let mut response = lookups.wait(|cancel| async move {
        tokio::select! {
            response = client.send(request, &SystemNames) => response.map_err(|error| lost(&error.to_string())),
            _ = cancel.raised_above(CancelLevel::Run) => Err(lost("the run was cancelled")),
        }
    })?;
    if !(200..300).contains(&response.status) {
        return Err(format!(
            "Received HTTP error for {term}: HTTP Error {}: {}",
            response.status, response.reason
        ));
    }
    let mut bytes = Vec::new();
    let read = response
        .body
        .by_ref()
        .take(LIMIT + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| lost(&error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(lost("the answer is longer than 64 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| lost("the answer is not UTF-8 text"))
}

fn client(call: &LookupCall<'_>, url: &Url) -> Result<Client, String> {
    refuse(call)?;
    let path = |name| {
        let text = text_option(call, name, "");
        (!text.is_empty()).then(|| PathBuf::from(text))
    };
    let proxies = if flag_option(call, "use_proxy", true)? {
        let variable = |name: &str| std::env::var(name).ok();
        Proxies::of_environment(&variable).map_err(|error: HttpError| error.to_string())?
    } else {
        Proxies::default()
    };
    let user = text_option(call, "username", "");
    let given = (!user.is_empty()).then(|| (user, text_option(call, "password", "")));
    let noted = if given.is_none() && url.login.is_none() && flag_option(call, "use_netrc", true)? {
        login_of_netrc(&url.host)
    } else {
        None
    };
    Ok(Client {
        timeout: timeout(call)?,
        tls: TlsSettings {
            verify: flag_option(call, "validate_certs", true)?,
            ca_path: path("ca_path"),
            ..TlsSettings::default()
        },
        follow: follow(&text_option(call, "follow_redirects", "urllib2"))?,
        proxies,
        unix_socket: path("unix_socket"),
        login_at_once: noted.is_some() || flag_option(call, "force_basic_auth", false)?,
        login: given.or(noted),
        unredirected: list_option(&call.options, "unredirected_headers"),
        decompress: true,
    })
}

/// What is asked for and not there.
fn refuse(call: &LookupCall<'_>) -> Result<(), String> {
    if flag_option(call, "use_gssapi", false)? {
        return Err("`use_gssapi` is not available in this version".into());
    }
    if !list_option(&call.options, "ciphers").is_empty() {
        return Err("`ciphers` is not available in this version; TLS 1.2 and 1.3 are spoken with their safe ciphers".into());
    }
    Ok(())
}

fn timeout(call: &LookupCall<'_>) -> Result<Duration, String> {
    let text = text_option(call, "timeout", "10");
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            format!("the option `timeout` has to be a number of seconds above 0, not `{text}`")
        })
}

fn follow(text: &str) -> Result<Follow, String> {
    Follow::named(text).ok_or_else(|| {
        format!("the option `follow_redirects` has to be one of all, no, none, safe, urllib2, yes, not `{text}`")
    })
}

fn headers(call: &LookupCall<'_>) -> Result<Headers, String> {
    let mut headers = Headers::default();
    match call.options.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                headers.set(name, py_str(value));
            }
        }
        Some(other) => {
            return Err(format!(
                "the option `headers` has to be a mapping, not {other}"
            ));
        }
    }
    headers.set_default(
        "User-Agent",
        &text_option(call, "http_agent", "ansible-httpget"),
    );
    if flag_option(call, "force", false)? {
        headers.set("Cache-Control", "no-cache");
    }
    Ok(headers)
}

fn login_of_netrc(host: &str) -> Option<(String, String)> {
    let path = std::env::var_os("NETRC").map(PathBuf::from);
    let path = path.or_else(|| Some(std::env::home_dir()?.join(".netrc")))?;
    netrc_login(&std::fs::read_to_string(path).ok()?, host)
}

/// Names of hosts are looked up as this machine does it.
struct SystemNames;

#[async_trait]
impl Resolve for SystemNames {
    async fn resolve(&self, host: &str) -> Vec<IpAddr> {
        let host = host.to_owned();
        let found = tokio::task::spawn_blocking(move || {
            let addresses = (host.as_str(), 0).to_socket_addrs().ok()?;
            Some(addresses.map(|address| address.ip()).collect())
        });
        found.await.ok().flatten().unwrap_or_default()
    }
}
