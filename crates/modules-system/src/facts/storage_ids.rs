//! The names under which the host logs in to storage.

use super::{Facts, Root, insert};

/// Gathers `fibre_channel_wwn`.
pub(super) fn fibre_channel(root: &Root) -> Facts {
    let names: Vec<String> = root
        .names("/sys/class/fc_host")
        .iter()
        .filter_map(|host| root.trimmed(format!("/sys/class/fc_host/{host}/port_name")))
        .map(|name| name.strip_prefix("0x").unwrap_or(&name).to_owned())
        .collect();
    let mut facts = Facts::new();
    insert(&mut facts, "fibre_channel_wwn", names);
    facts
}

/// Gathers `iscsi_iqn`.
pub(super) fn iscsi(root: &Root) -> Facts {
    let text = root
        .text("/etc/iscsi/initiatorname.iscsi")
        .unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("InitiatorName="))
        .unwrap_or_default();
    let mut facts = Facts::new();
    insert(&mut facts, "iscsi_iqn", name);
    facts
}

/// Gathers `hostnqn`.
pub(super) fn nvme(root: &Root) -> Facts {
    let text = root.text("/etc/nvme/hostnqn").unwrap_or_default();
    let name = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("nqn."))
        .unwrap_or_default();
    let mut facts = Facts::new();
    insert(&mut facts, "hostnqn", name);
    facts
}
