//! Requests and responses.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use crate::url::Url;

/// Names and values in the order in which they are sent or came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of a name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self
            .0
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str())
    }

    /// Sets a name's only value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// Sets a value where there is none.
    pub fn set_default(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    /// Takes all values of a name out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }
}

/// What is sent after the headers.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file's content.
    File(PathBuf),
}

impl fmt::Debug for Body {
    /// Tells how much, but not what: it may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` and the like.
    pub method: String,
    /// Where.
    pub url: Url,
    /// Headers besides `Host`, `Connection` and the length of the body.
    pub headers: Headers,
    /// What is sent along.
    pub body: Body,
}

/// What came back.
pub struct Response {
    /// The number of the outcome.
    pub status: u16,
    /// The outcome in the server's words.
    pub reason: String,
    /// The headers.
    pub headers: Headers,
    /// Where it came from, after all redirects.
    pub url: Url,
    /// How many redirects led there.
    pub redirects: usize,
    /// Names and values of the cookies that were set on the way.
    pub cookies: Vec<(String, String)>,
    /// Whether redirects went on for too long, so that the last one is what this is.
    pub is_loop: bool,
    /// What follows the headers, to be read to its end. It ends with an error where the connection does too early.
    pub body: Box<dyn Read + Send>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Response({} {} from {})",
            self.status, self.reason, self.url
        )
    }
}
