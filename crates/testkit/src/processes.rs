//! Finding and ending processes that are not our own children.

use std::collections::HashSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How long a killed process may take to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// Processes that belong together: all descendants of one, and all that carry a mark in their environment.
///
/// The mark finds what left the tree: a daemon is a child of PID 1, but still has its environment.
pub(crate) struct Family {
    /// The one that the others descend from; itself no member.
    pub(crate) ancestor: Option<Pid>,
    /// One `NAME=value` of the environment, unique on this machine.
    pub(crate) mark: String,
}

impl Family {
    /// Lists the members that run now.
    pub(crate) fn members(&self) -> HashSet<Pid> {
        let table = processes();
        let mut members: HashSet<Pid> = table
            .iter()
            .map(|&(pid, _)| pid)
            .filter(|&pid| Some(pid) != self.ancestor && has_in_environment(pid, &self.mark))
            .collect();
        loop {
            let before = members.len();
            for &(pid, parent) in &table {
                if parent.is_some()
                    && (parent == self.ancestor || parent.is_some_and(|it| members.contains(&it)))
                {
                    members.insert(pid);
                }
            }
            if members.len() == before {
                return members;
            }
        }
    }

    /// Kills all members and waits until they are gone, those too that are forked meanwhile.
    ///
    /// Members of other users, which we may not kill, are left.
    pub(crate) fn end(&self) {
        loop {
            let handles: Vec<(Pid, OwnedFd)> = self
                .members()
                .into_iter()
                .filter_map(|pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?)))
                .collect();
            // A pid may have been given to another process before its handle was opened: so look again.
            let members = self.members();
            let handles: Vec<(Pid, OwnedFd)> = handles
                .into_iter()
                .filter(|(pid, _)| members.contains(pid))
                .collect();
            // They go all at once: none sees another one end. Those that cannot be stopped cannot be killed.
            for (_, handle) in &handles {
                let _ = pidfd_send_signal(handle, Signal::STOP);
            }
            let killed: Vec<OwnedFd> = handles
                .into_iter()
                .filter(|(_, handle)| pidfd_send_signal(handle, Signal::KILL).is_ok())
                .map(|(_, handle)| handle)
                .collect();
            if killed.is_empty() {
                return;
            }
            for handle in killed {
                assert!(
                    wait_for_end(&handle, PATIENCE),
                    "a killed process of {} does not end",
                    self.mark
                );
            }
        }
    }
}

/// Waits until the process of this handle has ended; false if the time is over before.
pub(crate) fn wait_for_end(handle: &impl AsFd, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).expect("a test's patience fits a timespec");
        match poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&timeout)) {
            Ok(0) if left.is_zero() => return false,
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return true,
            Err(error) => panic!("cannot wait for a process: {error}"),
        }
    }
}

/// Every process that has not ended, with its parent.
fn processes() -> Vec<(Pid, Option<Pid>)> {
    let entries = fs::read_dir("/proc").expect("/proc can be read");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|number: i32| {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
            // pid (name) state parent …: the name may hold anything, parentheses too.
            let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
            let has_ended = matches!(fields.next()?, "Z" | "X");
            let parent = fields.next()?.parse().ok()?;
            if has_ended {
                None
            } else {
                Some((Pid::from_raw(number)?, Pid::from_raw(parent)))
            }
        })
        .collect()
}

fn has_in_environment(pid: Pid, mark: &str) -> bool {
    let environment =
        fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment
        .split(|&byte| byte == 0)
        .any(|entry| entry == mark.as_bytes())
}
