//! Bodies of requests: JSON, forms, and forms with files.

use std::fmt::Write as _;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustle_module::{Attached, Failure, Target, py_json, py_str, random_name};
use serde_json::Value;

use crate::os_error::describe;

/// How long the lines of encoded files are.
const LINE: usize = 76;

/// Types of files by the ends of their names.
const TYPES: &[(&str, &str)] = &[
    ("bz2", "application/x-bzip2"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("py", "text/x-python"),
    ("sh", "application/x-sh"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("txt", "text/plain"),
    ("xml", "text/xml"),
    ("zip", "application/zip"),
];

/// Text as it is; other values as JSON.
pub(super) fn json_body(body: &Value) -> String {
    match body {
        Value::String(text) => text.clone(),
        other => py_json(other),
    }
}

/// Pairs of a form in one line.
///
/// # Errors
/// When it is neither text nor pairs.
pub(super) fn url_encoded(body: &Value) -> Result<String, Failure> {
    let pairs: Vec<(String, &Value)> = match body {
        Value::String(text) => return Ok(text.clone()),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items.iter().map(pair).collect::<Result<_, _>>()?,
        Value::Null => return Ok(String::new()),
        other => return Ok(py_str(other)),
    };
    let mut words = Vec::new();
    for (name, value) in pairs {
        let values = match value {
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        for value in values.into_iter().filter(|value| !value.is_null()) {
            words.push(format!("{}={}", quoted(&name), quoted(&py_str(value))));
        }
    }
    Ok(words.join("&"))
}

fn pair(item: &Value) -> Result<(String, &Value), Failure> {
    match item.as_array().map(Vec::as_slice) {
        Some([name, value]) => Ok((py_str(name), value)),
        _ => Err(Failure::new(
            "failed to parse body as form_urlencoded: a list needs pairs of a name and a value",
        )
        .with("elapsed", 0)),
    }
}

/// A word of a form: blanks are plus signs, and whatever is not plain has a percent sign.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => quoted.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) => {
                quoted.push(char::from(byte));
            }
            byte => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "%{byte:02X}");
            }
        }
    }
    quoted
}

/// A form of parts, some of them files: its type with the boundary, and its bytes.
///
/// # Errors
/// When it is no mapping, a part is not what one can be, or a file cannot be read.
pub(super) async fn multipart(
    target: &dyn Target,
    body: &Value,
) -> Result<(String, Vec<u8>), Failure> {
    let bad = |why: &str| Failure::new(format!("failed to parse body as form-multipart: {why}"));
    let Value::Object(fields) = body else {
        return Err(bad(&format!(
            "Mapping is required, cannot be type {}",
            rustle_module::py_type(body)
        )));
    };
    let unique = random_name().map_err(|error| bad(&error.to_string()))?;
    let boundary = format!("rustle-{unique}{unique}");
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| name.as_str());
    let mut bytes = Vec::new();
    for (name, value) in fields {
        let part = Part::read(target, value)
            .await
            .map_err(|error| bad(&error.msg))?;
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        bytes.extend(part.into_bytes(name));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((
        format!("multipart/form-data; boundary=\"{boundary}\""),
        bytes,
    ))
}

/// One part of a form.
struct Part {
    file_name: Option<String>,
    mime_type: String,
    content: Vec<u8>,
    is_base64: bool,
}

impl Part {
    async fn read(target: &dyn Target, value: &Value) -> Result<Self, Failure> {
        let Value::Object(fields) = value else {
            return Self::plain(value);
        };
        let text = |name: &str| {
            let value = fields.get(name).filter(|value| !value.is_null());
            value.map(py_str)
        };
        let is_base64 = match text("multipart_encoding").as_deref() {
            None | Some("base64") => true,
            Some("7or8bit") => false,
            Some(other) => {
                return Err(Failure::new(format!(
                    "multipart_encoding must be one of base64, 7or8bit, got: {other}"
                )));
            }
        };
        let path = text("filename");
        let (content, is_base64) = match text("content") {
            Some(content) => (content.into_bytes(), false),
            None => {
                let attached = fields.get("_attachment");
                (
                    read_file(target, path.as_deref(), attached).await?,
                    is_base64,
                )
            }
        };
        let name_of = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
        let file_name = path.map(name_of);
        let guessed = file_name.as_deref().and_then(type_of);
        let guessed = guessed.unwrap_or("application/octet-stream");
        Ok(Self {
            mime_type: text("mime_type").unwrap_or_else(|| guessed.to_owned()),
            file_name,
            content,
            is_base64,
        })
    }

    fn plain(value: &Value) -> Result<Self, Failure> {
        if value.is_array() || value.is_null() {
            return Err(Failure::new("value must be a string, or mapping"));
        }
        Ok(Self {
            file_name: None,
            mime_type: "text/plain".into(),
            content: py_str(value).into_bytes(),
            is_base64: false,
        })
    }

    fn into_bytes(self, name: &str) -> Vec<u8> {
        // A name must not end its own header.
        let safe = |text: &str| {
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace(['\r', '\n'], " ")
        };
        let mut head = String::new();
        if self.is_base64 {
            head += "Content-Transfer-Encoding: base64\r\n";
        }
        let _ = write!(
            head,
            "Content-Type: {}\r\n",
            self.mime_type.replace(['\r', '\n'], " ")
        );
        let name = safe(name);
        let _ = write!(head, "Content-Disposition: form-data; name=\"{name}\"");
        if let Some(file_name) = &self.file_name {
            let file_name = safe(file_name);
            let _ = write!(head, "; filename=\"{file_name}\"");
        }
        head += "\r\n\r\n";
        let mut bytes = head.into_bytes();
        if !self.is_base64 {
            bytes.extend(self.content);
            return bytes;
        }
        for line in STANDARD.encode(self.content).as_bytes().chunks(LINE) {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }
}

/// The content of a part that is a file: the controller's, or one of this machine.
async fn read_file(
    target: &dyn Target,
    path: Option<&str>,
    attached: Option<&Value>,
) -> Result<Vec<u8>, Failure> {
    let Some(attached) = attached else {
        let none = || Failure::new("at least one of filename or content must be provided");
        let path = path.ok_or_else(none)?;
        return fs::read(path).map_err(|error| Failure::new(describe(&error, path)));
    };
    let attached: Attached = serde_json::from_value(attached.clone())
        .map_err(|error| Failure::new(error.to_string()))?;
    let mut content = Vec::new();
    let mut keep = |bytes: &[u8]| {
        content.extend_from_slice(bytes);
        Ok(())
    };
    attached.stream(target, &mut keep).await?;
    Ok(content)
}

fn type_of(name: &str) -> Option<&'static str> {
    let (_, end) = name.rsplit_once('.')?;
    let end = end.to_ascii_lowercase();
    let found = TYPES.iter().find(|(known, _)| *known == end);
    found.map(|(_, mime_type)| *mime_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_are_encoded_as_browsers_do() {
        for (body, expected) in [
            (json!({"a": "1", "b": "x y&z", "c": null}), "a=1&b=x+y%26z"),
            (json!([["a", 1], ["a", [2, true]]]), "a=1&a=2&a=True"),
            (json!("a=b"), "a=b"),
            (json!({"é": "~"}), "%C3%A9=~"),
        ] {
            assert_eq!(url_encoded(&body).expect("a form"), expected);
        }
        assert!(url_encoded(&json!([1])).is_err());
    }

    #[test]
    fn parts_cannot_end_their_own_headers() {
        let part = Part {
            file_name: Some("a\"\r\nX: y".into()),
            mime_type: "text/plain".into(),
            content: b"c".to_vec(),
            is_base64: false,
        };
        let text = String::from_utf8(part.into_bytes("n\r\n")).expect("text");
        let expected = "Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"n  \"; filename=\"a\\\"  X: y\"\r\n\r\nc";
        assert_eq!(text, expected);
    }
}
