//! Questions to whoever sits at the terminal.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::sync::Arc;

use async_trait::async_trait;
use console::Term;
use rustle_engine::{Answer, Confirm, Person};
use rustle_report::escape_for_terminal;
use rustle_types::Secret;

use crate::errors::CliError;

/// Asks for a password, without showing it. The terminal is asked also where standard input is a plan.
///
/// # Errors
/// When there is no terminal.
pub(crate) fn password(what: &str) -> Result<Secret, CliError> {
    let ask = || {
        let terminal = Term::stderr();
        if !terminal.is_term() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "standard error is no terminal",
            ));
        }
        terminal.write_str(&format!("{what}: "))?;
        terminal.read_secure_line()
    };
    ask()
        .map(Secret::new)
        .map_err(|source| CliError::NoTerminal {
            what: what.to_owned(),
            source,
        })
}

/// Asks on the terminal before each task (`--step`).
pub(crate) struct TerminalConfirm;

#[async_trait]
impl Confirm for TerminalConfirm {
    /// Waits for an answer; where nobody can give one, the answer is no.
    async fn ask(&mut self, task: &str) -> Answer {
        let task = escape_for_terminal(task);
        let question = format!("run `{task}`? (y)es, (n)o, (c)ontinue without asking: ");
        // A read of the terminal cannot be given up: its thread may outlive the run, and ends with the program.
        let answer = tokio::task::spawn_blocking(move || answer_to(&question)).await;
        answer.ok().and_then(Result::ok).unwrap_or(Answer::No)
    }
}

/// Whoever sits at the terminal; nobody where there is none.
pub(crate) fn terminal_person() -> Option<Arc<dyn Person>> {
    let is_there =
        Term::stderr().is_term() && OpenOptions::new().read(true).open("/dev/tty").is_ok();
    is_there.then(|| Arc::new(TerminalPerson) as Arc<dyn Person>)
}

/// Asks questions of tasks and plays on the terminal.
struct TerminalPerson;

#[async_trait]
impl Person for TerminalPerson {
    async fn ask(&self, question: &str, is_shown: bool) -> Option<String> {
        let question = format!("{}: ", escape_for_terminal(question));
        let asked = tokio::task::spawn_blocking(move || {
            if is_shown {
                return ask(&question);
            }
            let terminal = Term::stderr();
            terminal.write_str(&question)?;
            terminal.read_secure_line()
        });
        let answer = asked.await.ok()?.ok()?;
        Some(answer.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// Asks until the answer is one.
fn answer_to(question: &str) -> io::Result<Answer> {
    loop {
        match ask(question)?.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(Answer::Yes),
            "n" | "no" | "" => return Ok(Answer::No),
            "c" | "continue" => return Ok(Answer::Continue),
            _ => {}
        }
    }
}

fn ask(question: &str) -> io::Result<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    terminal.write_all(question.as_bytes())?;
    let mut answer = String::new();
    match BufReader::new(terminal).read_line(&mut answer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(answer),
    }
}
