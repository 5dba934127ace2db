//! The module `deb822_repository`: repositories of apt in the form of fields, a file each.

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::path_info::add_path_info;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
    py_str, random_name,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{fetch, files};

const KEYRINGS: &str = "/etc/apt/keyrings";
const ARMOR: &str = "-----BEGIN PGP";

/// The module `deb822_repository`.
pub(crate) struct Deb822Repository;

/// The arguments of `deb822_repository`; fields of the repository are what is left.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    mode: Value,
    state: String,
    name: String,
    signed_by: Option<String>,
    #[serde(flatten)]
    fields: Object,
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool)
}

const fn list(name: &'static str) -> Opt {
    Opt::new(name, Type::List(&Type::Str))
}

const OPTIONS: &[Opt] = &[
    flag("allow_downgrade_to_insecure"),
    flag("allow_insecure"),
    flag("allow_weak"),
    list("architectures"),
    flag("by_hash"),
    flag("check_date"),
    flag("check_valid_until"),
    list("components"),
    Opt::new("date_max_future", Type::Int),
    flag("enabled"),
    Opt::new("inrelease_path", Type::Str),
    list("languages"),
    Opt::new("mode", Type::Raw).default(Default::Str("0644")),
    Opt::new("name", Type::Str).required(),
    flag("pdiffs"),
    Opt::new("signed_by", Type::Str),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    list("suites"),
    list("targets"),
    flag("trusted"),
    list("types")
        .default(Default::List(&["deb"]))
        .choices(&["deb", "deb-src"]),
    list("uris"),
];

/// A key that was fetched: where it shall be, and what it is.
struct Key {
    path: String,
    bytes: Vec<u8>,
}

/// What was found.
pub(crate) struct Found {
    content: Option<String>,
    key: Option<Key>,
    is_changed: bool,
    /// What is told of the file that is there.
    described: Object,
}

#[async_trait]
impl Module for Deb822Repository {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("deb822_repository", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        let path = args.path();
        let mut described = Object::new();
        add_path_info(target, &mut described, &path).await;
        if args.state == "absent" {
            let is_changed = Path::new(&path).exists() || Path::new(&args.keyring("gpg")).exists();
            return Ok(Found {
                content: None,
                key: None,
                is_changed,
                described,
            });
        }
        let (signed_by, key) = args.signature(target).await?;
        let content = args.content(signed_by.as_deref());
        let has_new_key = key
            .as_ref()
            .is_some_and(|key| fs::read(&key.path).ok().as_ref() != Some(&key.bytes));
        let is_changed = has_new_key
            || files::read(&path)? != content
            || files::differ(target, &path, &args.attributes()).await?;
        Ok(Found {
            content: Some(content),
            key,
            is_changed,
            described,
        })
    }

    fn diff(&self, args: &Args, found: &Found, _mode: Mode) -> Verdict {
        let mut result = args.result(found);
        result.extend(found.described.clone());
        let output = Output::new(result);
        Verdict::change_if(found.is_changed, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        let path = args.path();
        let Some(content) = &found.content else {
            files::remove(&path)?;
            for ending in ["gpg", "asc"] {
                files::remove(&args.keyring(ending))?;
            }
            return Ok(Output::new(args.result(&found)));
        };
        if let Some(key) = &found.key {
            put_key(key)?;
        }
        if files::read(&path)? != *content {
            files::write(&path, content)?;
        }
        files::settle(target, &path, &args.attributes()).await?;
        let mut result = args.result(&found);
        add_path_info(target, &mut result, &path).await;
        Ok(Output::new(result))
    }
}

fn put_key(key: &Key) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("Problems writing to {}: {error}", key.path));
    fs::create_dir_all(KEYRINGS).map_err(failed)?;
    let staged = format!("{}.{}", key.path, random_name().map_err(failed)?);
    fs::write(&staged, &key.bytes).map_err(failed)?;
    fs::rename(&staged, &key.path).map_err(failed)
}

impl Args {
    /// The name as part of a file's name.
    fn slug(&self) -> String {
        let words = self
            .name
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words: Vec<String> = words
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        words.join("-")
    }

    fn path(&self) -> String {
        format!("/etc/apt/sources.list.d/{}.sources", self.slug())
    }

    fn keyring(&self, ending: &str) -> String {
        format!("{KEYRINGS}/{}.{ending}", self.slug())
    }

    fn attributes(&self) -> Object {
        Object::from_iter([("mode".to_owned(), self.mode.clone())])
    }

    /// What stands in `Signed-By`, and the key that is to be put there, where it comes from the net.
    async fn signature(
        &self,
        target: &dyn Target,
    ) -> Result<(Option<String>, Option<Key>), Failure> {
        let Some(signed_by) = &self.signed_by else {
            return Ok((None, None));
        };
        let is_remote = signed_by.starts_with("http://") || signed_by.starts_with("https://");
        if !is_remote {
            return Ok((Some(signed_by.clone()), None));
        }
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format!("Could not fetch signed_by key: {error}"))
        };
        let name = random_name().map_err(|error| failed(&error))?;
        let fetched = target.temp_dir().join(format!("{name}.key"));
        let done = fetch::to_file(target, signed_by, &fetched.to_string_lossy()).await;
        let bytes = done
            .map_err(|error| failed(&error))
            .and_then(|()| fs::read(&fetched).map_err(|error| failed(&error)));
        // It was read, or is of no use.
        let _ignored = fs::remove_file(&fetched);
        let bytes = bytes?;
        let is_armored = bytes
            .windows(ARMOR.len())
            .any(|text| text == ARMOR.as_bytes());
        let path = self.keyring(if is_armored { "asc" } else { "gpg" });
        Ok((Some(path.clone()), Some(Key { path, bytes })))
    }

    /// The file: fields sorted by the names of their options.
    fn content(&self, signed_by: Option<&str>) -> String {
        let mut options: Vec<(&str, String)> = vec![("name", self.name.clone())];
        options.extend(signed_by.map(|text| ("signed_by", lines(text))));
        let fields = self.fields.iter().filter(|(_, value)| !value.is_null());
        options.extend(fields.map(|(name, value)| (name.as_str(), field(value))));
        options.sort();
        let lines = options.into_iter().map(|(name, value)| {
            let between = if value.starts_with('\n') { "" } else { " " };
            format!("{}:{between}{value}\n", field_name(name))
        });
        lines.collect()
    }

    fn result(&self, found: &Found) -> Object {
        let key_filename = match (&found.content, &found.key, &self.signed_by) {
            (None, _, _) => Some(self.keyring("gpg")),
            (_, Some(key), _) => Some(key.path.clone()),
            (_, None, Some(signed_by)) if signed_by.contains("://") => Some(signed_by.clone()),
            _ => None,
        };
        Object::from_iter([
            ("repo".to_owned(), found.content.clone().into()),
            ("dest".to_owned(), self.path().into()),
            ("key_filename".to_owned(), key_filename.into()),
        ])
    }
}

/// The name of an option as a field.
fn field_name(option: &str) -> String {
    match option {
        "name" => return "X-Repolib-Name".to_owned(),
        "uris" => return "URIs".to_owned(),
        _ => {}
    }
    let words = option.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect::<Vec<_>>().join("-")
}

fn field(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(py_str).collect();
            items.join(" ")
        }
        other => py_str(other),
    }
}

/// A text of several lines as a field has it: each on a line of its own, a dot for one that is empty.
fn lines(text: &str) -> String {
    if !text.trim_end().contains('\n') {
        return text.to_owned();
    }
    let lines = text.trim_end().lines().map(|line| {
        let line = if line.trim().is_empty() { "." } else { line };
        format!("\n    {line}")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_fields() {
        assert_eq!(
            field_name("allow_downgrade_to_insecure"),
            "Allow-Downgrade-To-Insecure"
        );
        assert_eq!(field_name("uris"), "URIs");
        assert_eq!(field(&serde_json::json!(["a", "b"])), "a b");
        assert_eq!(lines("one"), "one");
        assert_eq!(lines("one\n\ntwo\n"), "\n    one\n    .\n    two");
    }
}
