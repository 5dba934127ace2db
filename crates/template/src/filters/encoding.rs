//! Hashes and encodings.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use md5::Md5;
use minijinja::{Environment, Error, Value};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::arguments::{Arguments, add_all, text};
use crate::error::invalid;
use crate::python::is_map;

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("md5", |value, _| Ok(Value::from(hex::<Md5>(&text(value))))),
            ("sha1", |value, _| {
                Ok(Value::from(hex::<Sha1>(&text(value))))
            }),
            ("checksum", |value, _| {
                Ok(Value::from(hex::<Sha1>(&text(value))))
            }),
            ("hash", |value, args| {
                hashed(&text(value), &args.text_or(0, "hashtype", "sha1"))
            }),
            ("b64encode", encode),
            ("b64decode", decode),
            ("urlencode", urlencode),
            ("urldecode", |value, _| {
                Ok(Value::from(percent_decode(&text(value).replace('+', " "))))
            }),
            ("urlsplit", urlsplit),
            ("to_uuid", to_uuid),
        ],
    );
}

fn hex<D: Digest>(body: &str) -> String {
    D::digest(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn hashed(body: &str, kind: &str) -> Result<Value, Error> {
    Ok(Value::from(match kind {
        "md5" => hex::<Md5>(body),
        "sha1" => hex::<Sha1>(body),
        "sha224" => hex::<Sha224>(body),
        "sha256" => hex::<Sha256>(body),
        "sha384" => hex::<Sha384>(body),
        "sha512" => hex::<Sha512>(body),
        other => return Err(invalid(format!("unknown hash `{other}`"))),
    }))
}

fn encode(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let bytes = to_bytes(&text(value), &args.text_or(0, "encoding", "utf-8"))?;
    Ok(Value::from(if args.flag(1, "urlsafe", false) {
        URL_SAFE.encode(bytes)
    } else {
        STANDARD.encode(bytes)
    }))
}

fn decode(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let compact: String = text(value)
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || "+/-_=".contains(*char))
        .collect();
    let bytes = if args.flag(1, "urlsafe", false) {
        URL_SAFE.decode(compact)
    } else {
        STANDARD.decode(compact)
    };
    let bytes = bytes.map_err(|error| invalid(format!("not base64: {error}")))?;
    from_bytes(bytes, &args.text_or(0, "encoding", "utf-8")).map(Value::from)
}

fn to_bytes(body: &str, encoding: &str) -> Result<Vec<u8>, Error> {
    match encoding.to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "ascii" => Ok(body.as_bytes().to_vec()),
        "utf-16-le" => Ok(body.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf-16-be" => Ok(body.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        "latin-1" | "latin1" | "iso-8859-1" => body
            .chars()
            .map(|char| {
                u8::try_from(u32::from(char)).map_err(|_| invalid("the text does not fit latin-1"))
            })
            .collect(),
        other => Err(invalid(format!(
            "encoding `{other}` is not implemented in rustle-exec"
        ))),
    }
}

fn from_bytes(bytes: Vec<u8>, encoding: &str) -> Result<String, Error> {
    let units = |read: fn([u8; 2]) -> u16| {
        bytes
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]))
            .collect::<Vec<_>>()
    };
    match encoding.to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "ascii" => {
            String::from_utf8(bytes).map_err(|_| invalid("the decoded bytes are not valid UTF-8"))
        }
        "utf-16-le" => String::from_utf16(&units(u16::from_le_bytes))
            .map_err(|_| invalid("the decoded bytes are not valid UTF-16")),
        "utf-16-be" => String::from_utf16(&units(u16::from_be_bytes))
            .map_err(|_| invalid("the decoded bytes are not valid UTF-16")),
        "latin-1" | "latin1" | "iso-8859-1" => Ok(bytes.into_iter().map(char::from).collect()),
        other => Err(invalid(format!(
            "encoding `{other}` is not implemented in rustle-exec"
        ))),
    }
}

fn percent_encode(body: &str, keep: &str) -> String {
    let mut out = String::new();
    for byte in body.bytes() {
        let char = char::from(byte);
        if char.is_ascii_alphanumeric() || "-._~".contains(char) || keep.contains(char) {
            out.push(char);
        } else {
            out.extend(["%".to_owned(), format!("{byte:02X}")]);
        }
    }
    out
}

fn percent_decode(body: &str) -> String {
    let bytes = body.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let code = (bytes[index] == b'%')
            .then(|| bytes.get(index + 1..index + 3))
            .flatten();
        let decoded = code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        out.push(decoded.unwrap_or(bytes[index]));
        index += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn urlencode(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let pair = |key: &Value, item: &Value| {
        let part = |value: &Value| percent_encode(&text(value), "").replace("%20", "+");
        format!("{}={}", part(key), part(item))
    };
    if is_map(value) {
        let pairs: Vec<String> = super::arguments::entries(value)?
            .iter()
            .map(|(key, item)| pair(key, item))
            .collect();
        return Ok(Value::from(pairs.join("&")));
    }
    if super::strings::is_items(value) {
        let mut pairs = Vec::new();
        for item in super::arguments::items(value)? {
            pairs.push(pair(
                &item.get_item_by_index(0)?,
                &item.get_item_by_index(1)?,
            ));
        }
        return Ok(Value::from(pairs.join("&")));
    }
    Ok(Value::from(percent_encode(&text(value), "/")))
}

fn urlsplit(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let url = text(value);
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    };
    let (scheme, rest) = rest
        .split_once(':')
        .filter(|(scheme, _)| is_scheme(scheme))
        .unwrap_or(("", rest));
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let Authority {
        name,
        password,
        host,
        port,
    } = authority(netloc);
    let optional = |part: Option<&str>| part.map_or_else(|| Value::from(()), Value::from);
    let port = match port.filter(|port| !port.is_empty()) {
        None => Value::from(()),
        Some(port) => Value::from(
            port.parse::<u16>()
                .map_err(|_| invalid(format!("`{port}` is no port")))?,
        ),
    };
    let parts = [
        ("fragment", Value::from(fragment)),
        (
            "hostname",
            if host.is_empty() {
                Value::from(())
            } else {
                Value::from(host.to_lowercase())
            },
        ),
        ("netloc", Value::from(netloc)),
        ("password", optional(password)),
        ("path", Value::from(path)),
        ("port", port),
        ("query", Value::from(query)),
        ("scheme", Value::from(scheme.to_lowercase())),
        ("username", optional(name)),
    ];
    match args.text(0, "query").filter(|query| !query.is_empty()) {
        None => Ok(Value::from_pairs(parts)),
        Some(wanted) => parts
            .into_iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, part)| part)
            .ok_or_else(|| invalid(format!("a URL has no part `{wanted}`"))),
    }
}

/// The parts of `user:password@host:port`.
struct Authority<'u> {
    name: Option<&'u str>,
    password: Option<&'u str>,
    host: &'u str,
    port: Option<&'u str>,
}

fn authority(netloc: &str) -> Authority<'_> {
    let (user, host) = netloc
        .rsplit_once('@')
        .map_or((None, netloc), |(user, host)| (Some(user), host));
    let (name, password) = user.map_or((None, None), |user| {
        user.split_once(':')
            .map_or((Some(user), None), |(a, b)| (Some(a), Some(b)))
    });
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, rest)) => (inner, rest.strip_prefix(':')),
        None => host
            .split_once(':')
            .map_or((host, None), |(host, port)| (host, Some(port))),
    };
    Authority {
        name,
        password,
        host,
        port,
    }
}

/// A version 5 UUID in Ansible's name space, or another.
fn to_uuid(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let space = args.text_or(0, "namespace", "361E6D51-FAEC-444A-9079-341386DA8E2E");
    let digits: String = space.chars().filter(char::is_ascii_hexdigit).collect();
    let number = u128::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| digits.len() == 32);
    let number = number.ok_or_else(|| invalid(format!("`{space}` is no UUID")))?;
    let mut hasher = Sha1::new();
    hasher.update(number.to_be_bytes());
    hasher.update(text(value).as_bytes());
    let digest = hasher.finalize();
    let mut hex: Vec<u8> = digest.iter().take(16).copied().collect();
    hex[6] = (hex[6] & 0x0f) | 0x50;
    hex[8] = (hex[8] & 0x3f) | 0x80;
    let text: String = hex.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Value::from(format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )))
}
