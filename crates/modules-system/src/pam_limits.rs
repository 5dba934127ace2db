//! The module `community.general.pam_limits`: a limit of `limits.conf`.

use std::path::Path;

use async_trait::async_trait;
use rustix::fs::Access;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
    backup, py_repr,
};
use serde::Deserialize;
use serde_json::json;

use crate::config_file;

/// Words for no limit.
const UNLIMITED: [&str; 3] = ["unlimited", "infinity", "-1"];

/// The module `community.general.pam_limits`.
pub(crate) struct PamLimits;

/// The arguments of `pam_limits`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    domain: String,
    limit_type: String,
    limit_item: String,
    value: String,
    use_max: bool,
    use_min: bool,
    backup: bool,
    dest: String,
    comment: String,
}

/// The file before and after.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct State {
    exists: bool,
    before: String,
    after: String,
    /// The line that counts now.
    line: String,
    changed: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("domain", Type::Str).required(),
    Opt::new("limit_type", Type::Str)
        .required()
        .choices(&["hard", "soft", "-"]),
    Opt::new("limit_item", Type::Str).required().choices(&[
        "core",
        "data",
        "fsize",
        "memlock",
        "nofile",
        "rss",
        "stack",
        "cpu",
        "nproc",
        "as",
        "maxlogins",
        "maxsyslogins",
        "priority",
        "locks",
        "sigpending",
        "msgqueue",
        "nice",
        "rtprio",
        "chroot",
    ]),
    Opt::new("value", Type::Str).required(),
    Opt::new("use_max", Type::Bool).default(Default::Bool(false)),
    Opt::new("use_min", Type::Bool).default(Default::Bool(false)),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("dest", Type::Str).default(Default::Str("/etc/security/limits.conf")),
    Opt::new("comment", Type::Str).default(Default::Str("")),
];

#[async_trait]
impl Module for PamLimits {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.pam_limits", OPTIONS);

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let path = Path::new(&args.dest);
        let exists = path.is_file();
        if exists && !is_writable(path) {
            return Err(Failure::new(format!(
                "{} is not writable. Use sudo",
                args.dest
            )));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        if !(exists || folder.is_dir() && is_writable(folder)) {
            return Err(Failure::new(format!(
                "directory {} is not writable (check presence, access rights, use sudo)",
                folder.display()
            )));
        }
        if args.use_max && args.use_min {
            let msg = "Cannot use use_min and use_max at the same time.";
            return Err(Failure::new(msg));
        }
        check_value(&args.limit_item, &args.value, "")?;
        let before = config_file::read(path)?.unwrap_or_default();
        Ok(State {
            exists,
            ..args.edit(before)?
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let mut output = Output::new(state.result()).changed(state.changed);
        let backs_up = args.backup && state.exists;
        if backs_up {
            let name = backup::free_name(&args.dest);
            output.result.insert("backup_file".into(), name.into());
        }
        // As in Ansible, a backup is made whether something changes or not.
        Verdict::change_if(state.changed || backs_up, output)
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut result = state.result();
        if args.backup && state.exists {
            let backup = backup::make(&args.dest)?;
            result.insert("backup_file".into(), backup.into());
        }
        if state.changed {
            config_file::replace_link(Path::new(&args.dest), &state.after)?;
        }
        Ok(Output::new(result).changed(state.changed))
    }
}

impl State {
    /// Ends the last line, if it has no end.
    fn end_line(&mut self) {
        if !self.after.is_empty() && !self.after.ends_with('\n') {
            self.after.push('\n');
        }
    }

    fn result(&self) -> Object {
        let diff = json!({ "before": self.before, "after": self.after });
        Object::from_iter([
            ("msg".to_owned(), self.line.as_str().into()),
            ("diff".to_owned(), diff),
        ])
    }
}

impl Args {
    /// Makes the new text of the present one.
    fn edit(&self, before: String) -> Result<State, Failure> {
        let mut state = State::default();
        let mut comment = self.comment.clone();
        let mut is_there = false;
        for line in before.split_inclusive('\n') {
            state.end_line();
            let limit = Limit::parse(line);
            if let Some(kept) = limit.comment.filter(|_| comment.is_empty()) {
                kept.clone_into(&mut comment);
            }
            let [domain, kind, item, value] = limit.fields[..] else {
                state.after.push_str(line);
                continue;
            };
            let prefix = format!("Invalid configuration found in '{}'.", self.dest);
            check_value(item, value, &prefix)?;
            if (domain, kind, item) != (&self.domain, &self.limit_type, &self.limit_item) {
                state.after.push_str(line);
                continue;
            }
            is_there = true;
            let wanted = self.wanted(value);
            state.line = if wanted == value || self.value == value {
                line.to_owned()
            } else {
                state.changed = true;
                self.line(wanted, &mut comment)
            };
            state.after.push_str(&state.line);
        }
        if !is_there {
            state.end_line();
            state.changed = true;
            state.line = self.line(&self.value, &mut comment);
            state.after.push_str(&state.line);
        }
        state.before = before;
        Ok(state)
    }

    /// The value that there shall be in the place of a present one.
    fn wanted<'a>(&'a self, present: &'a str) -> &'a str {
        let number = |text: &str| text.parse::<i128>().unwrap_or(i128::MAX);
        let rank = |text: &str| {
            let is_unlimited = UNLIMITED.contains(&text);
            (is_unlimited, if is_unlimited { 0 } else { number(text) })
        };
        let keeps = self.use_max && rank(present) >= rank(&self.value)
            || self.use_min && rank(present) < rank(&self.value);
        if keeps { present } else { &self.value }
    }

    /// The line with a value. The comment is marked as one, also for lines that follow.
    fn line(&self, value: &str, comment: &mut String) -> String {
        if !comment.is_empty() {
            *comment = format!("\t#{comment}");
        }
        let (domain, kind, item) = (&self.domain, &self.limit_type, &self.limit_item);
        format!("{domain}\t{kind}\t{item}\t{value}{comment}\n")
    }
}

/// What a line holds.
struct Limit<'a> {
    /// Its words; a limit has four.
    fields: Vec<&'a str>,
    /// What is behind the first `#`, with the line's end.
    comment: Option<&'a str>,
}

impl<'a> Limit<'a> {
    fn parse(line: &'a str) -> Self {
        if line.starts_with('#') {
            return Self {
                fields: Vec::new(),
                comment: None,
            };
        }
        let (text, comment) = match line.split_once('#') {
            Some((text, comment)) => (text, Some(comment)),
            None => (line, None),
        };
        Self {
            fields: text.split_whitespace().collect(),
            comment,
        }
    }
}

/// Refuses what is no value of a limit.
fn check_value(item: &str, value: &str, prefix: &str) -> Result<(), Failure> {
    let (is_valid, rule) = if matches!(item, "nice" | "priority") {
        let number = value.trim().parse::<i64>();
        (
            number.is_ok_and(|number| (-20..=19).contains(&number)),
            "Value must be a number in the range -20 to 19 inclusive.",
        )
    } else {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        (
            is_number || UNLIMITED.contains(&value),
            "Value must either be 'unlimited', 'infinity' or -1, all of which indicate no limit, or a limit of 0 or larger.",
        )
    };
    if is_valid {
        return Ok(());
    }
    let (value, item) = (py_repr(&value.into()), py_repr(&item.into()));
    Err(Failure::new(format!(
        "{prefix} Value of {value} for item {item} is invalid. {rule} Refer to the limits.conf(5) manual pages for more details."
    )))
}

fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> Args {
        Args {
            domain: "joe".into(),
            limit_type: "soft".into(),
            limit_item: "nofile".into(),
            value: "10".into(),
            use_max: false,
            use_min: false,
            backup: false,
            dest: "limits.conf".into(),
            comment: String::new(),
        }
    }

    #[test]
    fn only_the_limit_asked_for_is_changed() {
        let text = "# joe soft nofile 1\njoe hard nofile 1\n joe  soft nofile 1\n\n";
        let state = args().edit(text.into()).expect("it is valid");
        let expected = "# joe soft nofile 1\njoe hard nofile 1\njoe\tsoft\tnofile\t10\n\n";
        assert_eq!((state.after.as_str(), state.changed), (expected, true));
        let again = args().edit(state.after).expect("it is valid");
        assert!(!again.changed);
        assert!(args().edit("joe soft nofile x\n".into()).is_err());
    }

    #[test]
    fn the_higher_or_the_lower_limit_stays() {
        let max = Args {
            use_max: true,
            ..args()
        };
        let min = Args {
            use_min: true,
            ..args()
        };
        for (present, higher, lower) in [
            ("9", "10", "9"),
            ("11", "11", "10"),
            ("unlimited", "unlimited", "10"),
        ] {
            assert_eq!(max.wanted(present), higher);
            assert_eq!(min.wanted(present), lower);
            assert_eq!(args().wanted(present), "10");
        }
    }
}
