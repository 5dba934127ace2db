//! Starts a second agent by `sudo`, `su` or `doas`.
//!
//! A password goes to the prompt of that program, on its stdin, and nowhere else: not into an argument, a variable or a file.
//! `sudo` is told a random prompt, so that nothing else is taken for one.

use std::fmt::Write as _;
use std::io::Cursor;
use std::time::Duration;

use rustle_process::{Command, Duplex};
use rustle_protocol::{
    Become, Link, Payload, Payloads, START_TIMEOUT, Start, StartPlan, command_line, converse,
    marker,
};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

/// How much of what the program says is kept for messages, in bytes.
const SAID_KEPT: usize = 8 << 10;

/// What is said where a password is asked for that we do not have.
const NO_PASSWORD: &str =
    "it asks for a password and none was given (by ansible_become_password or --ask-become-pass)";

/// Starts an agent as the user. The future that comes with it has to be polled for as long as the agent is used.
pub(crate) async fn start_agent(
    as_user: &Become,
) -> Result<(Link, impl Future<Output = ()> + Send + 'static), String> {
    let failed = |why: String| {
        format!(
            "cannot become `{}` by {}: {why}",
            as_user.user, as_user.method
        )
    };
    let own = OwnProgram::read()
        .map_err(|error| failed(format!("the agent cannot read itself: {error}")))?;
    let plan = StartPlan {
        payloads: &own,
        remote_tmp: None,
        skip: &[],
    };
    let mark = marker();
    let mut gate = Gate::open(as_user, &command_line(&plan, &mark))
        .await
        .map_err(failed)?;
    let began = tokio::time::timeout(START_TIMEOUT, gate.pass(as_user, &mark)).await;
    let printed = match began {
        Ok(printed) => printed.map_err(failed)?,
        Err(_) => {
            return Err(failed(format!(
                "it did not answer within {} s{}",
                START_TIMEOUT.as_secs(),
                gate.said()
            )));
        }
    };
    let Gate {
        mut stdin,
        stdout,
        mut stderr,
        mut child,
        said,
        ..
    } = gate;
    let mut reader = Cursor::new(printed).chain(stdout);
    let already = match converse(&plan, &mark, &mut reader, &mut stdin).await {
        Ok(Start::Running { already, .. }) => already,
        Ok(Start::Retry { folder, why }) => return Err(failed(format!("{folder}: {why}"))),
        Err(error) => return Err(failed(format!("{error}{}", after_colon(&said)))),
    };
    let (link, driver) = Link::greet(reader, stdin, &already)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let drive = async move {
        tokio::select! {
            _ = driver.run() => {}
            () = drain(&mut stderr) => {}
        }
        // Its stdin is closed now, so it goes; the group is not killed before it had the time to settle.
        let _ = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    };
    Ok((link, drive))
}

/// Reads and forgets; comes back never, so that the end of stderr alone ends nothing.
async fn drain(stderr: &mut ChildStderr) {
    let mut buffer = [0; 1024];
    while matches!(stderr.read(&mut buffer).await, Ok(1..)) {}
    std::future::pending::<()>().await;
}

/// This program, for the other user's folder.
struct OwnProgram(Payload);

impl OwnProgram {
    fn read() -> std::io::Result<Self> {
        let bytes = std::fs::read("/proc/self/exe")?;
        let sha256 = Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            });
        Ok(Self(Payload {
            bytes: bytes.into(),
            packed: None,
            sha256,
        }))
    }
}

impl Payloads for OwnProgram {
    fn usual(&self) -> &Payload {
        &self.0
    }

    fn find(&self, _: &str) -> Result<Payload, String> {
        Ok(self.0.clone())
    }
}

/// The program that lets us become somebody, until it has.
struct Gate {
    child: Duplex,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    prompt: String,
    said: String,
}

impl Gate {
    async fn open(as_user: &Become, line: &str) -> Result<Self, String> {
        let prompt = format!("[{}]", marker());
        let (command, prompt) = command_for(as_user, line, prompt)?;
        let mut child = command.start().await.map_err(|error| error.to_string())?;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Self {
                child,
                stdin,
                stdout,
                stderr,
                prompt,
                said: String::new(),
            }),
            _ => Err("its streams are closed".into()),
        }
    }

    /// Answers the prompt, if there is one, until the line behind it prints the marker. Returns what stdout gave so far.
    async fn pass(&mut self, as_user: &Become, mark: &str) -> Result<Vec<u8>, String> {
        let (mut printed, mut is_answered, mut is_mute) = (Vec::new(), false, false);
        let mut buffer = [0; 1024];
        loop {
            tokio::select! {
                count = self.stdout.read_buf(&mut printed) => match count {
                    Ok(0) | Err(_) => return Err(self.why_it_ended().await),
                    Ok(_) if contains(&printed, mark) => return Ok(printed),
                    Ok(_) if printed.len() > SAID_KEPT => return Err("it printed too much".into()),
                    Ok(_) => {}
                },
                count = self.stderr.read(&mut buffer), if !is_mute => match count {
                    Ok(0) | Err(_) => is_mute = true,
                    Ok(count) => {
                        self.hear(&buffer[..count]);
                        if self.said.contains(&self.prompt) {
                            self.answer(as_user, is_answered).await?;
                            is_answered = true;
                        }
                    }
                },
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        if self.said.len() < SAID_KEPT {
            self.said.push_str(&String::from_utf8_lossy(bytes));
        }
    }

    async fn answer(&mut self, as_user: &Become, is_answered: bool) -> Result<(), String> {
        self.said = self.said.replace(&self.prompt, "");
        match &as_user.password {
            Some(_) if is_answered => Err("the password is wrong".into()),
            Some(password) => {
                let line = format!("{password}\n");
                self.stdin
                    .write_all(line.as_bytes())
                    .await
                    .map_err(|error| error.to_string())
            }
            None => Err(NO_PASSWORD.into()),
        }
    }

    async fn why_it_ended(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = (&mut self.stderr)
            .take(SAID_KEPT as u64)
            .read_to_end(&mut rest)
            .await;
        self.hear(&rest);
        if self.said.contains("a password is required") {
            return NO_PASSWORD.into();
        }
        format!("it ended{}", self.said())
    }

    fn said(&self) -> String {
        after_colon(&self.said)
    }
}

fn after_colon(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

/// The command, and the prompt that it will print where it wants a password.
fn command_for(as_user: &Become, line: &str, prompt: String) -> Result<(Command, String), String> {
    let program = as_user.exe.as_deref().unwrap_or(&as_user.method);
    let command = Command::new(program).env("LC_ALL", "C").new_session();
    let has_password = as_user.password.is_some();
    match as_user.method.as_str() {
        "sudo" => {
            let command = command.args(&as_user.flags);
            let command = if has_password {
                command.args(["-S", "-p", &prompt])
            } else {
                command.arg("-n")
            };
            Ok((
                command.args(["-H", "-u", &as_user.user, "--", "/bin/sh", "-c", line]),
                prompt,
            ))
        }
        "su" => {
            let command =
                command
                    .args(&as_user.flags)
                    .args([&as_user.user, "-s", "/bin/sh", "-c", line]);
            Ok((command, "assword: ".into()))
        }
        "doas" if has_password => {
            Err("doas takes a password from a terminal only; allow it with `nopass`".into())
        }
        "doas" => {
            let command = command.args(&as_user.flags).args([
                "-n",
                "-u",
                &as_user.user,
                "/bin/sh",
                "-c",
                line,
            ]);
            Ok((command, prompt))
        }
        other => Err(format!(
            "`{other}` is not supported; the methods are sudo, su and doas"
        )),
    }
}
