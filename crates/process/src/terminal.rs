//! A pseudo-terminal, for programs that ask a person and take the answer from nowhere else.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::command::Command;

/// A terminal whose person we are. A command that is started with it ([`Command::terminal`]) finds it as `/dev/tty`; its three
/// streams stay what they are.
///
/// Dropping it hangs up: the kernel sends `SIGHUP` to the command, if that still runs.
pub struct Terminal {
    shown: Receiver,
    typed: Sender,
    theirs: Arc<OwnedFd>,
}

impl Terminal {
    /// Makes a terminal.
    ///
    /// # Errors
    /// When the system has none to give: no `/dev/ptmx`, or too many open.
    pub fn open() -> io::Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let theirs = rustix::fs::open(
            ptsname(&ours, Vec::new())?.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        // No pipes, but read and written as such.
        Ok(Self {
            typed: Sender::from_owned_fd_unchecked(ours.try_clone()?)?,
            shown: Receiver::from_owned_fd_unchecked(ours)?,
            theirs: Arc::new(theirs),
        })
    }

    /// Reads what the command wrote to the terminal. Cancel-safe.
    ///
    /// # Errors
    /// When the terminal fails.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.shown.readable().await?;
            match self.shown.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// Types a line.
    ///
    /// # Errors
    /// When the terminal fails.
    pub async fn type_line(&self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            self.typed.writable().await?;
            match self.typed.try_write(rest) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                count => rest = &rest[count?..],
            }
        }
        Ok(())
    }

    /// Whether what is typed now is not shown: a program does that where it asks for a secret, in whatever language.
    #[must_use]
    pub fn hides_input(&self) -> bool {
        tcgetattr(&*self.theirs).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ECHO))
    }
}

impl Command {
    /// Starts the command as the leader of a new session whose controlling terminal is `terminal`.
    #[must_use]
    pub fn terminal(mut self, terminal: &Terminal) -> Self {
        self.new_session = true;
        self.terminal = Some(Arc::clone(&terminal.theirs));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn program_asks_at_its_terminal_and_its_streams_stay_pipes() {
        let terminal = Terminal::open().unwrap();
        assert!(!terminal.hides_input());
        let script = "stty -echo </dev/tty; printf 'Kennwort' >/dev/tty; read -r word </dev/tty; echo \"<$word>\"; test -t 1 || echo pipe";
        let command = Command::new("sh").args(["-c", script]).terminal(&terminal);
        let mut child = command.start().await.unwrap();
        let (mut asked, mut buffer) = (String::new(), [0; 64]);
        while asked != "Kennwort" {
            let count = terminal.read(&mut buffer).await.unwrap();
            asked.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        assert!(terminal.hides_input());
        terminal.type_line("geh€im").await.unwrap();
        let mut said = String::new();
        let mut stdout = child.stdout.take().unwrap();
        tokio::io::AsyncReadExt::read_to_string(&mut stdout, &mut said)
            .await
            .unwrap();
        assert_eq!(said, "<geh€im>\npipe\n");
        assert!(child.wait().await.is_ok());
    }
}
