//! The module `debconf`: answers to the questions that packages ask when they are configured.

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, py_str,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The module `debconf`.
pub(crate) struct Debconf;

/// The arguments of `debconf`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    question: Option<String>,
    vtype: Option<String>,
    value: Value,
    unseen: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required().aliases(&["pkg"]),
    Opt::new("question", Type::Str).aliases(&["selection", "setting"]),
    Opt::new("unseen", Type::Bool).default(Default::Bool(false)),
    Opt::new("value", Type::Raw).aliases(&["answer"]),
    Opt::new("vtype", Type::Str).choices(&[
        "boolean",
        "error",
        "multiselect",
        "note",
        "password",
        "seen",
        "select",
        "string",
        "text",
        "title",
    ]),
];

#[async_trait]
impl Module for Debconf {
    type Args = Args;
    /// The answers that debconf has, by question.
    type State = Object;
    const SPEC: Spec =
        Spec::new("debconf", OPTIONS).constraints(&[Constraint::RequiredTogether(&[
            "question", "vtype", "value",
        ])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Object, Failure> {
        let ran = Tool::find(target, "debconf-show")?
            .run(["--", &args.name])
            .await?;
        if !ran.is_success() {
            return Err(failure(&ran));
        }
        let mut answers = parse_answers(&ran.stdout);
        if let (Some("password"), Some(question)) = (args.vtype.as_deref(), &args.question)
            && answers.contains_key(question)
        {
            let answer = args.password(target, question).await?;
            answers.insert(question.clone(), answer.into());
        }
        Ok(answers)
    }

    fn diff(&self, args: &Args, state: &Object, mode: Mode) -> Verdict {
        let wanted = args.question.as_ref().filter(|_| args.vtype.is_some());
        let Some(question) = wanted.filter(|question| args.differs(state.get(*question))) else {
            let result = json!({ "msg": "", "current": state });
            return Verdict::unchanged(Output::new(object(result)));
        };
        let previous =
            json!({ question: state.get(question).cloned().unwrap_or_else(|| "".into()) });
        let answer = match &args.value {
            // Check mode shows a list as it was given.
            Value::Bool(_) => args.answer().into(),
            other => other.clone(),
        };
        Verdict::Change(Change {
            diff: json!({ "before": &previous, "after": { question: &answer } }),
            predicted: args.output(question, &previous, &answer, mode),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _state: Object,
        change: Change,
    ) -> Result<Output, Failure> {
        let (Some(question), Some(vtype)) = (&args.question, &args.vtype) else {
            return Ok(Output::default().changed(false));
        };
        let tool = Tool::find(target, "debconf-set-selections")?;
        // Answers may be passwords, so they go by stdin.
        let line = format!("{} {question} {vtype} {}\n", args.name, args.answer());
        let words = args.unseen.then_some("-u");
        let ran = tool.run_command(tool.command(words).stdin(line)).await?;
        if !ran.is_success() {
            return Err(failure(&ran));
        }
        let answer = args.answer().into();
        Ok(args.output(question, &change.diff["before"], &answer, target.mode()))
    }
}

impl Args {
    /// The answer as debconf takes it.
    fn answer(&self) -> String {
        match &self.value {
            Value::Bool(value) => value.to_string(),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(py_str).collect();
                items.join(", ")
            }
            Value::String(text) if self.vtype.as_deref() == Some("boolean") => text.to_lowercase(),
            other => py_str(other),
        }
    }

    /// Whether the answer is another than the present one; the order of several does not count.
    fn differs(&self, present: Option<&Value>) -> bool {
        let Some(present) = present.and_then(Value::as_str) else {
            return true;
        };
        let wanted = self.answer();
        match self.vtype.as_deref() {
            Some("boolean") => present.to_lowercase() != wanted,
            Some("multiselect") => sorted_choices(present) != sorted_choices(&wanted),
            _ => present != wanted,
        }
    }

    /// Asks debconf for an answer that it does not show.
    async fn password(&self, target: &dyn Target, question: &str) -> Result<String, Failure> {
        let tool = Tool::find(target, "debconf-communicate")?;
        let command = tool
            .command([&self.name])
            .stdin(format!("GET {question}\n"));
        let ran = tool.run_command(command).await?;
        Ok(parse_reply(&ran.stdout).to_owned())
    }

    fn output(&self, question: &str, previous: &Value, answer: &Value, mode: Mode) -> Output {
        let current = json!({ question: answer });
        let diff = if mode.diff {
            json!({ "before": previous, "after": current })
        } else {
            json!({})
        };
        Output::new(object(json!({
            "msg": "",
            "current": current,
            "previous": previous,
            "diff": diff,
        })))
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

fn failure(ran: &Ran) -> Failure {
    Failure::new(ran.stderr.trim()).with("rc", ran.rc)
}

/// Reads lines of `debconf-show`: a star for a question that was asked, its name, its answer.
fn parse_answers(text: &str) -> Object {
    let lines = text.lines().filter_map(|line| {
        let line = line.trim_start_matches('*').trim();
        let (question, answer) = line.split_once(':')?;
        Some((question.trim().to_owned(), answer.trim().into()))
    });
    lines.collect()
}

/// The answer in a reply of debconf's protocol: `0 the answer`.
fn parse_reply(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("0 ").unwrap_or_default()
}

fn sorted_choices(text: &str) -> Vec<&str> {
    let mut choices: Vec<&str> = text.split(',').map(str::trim).collect();
    choices.sort_unstable();
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_debconf_shows_them() {
        let answers = parse_answers("* a/b: one: two\n  a/c:\n");
        assert_eq!(answers["a/b"], "one: two");
        assert_eq!(answers["a/c"], "");
        assert_eq!(parse_reply("0 hunter2\n"), "hunter2");
        assert_eq!(parse_reply("10 nothing\n"), "");
    }

    #[test]
    fn answers_differ_by_their_type() {
        let args = |vtype: &str, value: Value| Args {
            name: "a".into(),
            question: Some("a/b".into()),
            vtype: Some(vtype.into()),
            value,
            unseen: false,
        };
        for (vtype, value, present, differs) in [
            ("string", json!("x"), "x", false),
            ("string", json!("x"), "X", true),
            ("boolean", json!(true), "true", false),
            ("boolean", json!("TRUE"), "true", false),
            ("multiselect", json!(["b", "a"]), "a, b", false),
            ("multiselect", json!("a"), "a, b", true),
        ] {
            let found = args(vtype, value.clone()).differs(Some(&present.into()));
            assert_eq!(found, differs, "{vtype} {value}");
        }
        assert!(args("string", json!("")).differs(None));
    }
}
