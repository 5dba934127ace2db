//! Kernel, architecture and the host's names.

use rustix::system::uname;

use super::{Facts, Root, hosts, insert};

/// Gathers `system`, `kernel`, `machine`, the names of the host and the machine id.
pub(super) fn collect(root: &Root) -> Facts {
    let uname = uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let nodename = text(uname.nodename());
    let machine = text(uname.machine());
    let fqdn = hosts::fqdn(&root.text("/etc/hosts").unwrap_or_default(), &nodename);
    let domain = fqdn
        .split_once('.')
        .map_or("", |(_, domain)| domain)
        .to_owned();
    let bits = if cfg!(target_pointer_width = "64") {
        "64"
    } else {
        "32"
    };

    let mut facts = Facts::new();
    insert(&mut facts, "system", text(uname.sysname()));
    insert(&mut facts, "kernel", text(uname.release()));
    insert(&mut facts, "kernel_version", text(uname.version()));
    insert(&mut facts, "machine", machine.as_str());
    insert(&mut facts, "fqdn", fqdn);
    insert(
        &mut facts,
        "hostname",
        nodename.split('.').next().unwrap_or_default(),
    );
    insert(&mut facts, "nodename", nodename.as_str());
    insert(&mut facts, "domain", domain);
    insert(&mut facts, "userspace_bits", bits);
    insert(&mut facts, "architecture", architecture(&machine));
    insert(
        &mut facts,
        "userspace_architecture",
        userspace_architecture(&machine, bits),
    );
    let id = ["/var/lib/dbus/machine-id", "/etc/machine-id"]
        .iter()
        .find_map(|path| root.trimmed(path));
    if let Some(id) = id.as_deref().and_then(|id| id.lines().next()) {
        insert(&mut facts, "machine_id", id);
    }
    facts
}

/// All 32-bit x86 are called `i386`.
fn architecture(machine: &str) -> &str {
    match machine {
        "i486" | "i586" | "i686" => "i386",
        other => other,
    }
}

/// What programs are built for, which is not the kernel's architecture on a 32-bit userland.
fn userspace_architecture<'a>(machine: &'a str, bits: &str) -> &'a str {
    match (architecture(machine), bits) {
        ("x86_64", "32") => "i386",
        (other, _) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x86_is_named_by_its_width() {
        assert_eq!(architecture("i686"), "i386");
        assert_eq!(userspace_architecture("x86_64", "32"), "i386");
        assert_eq!(userspace_architecture("x86_64", "64"), "x86_64");
        assert_eq!(userspace_architecture("aarch64", "64"), "aarch64");
    }
}
