//! The module `apt_repository`: lines of apt's lists of sources.

use std::fs;
use std::time::Duration;

use async_trait::async_trait;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::apt::cache;
use crate::files;

const MAIN: &str = "/etc/apt/sources.list";
const FOLDER: &str = "/etc/apt/sources.list.d";

/// How long others may hold the lock of the lists.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// The module `apt_repository`.
pub(crate) struct AptRepository;

/// The arguments of `apt_repository`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    codename: Option<String>,
    filename: Option<String>,
    mode: Value,
    repo: String,
    state: String,
    update_cache: bool,
    update_cache_retries: u32,
    update_cache_retry_max_delay: u64,
}

const OPTIONS: &[Opt] = &[
    Opt::new("codename", Type::Str),
    Opt::new("filename", Type::Str),
    // There is no module of Python's to be installed; it is taken and means nothing.
    Opt::new("install_python_apt", Type::Bool).default(Default::Bool(true)),
    Opt::new("mode", Type::Raw),
    Opt::new("repo", Type::Str).required(),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("update_cache", Type::Bool)
        .default(Default::Bool(true))
        .aliases(&["update-cache"]),
    Opt::new("update_cache_retries", Type::Int).default(Default::Int(5)),
    Opt::new("update_cache_retry_max_delay", Type::Int).default(Default::Int(12)),
    Opt::new("validate_certs", Type::Bool).default(Default::Bool(true)),
];

/// The files of sources before and after.
#[derive(Default)]
pub(crate) struct Found {
    before: Vec<SourceFile>,
    after: Vec<SourceFile>,
}

/// A file of sources.
#[derive(Clone, PartialEq, Eq, Debug)]
struct SourceFile {
    path: String,
    lines: Vec<Line>,
}

/// A line, and the source in it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    text: String,
    source: Option<Source>,
}

/// A source, with what stands around it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Source {
    /// The words of it, one space between two.
    words: String,
    is_enabled: bool,
    comment: String,
}

#[async_trait]
impl Module for AptRepository {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("apt_repository", OPTIONS);

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        let wanted = args.source()?;
        let before = read_all()?;
        let mut after = before.clone();
        if args.state == "present" {
            if !enable(&mut after, &wanted) {
                add(&mut after, args.path(&wanted), &wanted);
            }
        } else {
            remove(&mut after, &wanted);
        }
        Ok(Found { before, after })
    }

    fn diff(&self, args: &Args, found: &Found, mode: Mode) -> Verdict {
        let output = Output::new(args.result(found, mode));
        Verdict::change_if(found.before != found.after, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        change: Change,
    ) -> Result<Output, Failure> {
        for file in found.changed() {
            put(file)?;
            let is_new = !found.before.iter().any(|before| before.path == file.path);
            if is_new && !args.mode.is_null() {
                let mode = Object::from_iter([("mode".to_owned(), args.mode.clone())]);
                files::settle(target, &file.path, &mode).await?;
            }
        }
        if args.update_cache {
            let (retries, delay) = (args.update_cache_retries, args.update_cache_retry_max_delay);
            if let Err(failure) = cache::update(target, retries, delay, LOCK_TIMEOUT).await {
                found.revert()?;
                return Err(failure);
            }
        }
        Ok(change.predicted)
    }
}

impl Found {
    /// The files that are to be written, or without lines to be removed.
    fn changed(&self) -> impl Iterator<Item = &SourceFile> {
        self.after.iter().filter(|file| !self.before.contains(file))
    }

    /// Puts everything back: lists that cannot be fetched would break whatever is done next.
    fn revert(&self) -> Result<(), Failure> {
        for file in self.changed() {
            match self.before.iter().find(|before| before.path == file.path) {
                Some(before) => put(before)?,
                None => files::remove(&file.path)?,
            }
        }
        Ok(())
    }
}

fn put(file: &SourceFile) -> Result<(), Failure> {
    if file.lines.is_empty() {
        return files::remove(&file.path);
    }
    files::write(&file.path, &file.content())
}

impl Args {
    /// The source that is meant.
    fn source(&self) -> Result<Source, Failure> {
        let invalid = || Failure::new(format!("Invalid repository string: {}", self.repo));
        if let Some(name) = self.repo.strip_prefix("ppa:") {
            return self.ppa(name);
        }
        let source = parse_source(self.repo.trim()).ok_or_else(invalid)?;
        Ok(Source {
            is_enabled: true,
            ..source
        })
    }

    /// The source of a personal archive of Launchpad's.
    fn ppa(&self, name: &str) -> Result<Source, Failure> {
        let codename = self.codename.clone().or_else(codename);
        let codename = codename.ok_or_else(|| {
            Failure::new("cannot tell the codename of this system; name it by `codename`")
        })?;
        let (owner, name) = name.split_once('/').unwrap_or((name, "ppa"));
        let words = format!("deb http://ppa.launchpad.net/{owner}/{name}/ubuntu {codename} main");
        Ok(Source {
            words,
            is_enabled: true,
            comment: String::new(),
        })
    }

    /// The file that a new source goes to.
    fn path(&self, source: &Source) -> String {
        match &self.filename {
            Some(name) if name.starts_with('/') => format!("{name}.list"),
            Some(name) => format!("{FOLDER}/{name}.list"),
            None => format!("{FOLDER}/{}.list", suggested_name(&source.words)),
        }
    }

    fn result(&self, found: &Found, mode: Mode) -> Object {
        let is_there = |files: &[SourceFile], path: &str| {
            files
                .iter()
                .any(|file| file.path == path && !file.lines.is_empty())
        };
        let added: Vec<&SourceFile> = found
            .after
            .iter()
            .filter(|file| !is_there(&found.before, &file.path) && !file.lines.is_empty())
            .collect();
        let removed: Vec<&SourceFile> = found
            .before
            .iter()
            .filter(|file| !is_there(&found.after, &file.path))
            .collect();
        let paths = |files: &[&SourceFile]| -> Vec<String> {
            files.iter().map(|file| file.path.clone()).collect()
        };
        let mut diff = Vec::new();
        if mode.diff {
            diff.extend(added.iter().map(|file| {
                json!({
                    "before": "",
                    "after": file.content(),
                    "before_header": "/dev/null",
                    "after_header": file.path,
                })
            }));
            diff.extend(removed.iter().map(|file| {
                json!({
                    "before": file.content(),
                    "after": "",
                    "before_header": file.path,
                    "after_header": "/dev/null",
                })
            }));
        }
        Object::from_iter([
            ("repo".to_owned(), self.repo.as_str().into()),
            ("sources_added".to_owned(), paths(&added).into()),
            ("sources_removed".to_owned(), paths(&removed).into()),
            ("state".to_owned(), self.state.as_str().into()),
            ("diff".to_owned(), diff.into()),
        ])
    }
}

/// The codename of this system (`bookworm`).
fn codename() -> Option<String> {
    let release = fs::read_to_string("/etc/os-release").ok()?;
    let line = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(line.trim_matches('"').to_owned())
}

fn read_all() -> Result<Vec<SourceFile>, Failure> {
    let mut paths = vec![MAIN.to_owned()];
    let mut more: Vec<String> = fs::read_dir(FOLDER)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .filter(|path| path.ends_with(".list"))
        .collect();
    more.sort();
    paths.extend(more);
    let files = paths
        .into_iter()
        .map(|path| SourceFile::parse(&files::read(&path)?, path));
    files.collect()
}

impl SourceFile {
    fn parse(content: &str, path: String) -> Result<Self, Failure> {
        let lines = content.lines().map(|line| Line {
            text: line.to_owned(),
            source: parse_source(line.trim()),
        });
        Ok(Self {
            path,
            lines: lines.collect(),
        })
    }

    fn content(&self) -> String {
        self.lines
            .iter()
            .map(|line| format!("{}\n", line.text))
            .collect()
    }
}

/// Reads a source, which may stand behind a `#` and in front of one.
fn parse_source(line: &str) -> Option<Source> {
    let is_enabled = !line.starts_with('#');
    let line = line.trim_start_matches(['#', ' ', '\t']);
    let (source, comment) = line.split_once('#').unwrap_or((line, ""));
    let words: Vec<&str> = source.split_whitespace().collect();
    if !matches!(words.first(), Some(&("deb" | "deb-src"))) || words.len() < 3 {
        return None;
    }
    Some(Source {
        words: words.join(" "),
        is_enabled,
        comment: comment.trim().to_owned(),
    })
}

/// Enables the source wherever it stands; tells whether it stands somewhere.
fn enable(files: &mut [SourceFile], wanted: &Source) -> bool {
    let mut is_there = false;
    for line in files.iter_mut().flat_map(|file| &mut file.lines) {
        let Some(source) = &mut line.source else {
            continue;
        };
        if source.words == wanted.words {
            is_there = true;
            if !source.is_enabled {
                source.is_enabled = true;
                line.text.clone_from(&source.words);
            }
        }
    }
    is_there
}

fn add(files: &mut Vec<SourceFile>, path: String, wanted: &Source) {
    let line = Line {
        text: wanted.words.clone(),
        source: Some(wanted.clone()),
    };
    match files.iter_mut().find(|file| file.path == path) {
        Some(file) => file.lines.push(line),
        None => files.push(SourceFile {
            path,
            lines: vec![line],
        }),
    }
}

fn remove(files: &mut [SourceFile], wanted: &Source) {
    for file in files {
        let is_meant = |line: &Line| {
            let source = line.source.as_ref();
            source.is_some_and(|source| source.is_enabled && source.words == wanted.words)
        };
        file.lines.retain(|line| !is_meant(line));
    }
}

/// The name of a source's file: the words of its address.
fn suggested_name(words: &str) -> String {
    let without_options = match (words.find('['), words.find(']')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{}", &words[..start], &words[end + 1..])
        }
        _ => words.to_owned(),
    };
    let address = without_options
        .split_whitespace()
        .nth(1)
        .unwrap_or_default();
    let address = match address.split_once("://") {
        Some((_, rest)) => rest,
        None => address,
    };
    let address = address.rsplit('@').next().unwrap_or(address);
    let parts = address.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_source() {
        for (words, name) in [
            (
                "deb http://archive.example.com/debian bookworm main",
                "archive_example_com_debian",
            ),
            (
                "deb http://me:pw@archive.example.com/debian bookworm main",
                "archive_example_com_debian",
            ),
            (
                "deb [arch=amd64 signed-by=/k.gpg] https://a.example.com/linux/debian b s",
                "a_example_com_linux_debian",
            ),
            ("deb [trusted=yes] file:/var/other ./", "file_var_other"),
        ] {
            assert_eq!(suggested_name(words), name);
        }
    }

    #[test]
    fn sources_are_read_with_what_stands_around_them() {
        let source = parse_source("# deb  http://a/  b c # why").expect("a source");
        assert_eq!(source.words, "deb http://a/ b c");
        assert!(!source.is_enabled);
        assert_eq!(source.comment, "why");
        assert_eq!(parse_source("# head"), None);
        assert_eq!(parse_source("nonsense"), None);
    }
}
