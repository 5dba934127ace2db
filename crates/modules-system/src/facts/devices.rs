//! Block devices, from `/sys/block`.

use serde_json::{Map, Value, json};

use super::device_links::DeviceLinks;
use super::{Facts, Root, insert};

/// The unit in which the kernel counts the size of every device.
const KERNEL_SECTOR: u64 = 512;

/// Gathers `devices` and `device_links`.
pub(super) fn collect(root: &Root, links: &DeviceLinks) -> Facts {
    let mut devices = Map::new();
    for name in root.names("/sys/block") {
        devices.insert(name.clone(), Value::Object(device(root, links, &name)));
    }
    let mut facts = Facts::new();
    insert(&mut facts, "devices", devices);
    insert(&mut facts, "device_links", links.all());
    facts
}

fn device(root: &Root, links: &DeviceLinks, name: &str) -> Facts {
    let folder = format!("/sys/block/{name}");
    let read = |file: &str| {
        root.trimmed(format!("{folder}/{file}"))
            .filter(|text| !text.is_empty())
    };
    let mut facts = Facts::new();
    // Ansible gives 1 for every device whose entry is a link, which all are.
    insert(&mut facts, "virtual", 1);
    insert(&mut facts, "links", links.of(name));
    for (key, file) in [
        ("vendor", "device/vendor"),
        ("model", "device/model"),
        ("sas_address", "device/sas_address"),
        ("sas_device_handle", "device/sas_device_handle"),
        ("removable", "removable"),
        ("support_discard", "queue/discard_granularity"),
        ("rotational", "queue/rotational"),
    ] {
        insert(&mut facts, key, read(file));
    }
    if let Some(serial) = read("device/serial") {
        insert(&mut facts, "serial", serial);
    }
    let wwn = links
        .ids
        .get(name)
        .and_then(|ids| ids.iter().find_map(|id| id.strip_prefix("wwn-")));
    if let Some(wwn) = wwn {
        insert(&mut facts, "wwn", wwn);
    }
    insert(&mut facts, "partitions", partitions(root, links, name));
    insert(
        &mut facts,
        "scheduler_mode",
        read("queue/scheduler").map_or_else(String::new, |text| scheduler(&text)),
    );
    let sector_size = read("queue/logical_block_size");
    let sectors = read("size")
        .and_then(|size| size.parse::<u64>().ok())
        .unwrap_or_default();
    let bytes = sectors.saturating_mul(KERNEL_SECTOR);
    let divisor = sector_size
        .as_deref()
        .and_then(|size| size.parse().ok())
        .filter(|size| *size > 0);
    insert(
        &mut facts,
        "sectors",
        bytes / divisor.unwrap_or(KERNEL_SECTOR),
    );
    insert(
        &mut facts,
        "sectorsize",
        sector_size.map_or_else(|| json!(KERNEL_SECTOR), |size| json!(size)),
    );
    insert(&mut facts, "size", human(bytes));
    // Ansible fills this from `lspci`, and leaves it empty without.
    insert(&mut facts, "host", "");
    insert(&mut facts, "holders", holders(root, &folder));
    facts
}

fn partitions(root: &Root, links: &DeviceLinks, device: &str) -> Map<String, Value> {
    let mut partitions = Map::new();
    for name in root.names(format!("/sys/block/{device}")) {
        if !is_partition(device, &name) {
            continue;
        }
        let folder = format!("/sys/block/{device}/{name}");
        let read = |file: &str| root.trimmed(format!("{folder}/{file}"));
        let sectors = read("size")
            .and_then(|size| size.parse::<u64>().ok())
            .unwrap_or_default();
        let uuid = links.uuids.get(&name).and_then(|uuids| uuids.first());
        let facts = json!({
            "links": links.of(&name),
            "start": read("start").unwrap_or_else(|| "0".to_owned()),
            "sectors": sectors,
            "sectorsize": KERNEL_SECTOR,
            "size": human(sectors.saturating_mul(KERNEL_SECTOR)),
            "uuid": uuid,
            "holders": holders(root, &folder),
        });
        partitions.insert(name, facts);
    }
    partitions
}

/// `sda1` of `sda`, `nvme0n1p1` of `nvme0n1`.
fn is_partition(device: &str, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(device) else {
        return false;
    };
    let digits = rest.strip_prefix('p').unwrap_or(rest);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is built on a device; the device mapper's by their own names.
fn holders(root: &Root, folder: &str) -> Vec<String> {
    let names = root.names(format!("{folder}/holders")).into_iter();
    names
        .map(
            |name| match root.trimmed(format!("/sys/block/{name}/dm/name")) {
                Some(mapped) if name.starts_with("dm-") => mapped,
                _ => name,
            },
        )
        .collect()
}

/// The scheduler in brackets is the one in use.
fn scheduler(text: &str) -> String {
    let chosen = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    chosen.map_or_else(String::new, |(chosen, _)| chosen.to_owned())
}

/// A size with two decimals in the largest unit that fits.
fn human(bytes: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (1 << 60, "EB"),
        (1 << 50, "PB"),
        (1 << 40, "TB"),
        (1 << 30, "GB"),
        (1 << 20, "MB"),
        (1 << 10, "KB"),
    ];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        // Two decimals need no more than a double has.
        Some((unit, name)) => format!("{:.2} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes}.00 Bytes"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, text) in [
            (0, "0.00 Bytes"),
            (819_200, "800.00 KB"),
            (1 << 38, "256.00 GB"),
            (512_000_000, "488.28 MB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }

    #[test]
    fn partitions_are_told_from_other_entries() {
        assert!(is_partition("sda", "sda1"));
        assert!(is_partition("nvme0n1", "nvme0n1p12"));
        assert!(!is_partition("sda", "sda"));
        assert!(!is_partition("sda", "sdap"));
        assert!(!is_partition("sda", "queue"));
    }

    #[test]
    fn a_disk_of_large_sectors_is_described() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("sys/block/sda/size", "2000000\n"),
            ("sys/block/sda/queue/logical_block_size", "4096\n"),
            ("sys/block/sda/queue/scheduler", "[none] mq-deadline\n"),
            ("sys/block/sda/device/model", "Samsung SSD \n"),
            ("sys/block/sda/sda1/size", "1600\n"),
            ("sys/block/sda/sda1/start", "2048\n"),
            ("sys/block/sda/sda1/holders/dm-0", ""),
            ("sys/block/dm-0/dm/name", "vg-root\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = Root::new(folder.path());
        let links = json!({"ids": [], "uuids": [], "labels": [], "masters": []});
        let expected = json!({
            "virtual": 1, "links": links, "vendor": null, "model": "Samsung SSD", "sas_address": null,
            "sas_device_handle": null, "removable": null, "support_discard": null, "rotational": null,
            "partitions": {"sda1": {
                "links": links, "start": "2048", "sectors": 1600, "sectorsize": 512, "size": "800.00 KB",
                "uuid": null, "holders": ["vg-root"],
            }},
            "scheduler_mode": "none", "sectors": 250_000, "sectorsize": "4096", "size": "976.56 MB",
            "host": "", "holders": [],
        });
        assert_eq!(
            collect(&root, &DeviceLinks::read(&root))["devices"]["sda"],
            expected
        );
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".*", bytes in any::<u64>()) {
            scheduler(&text);
            human(bytes);
        }
    }
}
