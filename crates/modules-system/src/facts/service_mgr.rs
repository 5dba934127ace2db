//! What starts the services of the host.

use super::{Facts, Root, insert};

/// Gathers `service_mgr`; `distribution` is the name of it.
pub(super) fn collect(root: &Root, distribution: &str) -> Facts {
    let mut facts = Facts::new();
    insert(
        &mut facts,
        "service_mgr",
        service_manager(root, distribution),
    );
    facts
}

/// The name of the first process, unless that is a mere `init` or a shell: then what the tree shows.
fn service_manager(root: &Root, distribution: &str) -> String {
    let first = root.trimmed("/proc/1/comm").unwrap_or_default();
    match first.as_str() {
        "runit-init" => return "runit".to_owned(),
        "svscan" => return "svc".to_owned(),
        "openrc-init" => return "openrc".to_owned(),
        "" | "COMMAND" | "init" | "bash" => {}
        shell if shell.ends_with("sh") => {}
        name => return name.to_owned(),
    }
    by_tree(root, distribution).to_owned()
}

fn by_tree(root: &Root, distribution: &str) -> &'static str {
    if is_systemd(root) {
        "systemd"
    } else if root.exists("/sbin/initctl") && root.is_dir("/etc/init") {
        "upstart"
    } else if root.exists("/sbin/openrc") {
        "openrc"
    } else if distribution == "OpenWrt" {
        "procd"
    } else if root
        .link_name("/sbin/init")
        .is_some_and(|target| target == "systemd")
    {
        "systemd"
    } else if root.exists("/etc/init.d") {
        "sysvinit"
    } else if root.exists("/etc/dinit.d") {
        "dinit"
    } else {
        "service"
    }
}

/// Whether systemd runs now: it makes these at boot.
fn is_systemd(root: &Root) -> bool {
    let installed = ["/usr/bin/systemctl", "/bin/systemctl"]
        .iter()
        .any(|path| root.exists(path));
    let running = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"]
        .iter()
        .any(|path| root.exists(path));
    installed && running
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn manager(comm: &str, files: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [("proc/1/comm", comm)]
            .into_iter()
            .chain(files.iter().map(|path| (*path, "")))
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        service_manager(&Root::new(folder.path()), "Debian")
    }

    #[test]
    fn the_first_process_names_the_manager() {
        assert_eq!(manager("systemd\n", &[]), "systemd");
        assert_eq!(manager("runit-init\n", &[]), "runit");
        assert_eq!(manager("process_api\n", &[]), "process_api");
    }

    #[test]
    fn an_init_or_a_shell_leaves_it_to_the_tree() {
        assert_eq!(
            manager("init\n", &["usr/bin/systemctl", "run/systemd/system/x"]),
            "systemd"
        );
        assert_eq!(manager("sh\n", &["sbin/openrc"]), "openrc");
        assert_eq!(manager("bash\n", &["etc/init.d/cron"]), "sysvinit");
        assert_eq!(manager("init\n", &[]), "service");
    }
}
