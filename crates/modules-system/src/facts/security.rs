//! SELinux, AppArmor and FIPS mode.

use serde_json::json;

use super::{Facts, Root, insert};

/// Gathers `selinux`, from the mounted selinuxfs and `/etc/selinux/config`.
pub(super) fn selinux(root: &Root) -> Facts {
    let mut facts = Facts::new();
    // Ansible tells here whether its Python bindings are there; the agent needs none.
    insert(&mut facts, "selinux_python_present", true);
    let enforce = root
        .trimmed("/sys/fs/selinux/enforce")
        .filter(|_| root.exists("/sys/fs/selinux/policyvers"));
    let Some(enforce) = enforce else {
        insert(&mut facts, "selinux", json!({"status": "disabled"}));
        return facts;
    };
    let config = root.text("/etc/selinux/config").unwrap_or_default();
    let setting = |key: &str| {
        config
            .lines()
            .filter_map(|line| line.trim().split_once('='))
            .find(|(name, _)| name.trim() == key)
            .map_or_else(
                || "unknown".to_owned(),
                |(_, value)| value.trim().to_owned(),
            )
    };
    let version = root
        .trimmed("/sys/fs/selinux/policyvers")
        .and_then(|version| version.parse::<u32>().ok());
    let selinux = json!({
        "status": "enabled",
        "policyvers": version.map_or_else(|| json!("unknown"), |version| json!(version)),
        "config_mode": setting("SELINUX"),
        "mode": if enforce == "1" { "enforcing" } else { "permissive" },
        "type": setting("SELINUXTYPE"),
    });
    insert(&mut facts, "selinux", selinux);
    facts
}

/// Gathers `apparmor`.
pub(super) fn apparmor(root: &Root) -> Facts {
    let status = if root.exists("/sys/kernel/security/apparmor") {
        "enabled"
    } else {
        "disabled"
    };
    let mut facts = Facts::new();
    insert(&mut facts, "apparmor", json!({"status": status}));
    facts
}

/// Gathers `fips`.
pub(super) fn fips(root: &Root) -> Facts {
    let mut facts = Facts::new();
    insert(
        &mut facts,
        "fips",
        root.trimmed("/proc/sys/crypto/fips_enabled")
            .is_some_and(|value| value == "1"),
    );
    facts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_enforcing_selinux_is_described() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("sys/fs/selinux/enforce", "1"),
            ("sys/fs/selinux/policyvers", "33"),
            (
                "etc/selinux/config",
                "# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
            ),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let expected = json!({
            "status": "enabled", "policyvers": 33, "config_mode": "enforcing", "mode": "enforcing", "type": "targeted",
        });
        assert_eq!(selinux(&Root::new(folder.path()))["selinux"], expected);
    }
}
