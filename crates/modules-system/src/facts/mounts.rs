//! What is mounted, and how full it is.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::device_links::{DeviceLinks, unescaped};
use super::{Facts, Root, insert, mounted};

/// Gathers `mounts`: file systems on devices and of the network, in the order they were mounted.
///
/// Asks for all sizes at once and waits no longer than `timeout`: a dead server costs its own numbers only.
pub(super) fn collect(root: &Root, links: &DeviceLinks, timeout: Duration) -> Facts {
    let table = root
        .text("/proc/self/mounts")
        .or_else(|| root.text("/etc/mtab"))
        .unwrap_or_default();
    let bound = bind_mounts(&root.text("/proc/self/mountinfo").unwrap_or_default());
    let mounts: Vec<Mount> = table
        .lines()
        .filter_map(Mount::parse)
        .filter(Mount::is_told)
        .collect();
    let sizes = if root.is_host() {
        let places = mounts.iter().map(|mount| {
            let may_hang = mounted::may_hang(&mount.device, &mount.fstype);
            (mount.mount.as_str(), may_hang)
        });
        mounted::sizes(places, timeout).0
    } else {
        Vec::new()
    };
    let mounts: Vec<Value> = mounts
        .iter()
        .enumerate()
        .map(|(index, mount)| {
            let size = sizes.get(index).and_then(Option::as_ref);
            Value::Object(mount.facts(root, links, bound.contains(&mount.mount), size))
        })
        .collect();
    let mut facts = Facts::new();
    insert(&mut facts, "mounts", mounts);
    facts
}

/// A line of the mount table.
#[derive(Debug)]
struct Mount {
    device: String,
    mount: String,
    fstype: String,
    options: String,
    dump: u32,
    passno: u32,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let mut text = || fields.next().map(unescaped);
        let (device, mount, fstype, options) = (text()?, text()?, text()?, text()?);
        let mut number = || {
            fields
                .next()
                .and_then(|field| field.parse().ok())
                .unwrap_or_default()
        };
        Some(Self {
            device,
            mount,
            fstype,
            options,
            dump: number(),
            passno: number(),
        })
    }

    /// Devices, and what a server exports; not the kernel's own file systems.
    fn is_told(&self) -> bool {
        self.fstype != "none"
            && (self.device.starts_with(['/', '\\']) || self.device.contains(":/"))
    }

    fn facts(&self, root: &Root, links: &DeviceLinks, bound: bool, size: Option<&Facts>) -> Facts {
        let bind = if bound && !self.options.split(',').any(|option| option == "bind") {
            ",bind"
        } else {
            ""
        };
        let mut facts = Facts::new();
        insert(&mut facts, "mount", self.mount.as_str());
        insert(&mut facts, "device", self.device.as_str());
        insert(&mut facts, "fstype", self.fstype.as_str());
        insert(&mut facts, "options", format!("{}{bind}", self.options));
        insert(&mut facts, "dump", self.dump);
        insert(&mut facts, "passno", self.passno);
        insert(&mut facts, "uuid", self.uuid(root, links));
        if let Some(size) = size {
            facts.extend(size.clone());
        } else if root.is_host() {
            insert(&mut facts, "note", "its size could not be read in time");
        }
        facts
    }

    /// The file system's id, by the links that udev makes; `N/A` where there are none.
    fn uuid(&self, root: &Root, links: &DeviceLinks) -> String {
        let real = std::fs::canonicalize(root.path(&self.device))
            .unwrap_or_else(|_| PathBuf::from(&self.device));
        let name = real
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        links
            .uuids
            .get(&name)
            .and_then(|uuids| uuids.first())
            .cloned()
            .unwrap_or_else(|| "N/A".to_owned())
    }
}

/// The mount points that show only a part of their file system.
fn bind_mounts(mountinfo: &str) -> HashSet<String> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(3);
            let (part, mount) = (fields.next()?, fields.next()?);
            (part != "/").then(|| unescaped(mount))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn devices_and_exports_are_told_and_the_kernels_own_are_not() {
        let table = "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 1\nhost:/x /mnt/sp\\040ace nfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nbroken\n";
        let mounts: Vec<String> = table
            .lines()
            .filter_map(Mount::parse)
            .filter(Mount::is_told)
            .map(|mount| mount.mount)
            .collect();
        assert_eq!(mounts, ["/", "/mnt/sp ace"]);
    }

    #[test]
    fn a_part_of_a_file_system_is_a_bind_mount() {
        let info = "70 69 254:0 / / rw - ext4 /dev/vda rw\n46 70 254:0 /usr /mnt/bb rw - ext4 /dev/vda rw\n";
        assert_eq!(bind_mounts(info), HashSet::from(["/mnt/bb".to_owned()]));
    }

    proptest! {
        #[test]
        fn any_mount_table_is_survived(text in "(?s).*", line in "[ a\\\\0-7]*") {
            text.lines().chain([line.as_str()]).filter_map(Mount::parse).for_each(drop);
            bind_mounts(&text);
            unescaped(&line);
        }
    }
}
