//! The capabilities of the agent, in the words of `capsh`.

use super::{Facts, Root, insert};

/// The names of the capabilities, by number.
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// Gathers `system_capabilities` and `system_capabilities_enforced` (the text `"True"` or `"False"`).
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = Facts::new();
    let status = root.text("/proc/self/status").unwrap_or_default();
    let count = root
        .trimmed("/proc/sys/kernel/cap_last_cap")
        .and_then(|last| last.parse::<usize>().ok())
        .map_or(NAMES.len(), |last| NAMES.len().min(last.saturating_add(1)));
    let Some(text) = text_form(&status, count) else {
        return facts;
    };
    let enforced = text != "=ep";
    let words: Vec<&str> = match text.split_once('=') {
        Some((_, rest)) if enforced => rest
            .split('=')
            .next()
            .unwrap_or_default()
            .split(',')
            .collect(),
        _ => Vec::new(),
    };
    insert(&mut facts, "system_capabilities", words);
    insert(
        &mut facts,
        "system_capabilities_enforced",
        if enforced { "True" } else { "False" },
    );
    facts
}

/// The text form of the three sets: the commonest combination of flags for all, then what differs from it.
fn text_form(status: &str, count: usize) -> Option<String> {
    let set = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(value.trim(), 16).ok()
    };
    let (effective, inheritable, permitted) = (set("CapEff:")?, set("CapInh:")?, set("CapPrm:")?);
    let bit = |set: u64, index: usize| usize::from(set >> index & 1 == 1);
    let flags: Vec<usize> = (0..count)
        .map(|index| {
            bit(effective, index) | bit(inheritable, index) << 1 | bit(permitted, index) << 2
        })
        .collect();
    let common = (0..8)
        .max_by_key(|combination| flags.iter().filter(|flags| *flags == combination).count())?;

    let mut parts = Vec::new();
    for combination in (0..8).rev().filter(|combination| *combination != common) {
        let names: Vec<&str> = NAMES
            .iter()
            .zip(&flags)
            .filter(|(_, flags)| **flags == combination)
            .map(|(name, _)| *name)
            .collect();
        if names.is_empty() {
            continue;
        }
        let mut part = names.join(",");
        let (more, less) = (combination & !common, common & !combination);
        if more != 0 {
            part.push(if common == 0 { '=' } else { '+' });
            part.push_str(&letters(more));
        }
        if less != 0 {
            part.push('-');
            part.push_str(&letters(less));
        }
        parts.push(part);
    }
    if common != 0 || parts.is_empty() {
        parts.insert(0, format!("={}", letters(common)));
    }
    Some(parts.join(" "))
}

fn letters(flags: usize) -> String {
    [(1, 'e'), (2, 'i'), (4, 'p')]
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, letter)| *letter)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(inheritable: &str, permitted: &str, effective: &str) -> String {
        let status =
            format!("CapInh:\t{inheritable}\nCapPrm:\t{permitted}\nCapEff:\t{effective}\n");
        text_form(&status, 41).unwrap()
    }

    #[test]
    fn sets_are_written_as_capsh_writes_them() {
        let none = "0000000000000000";
        assert_eq!(text(none, "000001ffffffffff", "000001ffffffffff"), "=ep");
        assert_eq!(text(none, none, none), "=");
        assert_eq!(
            text(none, "000001fffefffffe", "000001fffefffffe"),
            "=ep cap_chown,cap_sys_resource-ep"
        );
        assert_eq!(
            text("0000000000000020", "000001fffeffff7e", "000001fffeffff7e"),
            "=ep cap_kill+i cap_chown,cap_setuid,cap_sys_resource-ep"
        );
        let raw = "0000000000002000";
        assert_eq!(text(raw, raw, raw), "cap_net_raw=eip");
    }

    proptest! {
        #[test]
        fn any_status_is_survived(status in "(?s).*", sets in any::<[u64; 3]>()) {
            text_form(&status, 41);
            text(&format!("{:x}", sets[0]), &format!("{:x}", sets[1]), &format!("{:x}", sets[2]));
        }
    }
}
