//! Why there is no response.

use std::io;

/// Why there is no response, or none that can be read.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The text is no URL that can be asked for.
    #[error("{0}")]
    Url(String),
    /// Nobody knows the name of the host.
    #[error("[Errno -2] Name or service not known")]
    UnknownHost,
    /// The host cannot be reached, or not be trusted.
    #[error("{}", shown(.0))]
    Connect(io::Error),
    /// The proxy does not let us through.
    #[error("Tunnel connection failed: {0}")]
    Proxy(String),
    /// The connection broke, or nothing came in time.
    #[error("{}", shown(.0))]
    Broken(io::Error),
    /// What came is no response of HTTP.
    #[error("{0}")]
    BadResponse(String),
    /// A certificate or key of the caller's cannot be used.
    #[error("{0}")]
    Tls(String),
}

/// An error of the operating system with its number in front, as Python shows it.
fn shown(error: &io::Error) -> String {
    if matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    ) {
        return "timed out".into();
    }
    let text = error.to_string();
    match (error.raw_os_error(), text.find(" (os error")) {
        (Some(number), Some(end)) => format!("[Errno {number}] {}", &text[..end]),
        _ => text,
    }
}
