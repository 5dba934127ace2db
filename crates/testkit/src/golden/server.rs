//! The server that cases about the web ask: the answers of the one that the recordings were made with.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

const BODY: &[u8] = b"hello world\n";
const MODIFIED: &str = "Thu, 02 Jan 2020 00:00:00 GMT";
const SUM_OF_BODY: &str = "22596363b3de40b06f981fb85d82312e8c0ed511";

/// User and password `u` and `pw-sekret`, as a header has them.
const LOGIN: &str = "Basic dTpwdy1zZWtyZXQ=";

/// `BODY` packed by gzip.
const PACKED: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0x28, 0xcf, 0x2f, 0xca,
    0x49, 0xe1, 2, 0, 0x2d, 0x3b, 8, 0xaf, 12, 0, 0, 0,
];

/// A server on a port of its own, until the test ends.
pub(super) struct Server {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                std::thread::spawn(move || answer(stream, &log));
            }
        });
        Self { port, asked }
    }

    /// What was asked since the last call.
    pub(super) fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut *self.asked.lock().expect("no thread panics with it"))
    }
}

struct Asked {
    method: String,
    path: String,
    headers: Map<String, Value>,
    body: String,
}

struct Reply {
    status: u16,
    kind: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            kind: Some("text/plain"),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn answer(mut stream: TcpStream, log: &Mutex<Vec<Value>>) {
    let Some(asked) = read(&mut stream) else {
        return;
    };
    let entry = json!({"method": asked.method, "path": asked.path, "headers": asked.headers, "body": asked.body});
    log.lock().expect("no thread panics with it").push(entry);
    if asked.path == "/slow" {
        // Nothing comes until the asker has run out of patience, and closes.
        let _ = stream.read(&mut [0]);
        return;
    }
    let reply = reply_to(&asked);
    let reason = match reply.status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        304 => "Not Modified",
        401 => "Unauthorized",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    };
    let has_body = !matches!(reply.status, 204 | 304);
    let mut head = format!(
        "HTTP/1.1 {} {reason}\r\nServer: golden \r\nDate: {MODIFIED}\r\n",
        reply.status
    );
    for (name, value) in reply
        .kind
        .map(|kind| ("Content-Type", kind.to_owned()))
        .into_iter()
        .chain(reply.headers)
    {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if has_body {
        let _ = write!(head, "Content-Length: {}\r\n", reply.body.len());
    }
    head += "\r\n";
    // Whoever asked may be gone by now.
    let _ = stream.write_all(head.as_bytes());
    if has_body && asked.method != "HEAD" {
        let _ = stream.write_all(&reply.body);
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let pairs = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers: Map<String, Value> = pairs
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let length = headers.get("Content-Length").and_then(Value::as_str);
    let mut body = vec![0; length.and_then(|text| text.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn reply_to(asked: &Asked) -> Reply {
    let path = asked.path.split('?').next().unwrap_or_default();
    match path {
        "/file.txt" if asked.headers.contains_key("If-Modified-Since") && is_new(asked) => Reply {
            kind: None,
            ..Reply::new(304, "")
        },
        "/file.txt" => Reply::new(200, BODY)
            .header("Last-Modified", MODIFIED)
            .header("ETag", "\"abc\""),
        "/disp" => Reply::new(200, BODY)
            .header("Content-Disposition", "attachment; filename=\"named.txt\""),
        "/SHA1SUMS" => Reply::new(
            200,
            format!("{SUM_OF_BODY}  file.txt\n{}  other\n", "0".repeat(40)),
        ),
        "/json" => Reply::new(200, r#"{"a": 1, "b": [true, null, "x"]}"#).kind("application/json"),
        "/badjson" => Reply::new(200, "{nope").kind("application/json"),
        "/latin1" => Reply::new(200, *b"caf\xe9").kind("text/plain; charset=iso-8859-1"),
        "/gzip" => Reply::new(200, PACKED).header("Content-Encoding", "gzip"),
        "/cookies" => Reply::new(200, BODY)
            .header("Set-Cookie", "a=1; Path=/")
            .header("Set-Cookie", "b=2; Path=/")
            .header("X-Dup", "1")
            .header("X-Dup", "2"),
        "/echo" => Reply::new(200, echo(asked)).kind("application/json"),
        "/redirect" => Reply::new(302, "").header("Location", "/file.txt"),
        "/loop" => Reply::new(302, "").header("Location", "/loop"),
        "/auth"
            if asked
                .headers
                .get("Authorization")
                .is_some_and(|login| login == LOGIN) =>
        {
            Reply::new(200, "in\n")
        }
        "/auth" => Reply::new(401, "no\n").header("WWW-Authenticate", "Basic realm=\"r\""),
        path => match path
            .strip_prefix("/status/")
            .and_then(|code| code.parse().ok())
        {
            Some(status) => Reply::new(status, "status\n"),
            None => Reply::new(404, "none\n"),
        },
    }
}

/// Whether what the asker has is of 2020 or later.
fn is_new(asked: &Asked) -> bool {
    let since = asked.headers["If-Modified-Since"]
        .as_str()
        .unwrap_or_default();
    let year = since.split(' ').nth(3).and_then(|year| year.parse().ok());
    year.is_some_and(|year: u32| year >= 2020)
}

fn echo(asked: &Asked) -> String {
    let text = |value: &str| Value::from(value).to_string();
    let kind = asked.headers.get("Content-Type").unwrap_or(&Value::Null);
    let further: Vec<String> = asked
        .headers
        .iter()
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-"))
        .map(|(name, value)| format!("{}: {value}", text(name)))
        .collect();
    format!(
        "{{\"method\": {}, \"body\": {}, \"ct\": {kind}, \"x\": {{{}}}}}",
        text(&asked.method),
        text(&asked.body),
        further.join(", ")
    )
}
