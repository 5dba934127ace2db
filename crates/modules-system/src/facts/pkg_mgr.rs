//! Which package manager the host has.

use super::{Facts, Root, insert};

/// Programs and the managers they belong to; of several, the last one counts.
const PROGRAMS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/usr/bin/opkg", "opkg"),
    ("/usr/pkg/bin/pkgin", "pkgin"),
    ("/home/linuxbrew/.linuxbrew/bin/brew", "homebrew"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
    ("/usr/bin/apt-get", "apt"),
];

/// Gathers `pkg_mgr`; `family` is the distribution's.
pub(super) fn collect(root: &Root, family: &str) -> Facts {
    let mut facts = Facts::new();
    insert(&mut facts, "pkg_mgr", package_manager(root, family));
    facts
}

fn package_manager(root: &Root, family: &str) -> &'static str {
    if family == "RedHat"
        && let Some(manager) = red_hat(root)
    {
        return manager;
    }
    // Debian's kin may have rpm tools, and ALT has apt with rpm packages: the family's own manager wins.
    let own = match family {
        "Debian" => Some("/usr/bin/apt-get"),
        "Suse" => Some("/usr/bin/zypper"),
        "Archlinux" => Some("/usr/bin/pacman"),
        "Alpine" => Some("/sbin/apk"),
        "Gentoo" => Some("/usr/bin/emerge"),
        _ => None,
    };
    if family == "Altlinux" && root.exists("/usr/bin/apt-get") {
        return "apt_rpm";
    }
    let found = |path: &str| {
        PROGRAMS
            .iter()
            .find(|(program, _)| *program == path)
            .map(|(_, manager)| *manager)
    };
    own.filter(|path| root.exists(path))
        .and_then(found)
        .or_else(|| {
            PROGRAMS
                .iter()
                .rev()
                .find(|(path, _)| root.exists(path))
                .map(|(_, manager)| *manager)
        })
        .or_else(|| red_hat(root))
        .unwrap_or("unknown")
}

/// Whether it is dnf5, dnf or yum: by what the generic names really point to.
fn red_hat(root: &Root) -> Option<&'static str> {
    if root.exists("/run/ostree-booted") {
        return Some("atomic_container");
    }
    for path in ["/usr/bin/dnf", "/usr/bin/yum"] {
        let real = std::fs::canonicalize(root.path(path));
        match real
            .ok()
            .and_then(|path| {
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned())
            })
            .as_deref()
        {
            Some("dnf5") => return Some("dnf5"),
            Some("yum") => return Some("yum"),
            Some(name) if name.starts_with("dnf") => return Some("dnf"),
            _ => {}
        }
    }
    let others = [
        ("/usr/bin/dnf-3", "dnf"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/microdnf", "dnf"),
    ];
    others
        .iter()
        .find(|(path, _)| root.exists(path))
        .map(|(_, manager)| *manager)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(programs: &[&str]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        for program in programs {
            let path = folder.path().join(program);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let root = Root::new(folder.path());
        (folder, root)
    }

    #[test]
    fn each_family_has_its_manager() {
        for (program, family, manager) in [
            ("usr/bin/apt-get", "Debian", "apt"),
            ("usr/bin/apt-get", "Altlinux", "apt_rpm"),
            ("usr/bin/zypper", "Suse", "zypper"),
            ("sbin/apk", "Alpine", "apk"),
            ("usr/bin/pacman", "Archlinux", "pacman"),
            ("usr/bin/yum", "RedHat", "yum"),
            ("usr/bin/microdnf", "RedHat", "dnf"),
            ("usr/bin/xbps-install", "Void", "xbps"),
            ("usr/bin/true", "Void", "unknown"),
        ] {
            let (_folder, root) = tree(&[program]);
            assert_eq!(
                package_manager(&root, family),
                manager,
                "{program} {family}"
            );
        }
    }

    #[test]
    fn dnf_is_what_its_name_points_to() {
        for real in ["dnf-3", "dnf5"] {
            let (folder, root) = tree(&[&format!("usr/bin/{real}")]);
            symlink(real, folder.path().join("usr/bin/dnf")).unwrap();
            symlink("dnf", folder.path().join("usr/bin/yum")).unwrap();
            assert_eq!(
                package_manager(&root, "RedHat"),
                real.trim_end_matches("-3")
            );
        }
    }
}
