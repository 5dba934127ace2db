//! How busy the host is, and whether this is all of it.

use std::os::unix::fs::MetadataExt as _;

use rustix::system::sysinfo;
use serde_json::json;

use super::{Facts, Root, insert};

/// Gathers `loadavg`, as the kernel counts it: in units of 1/65536.
pub(super) fn loadavg() -> Facts {
    // Loads are far below 2^52, so the conversion loses nothing.
    let [one, five, fifteen] = sysinfo().loads.map(|load| load as f64 / 65536.0);
    let mut facts = Facts::new();
    insert(
        &mut facts,
        "loadavg",
        json!({"1m": one, "5m": five, "15m": fifteen}),
    );
    facts
}

/// Gathers `is_chroot`: whether the first process sees another root folder than the agent.
pub(super) fn chroot(root: &Root) -> Facts {
    let mut facts = Facts::new();
    insert(&mut facts, "is_chroot", is_chroot(root));
    facts
}

fn is_chroot(root: &Root) -> bool {
    if std::env::var_os("debian_chroot").is_some() {
        return true;
    }
    let Ok(own) = std::fs::metadata(root.path("/")) else {
        return false;
    };
    match std::fs::metadata(root.path("/proc/1/root/.")) {
        Ok(first) => (first.ino(), first.dev()) != (own.ino(), own.dev()),
        // Without the right to look at it: the number that file systems give to their root folder, which is
        // 2, on Btrfs 256 and on XFS 64, 96 or 128.
        Err(_) => !matches!(own.ino(), 2 | 64 | 96 | 128 | 256),
    }
}
