//! `password`: a password that is made once and kept in a file of the controller's.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustle_module::py_str;
use rustle_template::{HashSettings, LookupCall, PythonRandom, hash_password};
use rustle_types::Object;
use rustle_types::plan::key_values;
use serde_json::Value;

use super::{ControllerLookups, Found, expand_home, list_option, texts};

const OPTIONS: &[&str] = &["length", "encrypt", "chars", "ident", "seed"];
const LENGTH: usize = 20;
/// The longest that one may be.
const LONGEST: usize = 1_000_000;
const SALT: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./";

impl ControllerLookups {
    /// The password of each file; it is made where the file is not there.
    pub(super) fn password(&self, call: &LookupCall<'_>) -> Found {
        // A thread that panicked while it held this left at worst an unfinished file.
        let _held = self
            .passwords
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let password = |term: &String| {
            let (path, wanted) = Wanted::read(term, &call.options)?;
            let path = self.base_dir.join(expand_home(&path));
            wanted.password(&path).map(Value::String)
        };
        texts(&call.terms).iter().map(password).collect()
    }
}

/// What a password has to be like.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    length: usize,
    encrypt: Option<String>,
    chars: String,
    ident: Option<String>,
    seed: Option<String>,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Wanted {
    /// Takes a term apart: a path, then `name=value` words, which win over the options.
    fn read(term: &str, options: &Object) -> Result<(String, Self), String> {
        let mut options = options.clone();
        let mut path = term.to_owned();
        if let Some((first, rest)) = term.split_once(' ') {
            let mut words = key_values(rest);
            path = match words.shift_remove("_raw_params") {
                None => first.to_owned(),
                Some(more) => format!("{first} {}", py_str(&more)),
            };
            if !term.starts_with(&path) {
                return Err(format!(
                    "`{term}` has a word after its `name=value` parameters"
                ));
            }
            options.extend(words);
        }
        if let Some(unknown) = options
            .keys()
            .find(|name| !OPTIONS.contains(&name.as_str()))
        {
            return Err(format!(
                "`{unknown}` is no parameter; there are {}",
                OPTIONS.join(", ")
            ));
        }
        let text = |name: &str| {
            let given = options.get(name).filter(|value| !value.is_null());
            given.map(py_str).filter(|text| !text.is_empty())
        };
        let length = text("length").map_or(Ok(LENGTH), |text| text.parse().map_err(|_| text));
        let length =
            length.map_err(|text| format!("`length` has to be a whole number, not `{text}`"))?;
        let wanted = Self {
            length: length.min(LONGEST),
            encrypt: text("encrypt"),
            chars: candidates(&options),
            ident: text("ident"),
            seed: text("seed"),
        };
        Ok((path, wanted))
    }

    fn password(&self, path: &Path) -> Result<String, String> {
        let is_kept = path != Path::new("/dev/null");
        let known = if is_kept { read(path)? } else { None };
        let is_new = known.is_none();
        let mut kept = match known {
            Some(kept) => kept,
            None => Kept {
                password: self.make()?,
                salt: None,
                ident: None,
            },
        };
        let has_changed = self.complete(&mut kept)?;
        if is_kept && (is_new || has_changed) {
            write(path, &kept.text())?;
        }
        let Some(kind) = &self.encrypt else {
            return Ok(kept.password);
        };
        let settings = HashSettings {
            salt: kept.salt,
            ident: kept.ident,
            ..HashSettings::default()
        };
        hash_password(&kept.password, kind, &settings)
    }

    fn make(&self) -> Result<String, String> {
        let mut random = match &self.seed {
            Some(seed) => PythonRandom::from_text(seed),
            None => PythonRandom::from_entropy(),
        };
        let chars: Vec<char> = self.chars.chars().collect();
        let drawn = (0..self.length).map(|_| random.choose(&chars).copied());
        let password: Option<String> = drawn.collect();
        password.ok_or_else(|| "`chars` names no characters".into())
    }

    /// Adds what a hash needs; whether something was added.
    fn complete(&self, kept: &mut Kept) -> Result<bool, String> {
        let mut has_changed = false;
        if let (Some(known), Some(wanted)) = (&kept.ident, &self.ident)
            && known != wanted
        {
            return Err(format!(
                "the ident `{wanted}` is not the one in the file, `{known}`"
            ));
        }
        let Some(kind) = self.encrypt.as_deref() else {
            return Ok(false);
        };
        let is_bcrypt = matches!(kind, "bcrypt" | "blowfish");
        if kept.salt.is_none() {
            let length = match kind {
                "bcrypt" | "blowfish" => 22,
                "md5_crypt" | "md5" => 8,
                _ => 16,
            };
            let mut random = PythonRandom::from_entropy();
            let drawn = (0..length).filter_map(|_| random.choose(SALT.as_bytes()).copied());
            kept.salt = Some(drawn.map(char::from).collect());
            has_changed = true;
        }
        if kept.ident.is_none() {
            kept.ident = self
                .ident
                .clone()
                .or_else(|| is_bcrypt.then(|| "2b".to_owned()));
            has_changed |= kept.ident.is_some();
        }
        Ok(has_changed)
    }
}

impl Kept {
    fn parse(content: &str) -> Self {
        let content = content.trim_end();
        let (password, rest) = match content.rsplit_once(" salt=") {
            Some((password, rest)) => (password, Some(rest)),
            None => (content, None),
        };
        let (salt, ident) = match rest.map(|rest| rest.rsplit_once(" ident=").ok_or(rest)) {
            None => (None, None),
            Some(Ok((salt, ident))) => (Some(salt), Some(ident)),
            Some(Err(salt)) => (Some(salt).filter(|salt| !salt.is_empty()), None),
        };
        Self {
            password: password.to_owned(),
            salt: salt.map(str::to_owned),
            ident: ident.map(str::to_owned),
        }
    }

    fn text(&self) -> String {
        let mut text = self.password.clone();
        if let Some(salt) = &self.salt {
            text = format!("{text} salt={salt}");
            if let Some(ident) = &self.ident {
                text = format!("{text} ident={ident}");
            }
        }
        text + "\n"
    }
}

/// The characters that passwords are made of: named sets, and others as they are. Never quotes.
fn candidates(options: &Object) -> String {
    let specs = match options.get("chars") {
        Some(Value::String(text)) => {
            let comma = text.contains(",,").then(|| ",".to_owned());
            let pieces = text.replace(",,", ",");
            let pieces = pieces
                .split(',')
                .filter(|piece| !piece.is_empty())
                .map(str::to_owned);
            comma.into_iter().chain(pieces).collect()
        }
        Some(_) => list_option(options, "chars"),
        None => vec!["ascii_letters".into(), "digits".into(), ".,:-_".into()],
    };
    let lower: String = ('a'..='z').collect();
    let upper: String = ('A'..='Z').collect();
    let digits = "0123456789";
    let punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    let space = " \t\n\r\u{b}\u{c}";
    let all = specs.iter().map(|spec| match spec.as_str() {
        "ascii_lowercase" => lower.clone(),
        "ascii_uppercase" => upper.clone(),
        "ascii_letters" => format!("{lower}{upper}"),
        "digits" => digits.to_owned(),
        "hexdigits" => format!("{digits}abcdefABCDEF"),
        "octdigits" => "01234567".to_owned(),
        "punctuation" => punctuation.to_owned(),
        "whitespace" => space.to_owned(),
        "printable" => format!("{digits}{lower}{upper}{punctuation}{space}"),
        other => other.to_owned(),
    });
    let all: String = all.collect();
    all.replace(['"', '\''], "")
}

fn read(path: &Path) -> Result<Option<Kept>, String> {
    match std::fs::read_to_string(path) {
        Ok(content) => Ok(Some(Kept::parse(&content))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
    }
}

fn write(path: &Path, content: &str) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(wrong)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(wrong)?;
    file.write_all(content.as_bytes()).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(term: &str) -> (String, Wanted) {
        Wanted::read(term, &Object::new()).unwrap()
    }

    #[test]
    fn a_term_is_a_path_and_parameters() {
        let (path, read) = wanted("a b/pw length=5 chars=digits,,x encrypt=sha512_crypt");
        assert_eq!((path.as_str(), read.length), ("a b/pw", 5));
        assert_eq!(
            (read.chars.as_str(), read.encrypt.as_deref()),
            (",0123456789x", Some("sha512_crypt"))
        );
        assert_eq!(wanted("/dev/null").1.chars.len(), 67);
        assert!(Wanted::read("p size=5", &Object::new()).is_err());
    }

    #[test]
    fn a_seed_gives_the_password_that_ansible_gives() {
        let (_, read) = wanted("/dev/null length=12 seed=web1");
        assert_eq!(
            read.password(Path::new("/dev/null")).unwrap(),
            "PHReYru8meWg"
        );
    }

    #[test]
    fn what_is_kept_is_read_back() {
        for text in ["pw\n", "p w salt=abc\n", "pw salt=abc ident=2b\n"] {
            assert_eq!(Kept::parse(text).text(), text);
        }
    }
}
