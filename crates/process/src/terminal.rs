//! A pseudo-terminal, for programs that ask a person and take the answer from nowhere else.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};
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

    /// Reads what the command has written and we have not read yet, without waiting; none where there is nothing.
    ///
    /// # Errors
    /// When the terminal fails.
    pub fn read_ready(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // The runtime only knows of what it has heard from the kernel so far, so the kernel itself is asked.
        match rustix::io::read(&self.shown, buffer) {
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            read => Ok(read.map(Some)?),
        }
    }

    /// Sets whether what is typed is shown.
    ///
    /// # Errors
    /// When the terminal fails.
    pub fn set_echo(&self, is_shown: bool) -> io::Result<()> {
        let mut modes = tcgetattr(&*self.theirs)?;
        modes.local_modes.set(LocalModes::ECHO, is_shown);
        Ok(tcsetattr(&*self.theirs, OptionalActions::Now, &modes)?)
    }

    /// Sets how large the terminal says that it is; a new one has no size.
    ///
    /// # Errors
    /// When the terminal fails.
    pub fn set_size(&self, rows: u16, columns: u16) -> io::Result<()> {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(tcsetwinsize(&*self.theirs, size)?)
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

    /// As [`terminal`](Self::terminal), and the three streams are the terminal too: nothing of what the command writes is captured, and
    /// what [`stdin`](Self::stdin) was set to is not used.
    #[must_use]
    pub fn at_terminal(mut self, terminal: &Terminal) -> Self {
        self = self.terminal(terminal);
        self.streams_are_terminal = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn streams_of_a_program_at_a_terminal_are_the_terminal() {
        let terminal = Terminal::open().unwrap();
        terminal.set_size(24, 80).unwrap();
        terminal.set_echo(false).unwrap();
        let script = "read -r word; stty size; test -t 1 && test -t 2 && echo \"<$word>\"";
        let command = Command::new("sh")
            .args(["-c", script])
            .at_terminal(&terminal);
        terminal.type_line("hello").await.unwrap();
        let finished = command.run(&crate::CancelToken::new()).await.unwrap();
        assert!(finished.is_success());
        let (mut shown, mut buffer) = (Vec::new(), [0; 64]);
        while let Some(count) = terminal.read_ready(&mut buffer).unwrap() {
            shown.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(String::from_utf8_lossy(&shown), "24 80\r\n<hello>\r\n");
    }

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
