//! The module `acl`: an entry of a path's access control list, by `setfacl` and `getfacl`.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

/// The module `acl`.
pub(crate) struct Acl;

/// The arguments of `acl`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    path: String,
    default: bool,
    entity: String,
    entry: Option<String>,
    etype: Option<String>,
    follow: bool,
    permissions: Option<String>,
    recalculate_mask: String,
    recursive: bool,
    state: String,
    use_nfsv4_acls: bool,
}

/// The entry that is meant: `user:name:rwx`, or without permissions where it is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    text: String,
    is_default: bool,
}

/// What [`Acl`] found.
pub(crate) struct State {
    /// None where the task only asks.
    entry: Option<Entry>,
    differs: bool,
    is_default: bool,
    acl: Vec<String>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path).required().aliases(&["name"]),
    Opt::new("default", Type::Bool).default(Default::Bool(false)),
    Opt::new("entity", Type::Str).default(Default::Str("")),
    Opt::new("entry", Type::Str),
    Opt::new("etype", Type::Str).choices(&["group", "mask", "other", "user"]),
    Opt::new("follow", Type::Bool).default(Default::Bool(true)),
    Opt::new("permissions", Type::Str),
    Opt::new("recalculate_mask", Type::Str)
        .default(Default::Str("default"))
        .choices(&["default", "mask", "no_mask"]),
    Opt::new("recursive", Type::Bool)
        .default(Default::Bool(false))
        .aliases(&["recurse"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("query"))
        .choices(&["absent", "present", "query"]),
    Opt::new("use_nfsv4_acls", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for Acl {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.acl", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        if args.use_nfsv4_acls {
            let msg = "`use_nfsv4_acls` is not supported: only lists of POSIX are";
            return Err(Failure::new(msg));
        }
        if !Path::new(&args.path).exists() {
            return Err(Failure::new("Path not found or not accessible."));
        }
        let entry = args.wanted()?;
        let is_default = match &entry {
            Some(entry) => entry.is_default,
            None => args.default,
        };
        let differs = match &entry {
            Some(entry) => {
                let ran = args.set(target, entry, true).await?;
                // A list that stays as it is is shown by a star; a link that is not followed not at all.
                ran.stdout.lines().any(|line| !line.ends_with("*,*"))
            }
            None => false,
        };
        Ok(State {
            acl: args.present(target, is_default).await?,
            entry,
            differs,
            is_default,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let output = args.output(state.entry.as_ref(), &state.acl);
        Verdict::change_if(state.differs, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        if let Some(entry) = &state.entry {
            args.set(target, entry, false).await?;
        }
        let acl = args.present(target, state.is_default).await?;
        Ok(args.output(state.entry.as_ref(), &acl))
    }
}

impl Args {
    /// The entry that the options name, in one piece or in parts; none where the task only asks.
    fn wanted(&self) -> Result<Option<Entry>, Failure> {
        let state = self.state.as_str();
        let refused = |msg: String| Err(Failure::new(msg));
        let is_query = state == "query";
        let Some(entry) = &self.entry else {
            if is_query && self.recursive {
                return refused("'recursive' MUST NOT be set when 'state=query'.".into());
            }
            if is_query {
                return Ok(None);
            }
            if state == "absent" && self.permissions.is_some() {
                return refused("'permissions' MUST NOT be set when 'state=absent'.".into());
            }
            if state == "absent" && self.entity.is_empty() {
                return refused("'entity' MUST be set when 'state=absent'.".into());
            }
            let Some(etype) = &self.etype else {
                return refused(format!("'etype' MUST be set when 'state={state}'."));
            };
            let mut text = format!("{etype}:{}", self.entity);
            if let Some(permissions) = &self.permissions {
                text = format!("{text}:{permissions}");
            }
            return Ok(Some(Entry {
                text,
                is_default: self.default,
            }));
        };
        if self.etype.is_some() || !self.entity.is_empty() || self.permissions.is_some() {
            return refused(
                "'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set.".into(),
            );
        }
        if is_query {
            return refused("'entry' MUST NOT be set when 'state=query'.".into());
        }
        let sections = entry.split(':').count();
        if state == "present" && !matches!(sections, 3 | 4) {
            return refused(
                "'entry' MUST have 3 or 4 sections divided by ':' when 'state=present'.".into(),
            );
        }
        if state == "absent" && !matches!(sections, 2 | 3) {
            return refused(
                "'entry' MUST have 2 or 3 sections divided by ':' when 'state=absent'.".into(),
            );
        }
        Ok(Some(Entry::parse(entry, state == "absent", self.default)))
    }

    /// Sets the entry, or only tries.
    async fn set(&self, target: &dyn Target, entry: &Entry, tries: bool) -> Result<Ran, Failure> {
        let tool = Tool::find(target, "setfacl")?;
        let mut words = Vec::new();
        let mut add = |is_wanted: bool, word: &str| {
            if is_wanted {
                words.push(word.to_owned());
            }
        };
        add(tries, "--test");
        add(entry.is_default, "-d");
        add(self.recursive, "--recursive");
        add(!self.follow, "--physical");
        add(self.recalculate_mask == "mask", "--mask");
        add(self.recalculate_mask == "no_mask", "--no-mask");
        words.push(if self.state == "absent" { "-x" } else { "-m" }.into());
        words.extend([entry.text.clone(), "--".into(), self.path.clone()]);
        let ran = tool.run(&words).await?;
        match ran.is_success() {
            true => Ok(ran),
            false => Err(ran.failure(tool.line(&words))),
        }
    }

    /// The list as it is, a line an entry; with an empty line between those of several paths.
    async fn present(&self, target: &dyn Target, is_default: bool) -> Result<Vec<String>, Failure> {
        let tool = Tool::find(target, "getfacl")?;
        let mut words = vec!["--absolute-names", "--omit-header"];
        let options = [
            (is_default, "-d"),
            (self.recursive, "--recursive"),
            (!self.follow, "--physical"),
        ];
        words.extend(options.iter().filter(|(on, _)| *on).map(|(_, word)| *word));
        words.extend(["--", &self.path]);
        let ran = tool.run(&words).await?;
        match ran.is_success() {
            true => Ok(ran.stdout.trim().lines().map(str::to_owned).collect()),
            false => Err(ran.failure(tool.line(&words))),
        }
    }

    fn output(&self, entry: Option<&Entry>, acl: &[String]) -> Output {
        let msg = match entry {
            Some(entry) => format!("{} is {}", entry.text, self.state),
            None => "current acl".to_owned(),
        };
        let result = [("msg", msg.into()), ("acl", Value::from(acl))];
        let result = result.map(|(key, value)| (key.to_owned(), value));
        Output::new(Object::from_iter(result))
    }
}

impl Entry {
    /// Reads `[default:]kind:name[:permissions]`; where the entry is to go, its permissions do not count.
    fn parse(text: &str, goes: bool, is_default: bool) -> Self {
        let (rest, is_default) = match text.split_once(':') {
            Some((first, rest)) if first.to_lowercase().starts_with('d') => (rest, true),
            _ => (text, is_default),
        };
        let parts: Vec<&str> = rest.split(':').collect();
        let kind = match parts[0].to_lowercase() {
            kind if kind.starts_with('u') => "user".to_owned(),
            kind if kind.starts_with('g') => "group".to_owned(),
            kind if kind.starts_with('m') => "mask".to_owned(),
            kind if kind.starts_with('o') => "other".to_owned(),
            kind => kind,
        };
        let count = if goes { 2 } else { 3 };
        let rest = parts.iter().skip(1).take(count - 1);
        let text = std::iter::once(kind.as_str()).chain(rest.copied());
        Self {
            text: text.collect::<Vec<_>>().join(":"),
            is_default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_and_without_default() {
        for (text, goes, expected, is_default) in [
            ("user:joe:rwx", false, "user:joe:rwx", false),
            ("default:u:joe:r", false, "user:joe:r", true),
            ("user:joe:rwx", true, "user:joe", false),
            ("d:group:g", true, "group:g", true),
        ] {
            let entry = Entry::parse(text, goes, false);
            assert_eq!(
                (&*entry.text, entry.is_default),
                (expected, is_default),
                "{text}"
            );
        }
    }
}
