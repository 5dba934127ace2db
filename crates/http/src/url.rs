//! URLs, as far as requests need them.

use crate::error::HttpError;
use std::fmt::Write as _;

/// A URL of `http` or `https`, taken apart. The part behind `#` is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is `https`.
    pub is_secure: bool,
    /// User and password before the host.
    pub login: Option<(String, String)>,
    /// The host's name or address, without brackets.
    pub host: String,
    /// The port, if it is not the usual one.
    pub port: Option<u16>,
    /// Path and query, with a slash at the beginning.
    pub target: String,
}

impl Url {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// When it is none of `http` or `https`, or holds what no request can.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let bad =
            |why: &str| HttpError::Url(format!("`{text}` is no URL that can be asked for: {why}"));
        if text.chars().any(char::is_control) {
            return Err(bad("it holds control characters"));
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| HttpError::Url(format!("unknown url type: '{text}'")))?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other => return Err(HttpError::Url(format!("unknown url type: {other}"))),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (login, authority) = match authority.rsplit_once('@') {
            Some((login, authority)) => (Some(login_of(login)), authority),
            None => (None, authority),
        };
        let (host, port) = split_port(authority).ok_or_else(|| bad("its port is no number"))?;
        if host.is_empty() {
            return Err(HttpError::Url("no host given".into()));
        }
        if host.contains(|c: char| c.is_whitespace() || "\\<>\"".contains(c)) {
            return Err(bad("its host is no name"));
        }
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        let usual = if is_secure { 443 } else { 80 };
        Ok(Self {
            is_secure,
            login,
            host: host.to_owned(),
            port: port.filter(|port| *port != usual),
            target: encoded(&target),
        })
    }

    /// The URL that `location` means where it is found at this one.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn join(&self, location: &str) -> Result<Self, HttpError> {
        let location = location.trim();
        let scheme = if self.is_secure { "https" } else { "http" };
        let has_scheme = location.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        });
        if has_scheme {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let path = self.target.split('?').next().unwrap_or("/");
        let target = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{path}{location}")
        } else {
            let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            format!("{folder}{location}")
        };
        let target = target.split('#').next().unwrap_or_default();
        Ok(Self {
            target: encoded(&without_dots(target)),
            login: None,
            ..self.clone()
        })
    }

    /// The host and, if it is not the usual one, the port.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// The port to connect to.
    #[must_use]
    pub fn port_or_usual(&self) -> u16 {
        self.port.unwrap_or(if self.is_secure { 443 } else { 80 })
    }

    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// Whether requests to both reach the same server.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        (self.is_secure, &self.host, self.port_or_usual())
            == (other.is_secure, &other.host, other.port_or_usual())
    }
}

impl std::fmt::Display for Url {
    /// The URL without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.target)
    }
}

fn login_of(text: &str) -> (String, String) {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    (decoded(user), decoded(password))
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) if !port.is_empty() => Some((host, Some(port.parse().ok()?))),
            _ => Some((host, None)),
        };
    }
    match authority.split_once(':') {
        Some((host, "")) => Some((host, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((authority, None)),
    }
}

/// Percent signs for what a request line cannot hold.
fn encoded(target: &str) -> String {
    let mut text = String::with_capacity(target.len());
    for byte in target.bytes() {
        match byte {
            0x21..=0x7e => text.push(char::from(byte)),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next().copied() {
        let digits = rest.as_slice().get(..2).filter(|_| byte == b'%');
        let number = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match number {
            Some(number) => {
                bytes.push(number);
                rest.nth(1);
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes `.` and `..` out of a path.
fn without_dots(target: &str) -> String {
    let (path, query) = match target.find('?') {
        Some(at) => target.split_at(at),
        None => (target, ""),
    };
    let mut parts: Vec<&str> = Vec::new();
    let all: Vec<&str> = path.split('/').skip(1).collect();
    for (at, part) in all.iter().enumerate() {
        let is_last = at + 1 == all.len();
        match *part {
            "." | ".." => {
                if *part == ".." {
                    parts.pop();
                }
                if is_last {
                    parts.push("");
                }
            }
            part => parts.push(part),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn parts_of_a_url_are_told_apart() {
        let parsed = url("https://u%40x:p@[::1]:8443/a b?q=é#part");
        assert_eq!(parsed.login, Some(("u@x".into(), "p".into())));
        assert_eq!((parsed.host.as_str(), parsed.port), ("::1", Some(8443)));
        assert_eq!(parsed.to_string(), "https://[::1]:8443/a%20b?q=%C3%A9");
        assert_eq!(url("http://h").to_string(), "http://h/");
        assert_eq!(url("http://h:80?q").to_string(), "http://h/?q");
    }

    #[test]
    fn what_no_request_can_hold_is_refused() {
        for text in [
            "http://h/\r\nX: y",
            "ftp://h/",
            "h/x",
            "http:///x",
            "http://h:p/",
            "http://a b/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn locations_are_relative_to_where_they_are_found() {
        let base = url("http://u:p@h:1/a/b?q");
        for (location, expected) in [
            ("/x", "http://h:1/x"),
            ("x#y", "http://h:1/a/x"),
            ("../x", "http://h:1/x"),
            ("?z", "http://h:1/a/b?z"),
            ("//o/x", "http://o/x"),
            ("https://o", "https://o/"),
        ] {
            assert_eq!(base.join(location).expect("a URL").to_string(), expected);
        }
        assert!(base.join("file:///etc/passwd").is_err());
        assert_eq!(base.join("/x").expect("a URL").login, None);
    }
}
