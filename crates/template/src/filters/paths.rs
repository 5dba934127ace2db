//! File names as text. Nothing here looks at a disk.

use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, items, text};
use crate::error::invalid;
use crate::python::is_list;

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("basename", |value, _| {
                Ok(Value::from(split(&text(value)).1))
            }),
            ("dirname", |value, _| Ok(Value::from(split(&text(value)).0))),
            ("splitext", |value, _| Ok(extension(&text(value)))),
            ("path_join", path_join),
            ("relpath", relpath),
            ("normpath", |value, _| {
                Ok(Value::from(normal_path(&text(value))))
            }),
            ("commonpath", commonpath),
            ("win_basename", |value, _| {
                Ok(Value::from(win_split(&text(value)).1))
            }),
            ("win_dirname", |value, _| {
                Ok(Value::from(win_split(&text(value)).0))
            }),
            ("win_splitdrive", |value, _| Ok(win_drive(&text(value)))),
        ],
    );
}

fn split(path: &str) -> (String, String) {
    let at = path.rfind('/').map_or(0, |slash| slash + 1);
    let (head, tail) = path.split_at(at);
    let trimmed = head.trim_end_matches('/');
    (
        if trimmed.is_empty() { head } else { trimmed }.to_owned(),
        tail.to_owned(),
    )
}

fn extension(path: &str) -> Value {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    let dots = path[start..].len() - path[start..].trim_start_matches('.').len();
    let at = path[start + dots..]
        .rfind('.')
        .map_or(path.len(), |dot| start + dots + dot);
    [&path[..at], &path[at..]]
        .into_iter()
        .map(Value::from)
        .collect()
}

fn path_join(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let parts = if is_list(value) {
        items(value)?.iter().map(text).collect()
    } else {
        vec![text(value)]
    };
    let mut joined = String::new();
    for (index, part) in parts.iter().enumerate() {
        if part.starts_with('/') {
            joined = part.clone();
        } else {
            if index > 0 && !joined.is_empty() && !joined.ends_with('/') {
                joined.push('/');
            }
            joined += part;
        }
    }
    Ok(Value::from(joined))
}

/// A path without `.`, `..` and doubled slashes.
#[must_use]
pub fn normal_path(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let slashes = path.len() - path.trim_start_matches('/').len();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
    {
        if part != ".." || (root.is_empty() && parts.last().is_none_or(|last| *last == "..")) {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let out = format!("{root}{}", parts.join("/"));
    if out.is_empty() { ".".to_owned() } else { out }
}

fn relpath(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let path = text(value);
    let Some(start) = args.text(0, "start") else {
        return Err(invalid(
            "relpath needs the folder to start from: there is no working folder here",
        ));
    };
    if path.starts_with('/') != start.starts_with('/') {
        return Err(invalid(
            "relpath of an absolute and a relative path: there is no working folder here",
        ));
    }
    let (path, start) = (normal_path(&path), normal_path(&start));
    let pieces = |path: &str| {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (path, start) = (pieces(&path), pieces(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", start.len() - common);
    let parts: Vec<&str> = up
        .chain(path[common..].iter().map(String::as_str))
        .collect();
    Ok(Value::from(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }))
}

fn commonpath(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let paths: Vec<String> = items(value)?.iter().map(text).collect();
    let Some(first) = paths.first() else {
        return Err(invalid("commonpath of no paths"));
    };
    if paths
        .iter()
        .any(|path| path.starts_with('/') != first.starts_with('/'))
    {
        return Err(invalid("commonpath of absolute and relative paths"));
    }
    let pieces = |path: &str| {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut common = pieces(first);
    for path in &paths[1..] {
        let other = pieces(path);
        let same = common
            .iter()
            .zip(&other)
            .take_while(|(a, b)| a == b)
            .count();
        common.truncate(same);
    }
    let root = if first.starts_with('/') { "/" } else { "" };
    Ok(Value::from(format!("{root}{}", common.join("/"))))
}

fn win_split(path: &str) -> (String, String) {
    let (drive, rest) = drive_of(path);
    let at = rest.rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    let (head, tail) = rest.split_at(at);
    let trimmed = head.trim_end_matches(['/', '\\']);
    (
        format!("{drive}{}", if trimmed.is_empty() { head } else { trimmed }),
        tail.to_owned(),
    )
}

fn drive_of(path: &str) -> (&str, &str) {
    if path.as_bytes().get(1) == Some(&b':') && path.is_char_boundary(2) {
        return path.split_at(2);
    }
    ("", path)
}

fn win_drive(path: &str) -> Value {
    let (drive, rest) = drive_of(path);
    [drive, rest].into_iter().map(Value::from).collect()
}
