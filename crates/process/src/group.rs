//! The process group of a command: the one thing that is signalled.

use std::fs;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// The process group that a command leads; its id is the process id of the command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group(Pid);

impl Group {
    /// `None` for 0 and for what does not fit, which no child has.
    pub(crate) fn from_leader(pid: u32) -> Option<Self> {
        i32::try_from(pid).ok().and_then(Pid::from_raw).map(Self)
    }

    pub(crate) fn leader(self) -> u32 {
        self.0.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends `signal` to every process of the group that we may signal.
    ///
    /// Best effort: that there is no such group any more, or that it belongs to another user, shows in its not ending.
    pub(crate) fn signal(self, signal: Signal) {
        let _ = kill_process_group(self.0, signal);
    }

    /// Whether a process of the group is running. The dead that nobody has reaped do not count: in a container without
    /// an init they stay for ever.
    pub(crate) fn is_alive(self) -> bool {
        match test_kill_process_group(self.0) {
            Err(rustix::io::Errno::SRCH) => false,
            _ => self.has_running_process().unwrap_or(true),
        }
    }

    /// Looks through `/proc`; `None` where there is none.
    fn has_running_process(self) -> Option<bool> {
        let group = self.0.as_raw_nonzero().get();
        let mut processes = fs::read_dir("/proc")
            .ok()?
            .filter_map(Result::ok)
            .filter(|entry| {
                let name = entry.file_name();
                name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
            });
        // Something that can be read is a /proc with processes in it, not an empty folder.
        fs::metadata("/proc/self/stat").ok()?;
        Some(processes.any(|entry| {
            fs::read(entry.path().join("stat")).is_ok_and(|stat| is_running_in(&stat, group))
        }))
    }
}

/// Whether a line of `/proc/<pid>/stat`, `pid (name) state ppid pgrp …`, is of a living process of `group`.
///
/// The name may hold anything, parentheses and bytes that are no UTF-8 too, so what follows its last `)` is read.
fn is_running_in(stat: &[u8], group: i32) -> bool {
    let Some(name_end) = stat.iter().rposition(|byte| *byte == b')') else {
        return false;
    };
    let rest = String::from_utf8_lossy(&stat[name_end + 1..]);
    let mut fields = rest.split_ascii_whitespace();
    let (state, pgrp) = (fields.next(), fields.nth(1));
    !matches!(state, Some("Z" | "X" | "x"))
        && pgrp.and_then(|pgrp| pgrp.parse().ok()) == Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_line_is_read_past_a_hostile_name() {
        assert!(is_running_in(b"7 (a) Z 1 9 \xff (b) S 1 42 42 0 -1", 42));
        assert!(!is_running_in(b"7 (sleep) S 1 41 42 0 -1", 42));
        assert!(!is_running_in(b"7 (sleep) Z 1 42 42 0 -1", 42));
        assert!(!is_running_in(b"", 42));
    }
}
