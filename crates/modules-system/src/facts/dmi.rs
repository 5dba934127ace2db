//! What the firmware says of the machine.

use super::{Facts, Root, insert};

/// Where the kernel shows the firmware's table.
pub(super) const FOLDER: &str = "/sys/devices/virtual/dmi/id";

/// What stands for a value that is empty or not ours to read.
const UNKNOWN: &str = "NA";

/// Facts and the kernel's names for them.
const FILES: [(&str, &str); 17] = [
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// The chassis types of the SMBIOS specification, by number.
const FORM_FACTORS: [&str; 36] = [
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
];

/// Gathers `bios_*`, `board_*`, `chassis_*`, `product_*`, `system_vendor` and `form_factor`.
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = Facts::new();
    for (fact, file) in FILES {
        insert(
            &mut facts,
            fact,
            read(root, file).unwrap_or_else(|| UNKNOWN.to_owned()),
        );
    }
    let form_factor = read(root, "chassis_type").map_or(UNKNOWN, |kind| {
        kind.parse::<usize>()
            .ok()
            .and_then(|kind| FORM_FACTORS.get(kind))
            .copied()
            .unwrap_or("unknown")
    });
    insert(&mut facts, "form_factor", form_factor);
    facts
}

/// One entry of the firmware's table, if it says anything.
pub(super) fn read(root: &Root, file: &str) -> Option<String> {
    root.trimmed(format!("{FOLDER}/{file}"))
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_trimmed_and_missing_ones_are_not_available() {
        let folder = tempfile::tempdir().unwrap();
        let id = folder.path().join(&FOLDER[1..]);
        std::fs::create_dir_all(&id).unwrap();
        for (file, text) in [
            ("chassis_type", "23\n"),
            ("product_version", " sp \n"),
            ("board_name", "\n"),
        ] {
            std::fs::write(id.join(file), text).unwrap();
        }
        let facts = collect(&Root::new(folder.path()));
        assert_eq!(facts["form_factor"], "Rack Mount Chassis");
        assert_eq!(facts["product_version"], "sp");
        assert_eq!(facts["board_name"], "NA");
        assert_eq!(facts["bios_date"], "NA");
        assert_eq!(facts.len(), 18);
    }
}
