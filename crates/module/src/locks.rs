//! Locks of programs that modules drive, and who holds them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::result::Failure;
use crate::target::{Target, pause};

const POLL: Duration = Duration::from_millis(500);

/// Waits until nobody holds any of the locks. `limit` is what the option is called that sets the time.
///
/// The program takes its lock by itself after that; this is what can name the holder.
///
/// # Errors
/// When one is still held after `timeout`, or the task is cancelled.
pub async fn wait_for(
    target: &dyn Target,
    paths: &[&str],
    timeout: Duration,
    limit: &str,
) -> Result<(), Failure> {
    let start = Instant::now();
    while let Some((path, holder)) = paths.iter().find_map(|path| Some((path, holder(path)?))) {
        if start.elapsed() >= timeout {
            let msg = format!(
                "`{path}` is locked by process {holder}, and was for all of the {} seconds of {limit}",
                timeout.as_secs()
            );
            return Err(Failure::new(msg));
        }
        pause(target, POLL.min(timeout)).await?;
    }
    Ok(())
}

/// The process that holds a lock on a file, with its name: `1234 (apt-get)`.
fn holder(path: &str) -> Option<String> {
    let inode = fs::metadata(path).ok()?.ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let pid = holders(&locks, inode)
        .into_iter()
        .find(|pid| has_open(*pid, path))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("{pid} ({})", name.trim_end()))
}

/// The processes that hold locks on files of this inode number, which is the file's on its own device only.
fn holders(locks: &str, inode: u64) -> Vec<u32> {
    let inode = inode.to_string();
    let lines = locks.lines().filter(|line| !line.contains("->"));
    lines
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(4);
            let pid = fields.next()?.parse().ok()?;
            let file = fields.next()?;
            (file.rsplit(':').next() == Some(inode.as_str())).then_some(pid)
        })
        .collect()
}

fn has_open(pid: u32, path: &str) -> bool {
    let links = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    links
        .flatten()
        .any(|link| fs::read_link(link.path()).is_ok_and(|file| file == Path::new(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_read_from_the_kernels_list_without_those_who_wait() {
        let locks = "1: POSIX  ADVISORY  WRITE 812 fe:00:26148 0 EOF\n\
            2: FLOCK  ADVISORY  WRITE 3 00:1a:7 0 EOF\n\
            3: POSIX  ADVISORY  WRITE 900 fe:00:261480 0 EOF\n\
            3: -> POSIX  ADVISORY  WRITE 901 fe:00:26148 0 EOF\n";
        assert_eq!(holders(locks, 26148), [812]);
        assert!(holders(locks, 1).is_empty());
    }
}
