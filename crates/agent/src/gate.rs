//! The talk with `sudo`, `su` or `doas` until it lets us in.
//!
//! A password goes to the prompt of that program and nowhere else: to its stdin, or to a terminal of its own where it takes it from
//! nowhere else (`doas`). What a prompt is does not depend on a language: `sudo` is told a random one; at a terminal it is
//! what is said while typing is hidden; else it is a line that ends in a colon and is not ended.

use std::time::Duration;

use rustle_process::{Command, Duplex, Terminal};
use rustle_protocol::Become;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

/// How much of what the program says is kept for messages, in bytes.
const SAID_KEPT: usize = 8 << 10;

/// How long a line that may be a prompt has to stay as it is to be taken for one: programs write their complaints in pieces (`su: `).
const QUIET: Duration = Duration::from_millis(300);

/// The prompt of most programs in the language that they are run in; nobody has to wait to know it.
const USUAL_PROMPT: &str = "Password:";

/// What is said where a password is asked for that we do not have.
const NO_PASSWORD: &str =
    "it asks for a password and none was given (by ansible_become_password or --ask-become-pass)";

/// How programs that may not ask say that they would have to.
const WOULD_ASK: [&str; 4] = [
    "a password is required",
    "interactive authentication is required",
    "Authentication required",
    "Authorization required",
];

/// How programs say that it was the password.
const DENIED: [&str; 3] = [
    "uthentication fail",
    "incorrect password",
    "incorrect authentication",
];

/// How programs say that they want a terminal.
const WANTS_TERMINAL: [&str; 3] = [
    "must have a tty",
    "must be run from a terminal",
    "standard in must be a tty",
];

/// Why the program did not let us in.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    /// Whether the password is not the right one. It is not tried again, lest the account be locked.
    pub(crate) is_password: bool,
    /// Whether the program wants a terminal.
    pub(crate) wants_terminal: bool,
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self {
            why,
            is_password: false,
            wants_terminal: false,
        }
    }
}

/// The program that lets us become somebody, until it has.
pub(crate) struct Gate {
    pub(crate) child: Duplex,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
    pub(crate) terminal: Option<Terminal>,
    prompt: String,
    /// What the program was told to run, which it may repeat to us.
    line: String,
    password: Option<String>,
    /// What the program said, without its prompts.
    said: String,
    /// The prompt that was answered.
    answered: Option<String>,
}

impl Gate {
    /// Starts the program, at a terminal where it gets one.
    pub(crate) async fn open(
        as_user: &Become,
        command: Command,
        terminal: Option<Terminal>,
        (prompt, line): (String, String),
    ) -> Result<Self, String> {
        let command = match &terminal {
            Some(terminal) => command.terminal(terminal),
            None => command,
        };
        let mut child = command.start().await.map_err(|error| error.to_string())?;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Self {
                child,
                stdin,
                stdout,
                stderr,
                terminal,
                prompt,
                line,
                password: as_user.password.clone(),
                said: String::new(),
                answered: None,
            }),
            _ => Err("its streams are closed".into()),
        }
    }

    /// Answers the prompt, if there is one, until the line behind it prints the marker. Returns what stdout gave so far. `told` is kept at
    /// what the program has said, for whoever gives up waiting.
    pub(crate) async fn pass(&mut self, mark: &str, told: &mut String) -> Result<Vec<u8>, Refusal> {
        let (mut printed, mut is_mute) = (Vec::new(), false);
        let (mut heard, mut shown) = ([0; 1024], [0; 1024]);
        loop {
            *told = self.said();
            tokio::select! {
                count = self.stdout.read_buf(&mut printed) => match count {
                    Ok(0) | Err(_) => {
                        self.hear(&printed);
                        return Err(self.why_it_ended().await);
                    }
                    Ok(_) if contains(&printed, mark) => return Ok(printed),
                    Ok(_) if printed.len() > SAID_KEPT => {
                        return Err("it printed too much".to_owned().into());
                    }
                    Ok(_) => {}
                },
                count = self.stderr.read(&mut heard), if !is_mute => match count {
                    Ok(0) | Err(_) => is_mute = true,
                    Ok(count) => {
                        self.hear(&heard[..count]);
                        if self.is_surely_prompt() {
                            self.answer().await?;
                        }
                    }
                },
                Ok(count) = read_terminal(self.terminal.as_ref(), &mut shown) => {
                    self.hear(&shown[..count]);
                    if self.terminal.as_ref().is_some_and(Terminal::hides_input) && !self.last_line().is_empty() {
                        self.answer().await?;
                    }
                }
                () = tokio::time::sleep(QUIET), if self.may_be_prompt() => self.answer().await?,
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        if self.said.len() < SAID_KEPT {
            self.said.push_str(&String::from_utf8_lossy(bytes));
        }
    }

    /// What follows the last end of a line.
    fn last_line(&self) -> &str {
        self.said.rsplit(['\n', '\r']).next().unwrap_or("").trim()
    }

    fn is_surely_prompt(&self) -> bool {
        self.last_line().contains(&self.prompt) || self.last_line() == USUAL_PROMPT
    }

    fn may_be_prompt(&self) -> bool {
        self.last_line().ends_with([':', '：'])
    }

    /// Gives the password to whatever asks for it now: once.
    async fn answer(&mut self) -> Result<(), Refusal> {
        let asked = self.last_line().to_owned();
        // Lectures and the like before it are no reason for what comes after it.
        self.said.clear();
        let Some(password) = &self.password else {
            return Err(NO_PASSWORD.to_owned().into());
        };
        match &self.answered {
            None => {}
            Some(before) if *before == asked => {
                return Err(Refusal {
                    why: "the password is wrong".into(),
                    is_password: true,
                    wants_terminal: false,
                });
            }
            Some(_) => {
                let why = format!("it asks for more than a password: `{asked}`");
                return Err(Refusal {
                    why,
                    is_password: true,
                    wants_terminal: false,
                });
            }
        }
        let sent = match &self.terminal {
            Some(terminal) if terminal.hides_input() => terminal.type_line(password).await,
            _ => {
                let line = format!("{password}\n");
                self.stdin.write_all(line.as_bytes()).await
            }
        };
        self.answered = Some(asked);
        // Where it no longer reads it has ended, and says why.
        let _ = sent;
        Ok(())
    }

    async fn why_it_ended(&mut self) -> Refusal {
        let mut rest = Vec::new();
        let mut bounded = (&mut self.stderr).take(SAID_KEPT as u64);
        // What it left in the background may hold the stream open.
        let _ = tokio::time::timeout(QUIET, bounded.read_to_end(&mut rest)).await;
        self.hear(&rest);
        let says = |words: &[&str]| words.iter().any(|words| self.said.contains(words));
        let is_password = self.answered.is_some() && says(&DENIED) && !says(&["expired"]);
        let wants_terminal = says(&WANTS_TERMINAL);
        let why = if self.answered.is_none() && says(&WOULD_ASK) {
            NO_PASSWORD.to_owned()
        } else if is_password {
            format!("the password is wrong{}", self.said())
        } else if wants_terminal {
            format!("it wants to be run from a terminal{}", self.said())
        } else {
            format!("it ended{}", self.said())
        };
        Refusal {
            why,
            is_password,
            wants_terminal,
        }
    }

    /// What the program said, for a message; never the password.
    pub(crate) fn said(&self) -> String {
        let said = self.said.replace(&self.line, "…");
        let said = match &self.password {
            Some(password) if !password.is_empty() => said.replace(password.as_str(), "***"),
            _ => said,
        };
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(": {}", lines.join("\n"))
    }
}

/// Reads what the program shows at its terminal; never ends where it has none.
async fn read_terminal(terminal: Option<&Terminal>, buffer: &mut [u8]) -> std::io::Result<usize> {
    match terminal {
        Some(terminal) => terminal.read(buffer).await,
        None => std::future::pending().await,
    }
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}
