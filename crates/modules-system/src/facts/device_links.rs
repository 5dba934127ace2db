//! The names that udev and the kernel give to block devices.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Root;

/// Names by kernel device: ids, uuids, labels, and the devices that are made of it.
#[derive(Debug, Default)]
pub(super) struct DeviceLinks {
    pub(super) ids: BTreeMap<String, Vec<String>>,
    pub(super) uuids: BTreeMap<String, Vec<String>>,
    pub(super) labels: BTreeMap<String, Vec<String>>,
    pub(super) masters: BTreeMap<String, Vec<String>>,
}

impl DeviceLinks {
    pub(super) fn read(root: &Root) -> Self {
        Self {
            ids: by_device(root, "/dev/disk/by-id"),
            uuids: by_device(root, "/dev/disk/by-uuid"),
            labels: by_device(root, "/dev/disk/by-label"),
            masters: masters(root),
        }
    }

    /// The `device_links` fact.
    pub(super) fn all(&self) -> Value {
        json!({"ids": self.ids, "uuids": self.uuids, "labels": self.labels, "masters": self.masters})
    }

    /// The `links` of one device.
    pub(super) fn of(&self, device: &str) -> Map<String, Value> {
        let names =
            |links: &BTreeMap<String, Vec<String>>| links.get(device).cloned().unwrap_or_default();
        [
            ("ids", &self.ids),
            ("uuids", &self.uuids),
            ("labels", &self.labels),
            ("masters", &self.masters),
        ]
        .into_iter()
        .map(|(key, links)| (key.to_owned(), names(links).into()))
        .collect()
    }
}

fn by_device(root: &Root, folder: &str) -> BTreeMap<String, Vec<String>> {
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in root.names(folder) {
        if let Some(device) = root.link_name(format!("{folder}/{name}")) {
            links.entry(device).or_default().push(name);
        }
    }
    links
}

fn masters(root: &Root) -> BTreeMap<String, Vec<String>> {
    let mut masters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for master in root.names("/sys/block") {
        for slave in root.names(format!("/sys/block/{master}/slaves")) {
            masters.entry(slave).or_default().push(master.clone());
        }
    }
    masters
}

/// Takes the octal escapes out of a mount table's field.
pub(super) fn unescaped(field: &str) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\').and_then(octal);
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &after[3..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn octal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}
