//! How full file systems are, and their ids: without waiting for one that does not answer.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{StatVfs, statvfs};

use super::device_links::DeviceLinks;
use super::{Facts, Root, insert};

/// Whether asking a file system for its size may wait for somebody else.
pub(crate) fn may_hang(device: &str, fstype: &str) -> bool {
    !device.starts_with("/dev/") || fstype.starts_with("fuse")
}

/// The sizes of all that is mounted at these places, and whether one did not answer in time. A place comes with whether asking may hang.
///
/// Asks for all at once. A thread that waits for a dead server is left behind: nothing can end its system call.
pub(crate) fn sizes<'a>(
    places: impl Iterator<Item = (&'a str, bool)>,
    timeout: Duration,
) -> (Vec<Option<Facts>>, bool) {
    let deadline = Instant::now() + timeout;
    let mut sizes: Vec<Option<Facts>> = Vec::new();
    let (size_tx, size_rx) = mpsc::channel();
    let mut waiting = 0;
    for (index, (place, may_hang)) in places.enumerate() {
        if !may_hang {
            sizes.push(size(place));
            continue;
        }
        let (size_tx, place) = (size_tx.clone(), place.to_owned());
        // Without a thread there is no answer, which the deadline would say too.
        let started = thread::Builder::new().stack_size(64 * 1024).spawn(move || {
            // The receiver is gone once the deadline has passed.
            let _late = size_tx.send((index, size(&place)));
        });
        waiting += usize::from(started.is_ok());
        sizes.push(None);
    }
    for _ in 0..waiting {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok((index, size)) = size_rx.recv_timeout(left) else {
            return (sizes, true);
        };
        sizes[index] = size;
    }
    (sizes, false)
}

fn size(place: &str) -> Option<Facts> {
    statvfs(place).ok().map(|size| facts(&size))
}

fn facts(size: &StatVfs) -> Facts {
    let mut facts = Facts::new();
    for (name, value) in [
        ("size_total", size.f_frsize.saturating_mul(size.f_blocks)),
        (
            "size_available",
            size.f_frsize.saturating_mul(size.f_bavail),
        ),
        ("block_size", size.f_bsize),
        ("block_total", size.f_blocks),
        ("block_available", size.f_bavail),
        ("block_used", size.f_blocks.saturating_sub(size.f_bavail)),
        ("inode_total", size.f_files),
        ("inode_available", size.f_favail),
        ("inode_used", size.f_files.saturating_sub(size.f_favail)),
    ] {
        insert(&mut facts, name, value);
    }
    facts
}

/// The ids of the file systems on the devices of this machine.
pub(crate) struct Uuids(DeviceLinks);

impl Uuids {
    /// Reads the links that udev makes.
    pub(crate) fn read() -> Self {
        Self(DeviceLinks::read(&Root::host()))
    }

    /// The id of what is on a device, which may be named by it.
    pub(crate) fn of(&self, device: &str) -> Option<String> {
        if let Some(uuid) = device.strip_prefix("UUID=") {
            return Some(uuid.to_owned());
        }
        let real = std::fs::canonicalize(device).ok()?;
        let name = Path::new(&real).file_name()?.to_string_lossy().into_owned();
        self.0.uuids.get(&name)?.first().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_root_has_a_size() {
        let places = [("/", false), ("/proc", true), ("/no/such/folder", true)];
        let (sizes, is_late) = sizes(places.into_iter(), Duration::from_secs(60));
        assert!(!is_late && sizes[0].is_some() && sizes[1].is_some());
        assert_eq!(sizes[2], None);
    }
}
