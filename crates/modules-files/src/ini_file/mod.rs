//! The module `community.general.ini_file`: options in the sections of an ini file.

mod edit;
mod line;

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;

use crate::attributes::add_path_info;
use crate::edited::{Edited, TextFile};
use crate::os_error::describe_bare;
use crate::paths::real_text;
use edit::Wanted;

const NO_VALUE: &str =
    "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.";

/// The module `community.general.ini_file`.
pub(crate) struct IniFile;

/// What shall be of the option or section.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IniState {
    Absent,
    Present,
}

/// An option that a section must have.
#[derive(Debug, Deserialize)]
struct Condition {
    option: String,
    value: Option<String>,
    values: Option<Vec<String>>,
}

/// The arguments of `ini_file`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    section: Option<String>,
    section_has_values: Option<Vec<Condition>>,
    option: Option<String>,
    value: Option<String>,
    values: Option<Vec<String>>,
    state: IniState,
    exclusive: bool,
    no_extra_spaces: bool,
    ignore_spaces: bool,
    allow_no_value: bool,
    modify_inactive_option: bool,
    create: bool,
    follow: bool,
    #[serde(flatten)]
    file: TextFile,
}

/// What [`IniFile`] found: the content before and after, and what results say of the path.
pub(crate) struct State {
    edited: Edited,
    info: Object,
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path).required().aliases(&["dest"]),
    Opt::new("section", Type::Str),
    Opt::new("section_has_values", Type::List(&Type::Dict)).suboptions(&[
        Opt::new("option", Type::Str).required(),
        Opt::new("value", Type::Str),
        Opt::new("values", Type::List(&Type::Str)),
    ]),
    Opt::new("option", Type::Str),
    Opt::new("value", Type::Str),
    Opt::new("values", Type::List(&Type::Str)),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("exclusive", Type::Bool).default(Default::Bool(true)),
    Opt::new("no_extra_spaces", Type::Bool).default(Default::Bool(false)),
    Opt::new("ignore_spaces", Type::Bool).default(Default::Bool(false)),
    Opt::new("allow_no_value", Type::Bool).default(Default::Bool(false)),
    Opt::new("modify_inactive_option", Type::Bool).default(Default::Bool(true)),
    Opt::new("create", Type::Bool).default(Default::Bool(true)),
    Opt::new("follow", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for IniFile {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.ini_file", OPTIONS)
        .file_common()
        .constraints(&[Constraint::MutuallyExclusive(&["value", "values"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check()?;
        let exists = Path::new(&args.file.path).exists();
        if !exists && !args.create {
            let msg = format!("Destination {} does not exist!", args.file.path);
            return Err(Failure::new(msg).with("rc", 257));
        }
        let before = if exists {
            fs::read(&args.file.path).map_err(|error| {
                let (text, path) = (describe_bare(&error), &args.file.path);
                Failure::new(format!("Task failed: Module failed: {text}: '{path}'"))
            })?
        } else {
            Vec::new()
        };
        let mut edited = args.edit(before, exists)?;
        if !target.mode().check {
            // As in Ansible, check mode does not look at attributes.
            args.written()
                .look_at_attributes(target, &mut edited)
                .await?;
        }
        let mut info = Object::new();
        add_path_info(target, &mut info, &args.file.path).await;
        Ok(State { edited, info })
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let mut result = args.result(&state.edited, mode);
        result.extend(state.info.clone());
        let output = Output::new(result);
        Verdict::change_if(state.edited.differs(), output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let edited = state.edited;
        let written = args.written().carry_out(target, &edited).await?;
        let mut result = args.result(&edited, target.mode());
        if let Some(backup) = written.backup {
            result.insert("backup_file".into(), backup.into());
        }
        add_path_info(target, &mut result, &args.file.path).await;
        let changed = edited.is_changed() || written.attributes.1;
        Ok(Output::new(result).changed(changed))
    }
}

impl Args {
    fn check(&self) -> Result<(), Failure> {
        let has_value = self.value.is_some() || self.values.as_ref().is_some_and(|v| !v.is_empty());
        if self.state == IniState::Present && !self.allow_no_value && !has_value {
            return Err(Failure::new(NO_VALUE));
        }
        let both = |condition: &&Condition| condition.value.is_some() && condition.values.is_some();
        if self
            .section_has_values
            .iter()
            .flatten()
            .any(|condition| both(&condition))
        {
            let msg = "parameters are mutually exclusive: value|values found in section_has_values";
            return Err(Failure::new(msg));
        }
        Ok(())
    }

    /// The file that is written: a link's target with `follow`, else the link is replaced.
    fn written(&self) -> TextFile {
        let mut file = self.file.clone();
        file.replaces_link = true;
        if self.follow {
            file.path = real_text(&file.path);
        }
        file
    }

    fn wanted(&self) -> Wanted<'_> {
        let conditions = self.section_has_values.iter().flatten().map(|condition| {
            let values = unique(condition.value.as_ref(), condition.values.as_ref());
            (condition.option.as_str(), values)
        });
        Wanted {
            section: self.section.as_deref().filter(|name| !name.is_empty()),
            conditions: conditions.collect(),
            option: self.option.as_deref().filter(|name| !name.is_empty()),
            values: unique(self.value.as_ref(), self.values.as_ref()),
            exclusive: self.exclusive,
            allow_no_value: self.allow_no_value,
            ignore_spaces: self.ignore_spaces,
            spaced: !self.no_extra_spaces,
            modify_inactive: self.modify_inactive_option,
        }
    }

    /// Makes the new content of the present one.
    fn edit(&self, before: Vec<u8>, exists: bool) -> Result<Edited, Failure> {
        let text = String::from_utf8(before)
            .map_err(|error| Failure::new(format!("{} is not UTF-8: {error}", self.file.path)))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines: Vec<String> = text.split_inclusive('\n').map(ToOwned::to_owned).collect();
        let msg = match self.state {
            IniState::Present => self.wanted().ensure(&mut lines),
            IniState::Absent => self.wanted().remove(&mut lines),
        };
        let after = if msg.is_empty() {
            text.clone()
        } else {
            lines.concat()
        };
        Ok(Edited {
            before: text.clone().into_bytes(),
            after: after.into_bytes(),
            exists,
            msg: msg.to_owned(),
            ..Edited::default()
        })
    }

    fn result(&self, edited: &Edited, mode: Mode) -> Object {
        let msg = if edited.is_changed() {
            edited.msg.as_str()
        } else {
            "OK"
        };
        let mut result = Object::new();
        result.insert("msg".into(), msg.into());
        result.insert("path".into(), self.file.path.as_str().into());
        result.insert("diff".into(), edited.content_diff(&self.file.path, mode));
        result
    }
}

/// All values, none twice.
fn unique<'a>(value: Option<&'a String>, values: Option<&'a Vec<String>>) -> Vec<&'a str> {
    let mut unique: Vec<&str> = Vec::new();
    for value in value.into_iter().chain(values.into_iter().flatten()) {
        if !unique.contains(&value.as_str()) {
            unique.push(value);
        }
    }
    unique
}
