//! The module `community.general.locale_gen`: languages that programs of the machine can speak.

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config_file;

/// Which locales `locale-gen` makes.
const FILE: &str = "/etc/locale.gen";

/// Which locales there are.
const SUPPORTED: &[&str] = &[
    "/usr/share/i18n/SUPPORTED",
    "/usr/local/share/i18n/SUPPORTED",
];

/// The module `community.general.locale_gen`.
pub(crate) struct LocaleGen;

/// What shall be of the locales.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LocaleState {
    Present,
    Absent,
}

/// The arguments of `locale_gen`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: Vec<String>,
    state: LocaleState,
}

/// Whether the locales are other than they should be.
pub(crate) struct State {
    differs: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::List(&Type::Str)).required(),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
];

#[async_trait]
impl Module for LocaleGen {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.locale_gen", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        if !Path::new(FILE).exists() {
            let result = json!({"name": args.name});
            let msg = "/var/lib/locales/supported.d and /etc/locale.gen are missing. Is the package \"locales\" installed?";
            return Err(failure(msg, &result));
        }
        let made = Tool::find(target, "locale")?.run(["-a"]).await?.stdout;
        let made: Vec<String> = made.lines().map(plain).collect();
        let is_made = |name: &String| made.contains(&plain(name));
        args.check(is_made)?;
        let is_wanted = args.state == LocaleState::Present;
        let differs = args.name.iter().any(|name| is_made(name) != is_wanted);
        Ok(State { differs })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        Verdict::change_if(state.differs, args.output())
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let path = Path::new(FILE);
        let text = config_file::read(path)?.unwrap_or_default();
        let edited = args.added(args.edit(&text));
        if edited != text {
            config_file::replace(path, &edited)?;
        }
        let tool = Tool::find(target, "locale-gen")?;
        let ran = tool.run([] as [&str; 0]).await?;
        if !ran.is_success() {
            let failed = ran.failure(tool.line(&[] as &[&str]));
            return Err(failed);
        }
        Ok(args.output())
    }
}

/// Lines with a locale and its character set each, of all that there are.
fn supported() -> String {
    let texts = SUPPORTED
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    texts.collect()
}

/// A failure as this module tells it, with what it knew three times.
fn failure(msg: impl Into<String>, result: &Value) -> Failure {
    let mut failure = Failure::new(msg)
        .with("output", result.clone())
        .with("vars", result.clone());
    if let Value::Object(result) = result {
        failure.result.extend(result.clone());
    }
    failure
}

/// A locale's name as `locale -a` and people may both write it: `de_DE.utf8` and `de_DE.UTF-8`.
fn plain(name: &str) -> String {
    match name.split_once('.') {
        Some((language, charset)) => {
            let charset = charset.to_lowercase().replace('-', "");
            format!("{language}.{charset}")
        }
        None => name.to_owned(),
    }
}

impl Args {
    fn output(&self) -> Output {
        Output::new(match self.result() {
            Value::Object(result) => result,
            _ => Object::new(),
        })
    }

    fn result(&self) -> Value {
        json!({"name": self.name, "ubuntu_mode": false, "mechanism": "glibc"})
    }

    /// Looks for names that no locale has.
    fn check(&self, is_made: impl Fn(&String) -> bool) -> Result<(), Failure> {
        let supported = supported();
        let lines = supported.lines();
        let known: Vec<&str> = lines
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let unknown = self
            .name
            .iter()
            .filter(|name| !known.contains(&name.as_str()));
        let unknown: Vec<&str> = unknown
            .filter(|name| !is_made(name))
            .map(String::as_str)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown = unknown.join(", ");
        let msg = format!(
            "The following locales you have entered are not available on your system: {unknown}"
        );
        Err(failure(msg, &self.result()))
    }

    /// The text with lines for locales that it says nothing of.
    fn added(&self, mut text: String) -> String {
        if self.state == LocaleState::Absent {
            return text;
        }
        for name in &self.name {
            let is_meant = |line: &&str| line.split_whitespace().next() == Some(name);
            if text.lines().any(|line| is_meant(&line)) {
                continue;
            }
            let supported = supported();
            let Some(line) = supported.lines().find(is_meant) else {
                continue;
            };
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.extend([line, "\n"]);
        }
        text
    }

    /// The new text of the file: lines of the locales with or without the mark of a comment.
    fn edit(&self, text: &str) -> String {
        let is_wanted = self.state == LocaleState::Present;
        let lines = text.split_inclusive('\n').map(|line| {
            let bare = line.trim_start_matches(['#', ' ']);
            let name = bare.split_whitespace().next().unwrap_or_default();
            let is_said = !line.trim_start().starts_with('#');
            if is_said == is_wanted || !self.name.iter().any(|wanted| wanted == name) {
                return line.to_owned();
            }
            match is_wanted {
                true => bare.to_owned(),
                false => format!("# {bare}"),
            }
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_said_and_taken_back() {
        let args = |state| Args {
            name: vec!["de_DE.UTF-8".into(), "eo".into()],
            state,
        };
        let text = "# text\n# de_DE ISO-8859-1\n #de_DE.UTF-8 UTF-8  \neo UTF-8";
        let present = args(LocaleState::Present).edit(text);
        assert_eq!(
            present,
            "# text\n# de_DE ISO-8859-1\nde_DE.UTF-8 UTF-8  \neo UTF-8"
        );
        let absent = args(LocaleState::Absent).edit(&present);
        assert_eq!(
            absent,
            "# text\n# de_DE ISO-8859-1\n# de_DE.UTF-8 UTF-8  \n# eo UTF-8"
        );
        assert_eq!(plain("de_DE.UTF-8"), plain("de_DE.utf8"));
    }
}
