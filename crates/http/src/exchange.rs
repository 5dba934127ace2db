//! One request and its response, on a connection of its own.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use crate::body::{Chunked, Sized};
use crate::connect::Stream;
use crate::error::HttpError;
use crate::message::{Body, Headers};

/// The longest line of a head, and the most lines.
const LINE_LIMIT: u64 = 64 << 10;
const HEADER_LIMIT: usize = 200;

/// What comes before a body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Headers,
}

/// A response whose body is still to be read.
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Box<dyn Read + Send>,
}

/// Sends a request: its first line, headers and body.
pub(crate) struct Sending<'a> {
    pub(crate) method: &'a str,
    /// What is asked for, as the first line has it.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a Headers,
    pub(crate) body: &'a Body,
}

impl Sending<'_> {
    /// Sends it, and reads the head of what comes back.
    ///
    /// # Errors
    /// When the connection breaks, nothing comes in time, or what comes is no response.
    pub(crate) fn exchange(&self, mut stream: Box<dyn Stream>) -> Result<Answer, HttpError> {
        let sent = self.write(&mut stream);
        let mut reader = BufReader::new(stream);
        // A server may answer before it has everything, and close.
        let head = match (read_head(&mut reader), sent) {
            (Ok(head), _) => head,
            (Err(_), Err(error)) => return Err(error),
            (Err(error), Ok(())) => return Err(error),
        };
        let body = body_of(self.method, &head, reader);
        Ok(Answer { head, body })
    }

    fn write(&self, stream: &mut Box<dyn Stream>) -> Result<(), HttpError> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers.0 {
            if !is_token(name) || value.contains(['\r', '\n', '\0']) {
                return Err(HttpError::Url(format!("Invalid header value of `{name}`")));
            }
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let mut file = None;
        let length = match self.body {
            Body::None => None,
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::File(path) => {
                let opened = File::open(path).map_err(HttpError::Broken)?;
                let length = opened.metadata().map_err(HttpError::Broken)?.len();
                file = Some(opened.take(length));
                Some(length)
            }
        };
        if let Some(length) = length {
            let _ = write!(head, "Content-Length: {length}\r\n");
        }
        head += "Connection: close\r\n\r\n";
        let mut write = || -> io::Result<()> {
            stream.write_all(head.as_bytes())?;
            if let Body::Bytes(bytes) = self.body {
                stream.write_all(bytes)?;
            }
            if let Some(file) = &mut file {
                io::copy(file, stream)?;
            }
            stream.flush()
        };
        write().map_err(HttpError::Broken)
    }
}

/// Whether a word may be the name of a header, or a method.
pub(crate) fn is_token(word: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !word.is_empty() && word.chars().all(is_letter)
}

/// Reads a head, and skips those that only tell that there will be one.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Result<Head, HttpError> {
    loop {
        let head = read_one(reader)?;
        if !(100..200).contains(&head.status) || head.status == 101 {
            return Ok(head);
        }
    }
}

fn read_one(reader: &mut impl BufRead) -> Result<Head, HttpError> {
    let first = read_line(reader)?;
    let bad = || HttpError::BadResponse(first.clone());
    let mut words = first.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    if !version.starts_with("HTTP/1.") {
        return Err(bad());
    }
    let status = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(bad)?;
    let reason = words.next().unwrap_or_default().trim().to_owned();
    let mut headers = Headers::default();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        if headers.0.len() >= HEADER_LIMIT {
            return Err(HttpError::BadResponse("it has too many headers".into()));
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = headers.0.last_mut()
        {
            let _ = write!(value, " {}", line.trim());
        } else if let Some((name, value)) = line.split_once(':') {
            // The blank at the end, if any, is the server's.
            let value = value.trim_start().to_owned();
            headers.0.push((name.trim().to_owned(), value));
        }
    }
    Ok(Head {
        status,
        reason,
        headers,
    })
}

fn read_line(reader: &mut impl BufRead) -> Result<String, HttpError> {
    let mut line = Vec::new();
    reader
        .take(LINE_LIMIT)
        .read_until(b'\n', &mut line)
        .map_err(HttpError::Broken)?;
    if line.pop() != Some(b'\n') {
        let text = String::from_utf8_lossy(&line).into_owned();
        return Err(HttpError::BadResponse(text));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    // Headers are Latin-1 where they are no ASCII.
    Ok(line.into_iter().map(char::from).collect())
}

fn body_of(method: &str, head: &Head, reader: BufReader<Box<dyn Stream>>) -> Box<dyn Read + Send> {
    if method == "HEAD" || matches!(head.status, 100..200 | 204 | 304) {
        return Box::new(io::empty());
    }
    let encoding = head.headers.get("transfer-encoding").unwrap_or_default();
    if encoding.to_ascii_lowercase().contains("chunked") {
        return Box::new(Chunked::new(reader));
    }
    let length = head.headers.get("content-length");
    match length.and_then(|length| length.trim().parse().ok()) {
        Some(left) => Box::new(Sized { reader, left }),
        None => Box::new(UntilClosed(reader)),
    }
}

/// A body that ends with the connection. Servers that speak TLS often forget to say goodbye.
struct UntilClosed(BufReader<Box<dyn Stream>>);

impl Read for UntilClosed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_announcements_skipped() {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a:2 \r\n\r\nrest";
        let head = read_head(&mut text.as_bytes()).expect("a head");
        assert_eq!((head.status, head.reason.as_str()), (404, "Not Found"));
        assert_eq!(head.headers.all("X-a").collect::<Vec<_>>(), ["1", "2 "]);
    }

    #[test]
    fn what_is_no_response_is_an_error() {
        for text in [
            "",
            "SSH-2.0-x\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX",
        ] {
            assert!(read_head(&mut text.as_bytes()).is_err(), "{text}");
        }
        let endless = "HTTP/1.1 200 OK\r\n".to_owned() + &"A: b\r\n".repeat(1000);
        assert!(read_head(&mut endless.as_bytes()).is_err());
    }
}
