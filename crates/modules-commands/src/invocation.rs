//! What is run: a program and its arguments, and how a result shows it.

use rustle_module::{Expand, Failure, expand_path};
use rustle_process::{Command, shell_quote, split_command};
use serde_json::Value;

use crate::failure::not_split;
use crate::options::Args;

/// A program with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invocation {
    /// The command as it was given, before anything was expanded.
    pub(crate) shown: Value,
    program: String,
    arguments: Vec<String>,
}

impl Invocation {
    /// What `args` ask to run; `None` when that is nothing.
    pub(crate) fn new(
        args: &Args,
        uses_shell: bool,
        expand: &dyn Expand,
    ) -> Result<Option<Self>, Failure> {
        if uses_shell {
            return Ok(Self::by_shell(args));
        }
        let words = match (args.text(), args.words()) {
            (Some(text), _) => split_command(text).map_err(|error| not_split(&error))?,
            (None, Some(words)) => words.to_vec(),
            (None, None) => return Ok(None),
        };
        let expanded = |word: &String| match args.expand_argument_vars {
            true => expand_word(word, expand),
            false => word.clone(),
        };
        Ok(words.first().map(|program| Self {
            program: expanded(program),
            arguments: words[1..].iter().map(expanded).collect(),
            shown: words.clone().into(),
        }))
    }

    /// A shell with the text, or with the words as they are: nothing is expanded but by the shell.
    fn by_shell(args: &Args) -> Option<Self> {
        let (text, shown) = match (args.text(), args.words()) {
            (Some(text), _) => (text.to_owned(), Value::from(text)),
            (None, Some(words)) => (quoted(words), words.to_vec().into()),
            (None, None) => return None,
        };
        let shell = args.executable.as_deref().filter(|shell| !shell.is_empty());
        Some(Self {
            shown,
            program: shell.unwrap_or("/bin/sh").to_owned(),
            arguments: vec!["-c".to_owned(), text],
        })
    }

    /// The command to start.
    pub(crate) fn to_command(&self) -> Command {
        Command::new(&self.program).args(&self.arguments)
    }

    /// One line with all words in quotes where they need them.
    pub(crate) fn line(&self) -> String {
        let arguments = quoted(&self.arguments);
        let separator = if arguments.is_empty() { "" } else { " " };
        format!("{}{separator}{arguments}", shell_quote(&self.program))
    }
}

fn quoted(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| shell_quote(word)).collect();
    words.join(" ")
}

/// Expands variables, and then a `~` at the start, also one that came out of a variable.
fn expand_word(word: &str, expand: &dyn Expand) -> String {
    let expanded = expand_path(word, expand);
    if word.starts_with('~') || !expanded.starts_with('~') {
        return expanded;
    }
    let (user, rest) = expanded.split_at(expanded.find('/').unwrap_or(expanded.len()));
    match user.contains('$') {
        true => expanded,
        false => format!("{}{rest}", expand_path(user, expand)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fixed;
    impl Expand for Fixed {
        fn variable(&self, name: &str) -> Option<String> {
            match name {
                "X" => Some("val".to_owned()),
                "TILDE" => Some("~ann/$X".to_owned()),
                _ => None,
            }
        }
        fn home(&self, user: Option<&str>) -> Option<String> {
            (user != Some("bob")).then(|| format!("/home/{}", user.unwrap_or("me")))
        }
    }

    fn args(given: &Value) -> Args {
        let given = given.as_object().unwrap().clone();
        let spec = rustle_module::Spec::new("command", crate::options::OPTIONS);
        let checked = rustle_module::check_args(&spec, given, &Fixed).unwrap();
        serde_json::from_value(Value::Object(checked.args)).unwrap()
    }

    fn invocation(given: &Value, uses_shell: bool) -> Invocation {
        Invocation::new(&args(given), uses_shell, &Fixed)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn words_are_expanded_and_shown_as_given() {
        let run = invocation(
            &json!({"cmd": "echo $X ~ ~ann ~bob '$X y' $TILDE $NOPE *"}),
            false,
        );
        assert_eq!(
            run.shown,
            json!([
                "echo", "$X", "~", "~ann", "~bob", "$X y", "$TILDE", "$NOPE", "*"
            ])
        );
        let expected = [
            "val",
            "/home/me",
            "/home/ann",
            "~bob",
            "val y",
            "/home/ann/$X",
            "$NOPE",
            "*",
        ];
        assert_eq!(run.arguments, expected);
    }

    #[test]
    fn shell_gets_the_text_untouched_and_words_in_quotes() {
        let run = invocation(&json!({"cmd": " echo $X\n"}), true);
        assert_eq!(
            (run.shown.clone(), run.line().as_str()),
            (json!(" echo $X\n"), "/bin/sh -c ' echo $X\n'")
        );
        let run = invocation(
            &json!({"argv": ["echo", "$X y"], "executable": "/bin/bash"}),
            true,
        );
        assert_eq!(run.shown, json!(["echo", "$X y"]));
        assert_eq!(
            (run.program.as_str(), run.arguments[1].as_str()),
            ("/bin/bash", "echo '$X y'")
        );
    }

    #[test]
    fn blank_text_is_no_command() {
        for given in [
            json!({"cmd": " \n"}),
            json!({"_raw_params": ""}),
            json!({"argv": []}),
        ] {
            for uses_shell in [false, true] {
                assert_eq!(Invocation::new(&args(&given), uses_shell, &Fixed), Ok(None));
            }
        }
    }

    #[test]
    fn open_quote_fails_as_in_python() {
        let failure =
            Invocation::new(&args(&json!({"cmd": "echo 'a"})), false, &Fixed).unwrap_err();
        assert_eq!(
            failure.msg,
            "Task failed: Module failed: No closing quotation"
        );
    }
}
