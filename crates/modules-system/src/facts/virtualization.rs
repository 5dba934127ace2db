//! Whether the host is a guest, or has guests.

use std::collections::BTreeSet;

use super::{Facts, Root, dmi, insert};

/// What was found so far. The first finding decides type and role; all of them are listed.
#[derive(Debug, Default)]
struct Findings {
    first: Option<(&'static str, &'static str)>,
    guest: BTreeSet<&'static str>,
    host: BTreeSet<&'static str>,
}

impl Findings {
    fn guest(&mut self, tech: &'static str) {
        self.guest.insert(tech);
        self.first.get_or_insert((tech, "guest"));
    }

    fn host(&mut self, tech: &'static str) {
        self.host.insert(tech);
        self.first.get_or_insert((tech, "host"));
    }

    fn container(&mut self, tech: &'static str) {
        self.guest.insert("container");
        self.guest(tech);
    }
}

/// Gathers `virtualization_*`: containers first, then what the firmware, the processor and the kernel tell.
pub(super) fn collect(root: &Root) -> Facts {
    let mut found = Findings::default();
    xen(root, &mut found);
    containers(root, &mut found);
    firmware(root, &mut found);
    kernel(root, &mut found);
    let (tech, role) = found.first.unwrap_or(("NA", "NA"));
    let mut facts = Facts::new();
    insert(&mut facts, "virtualization_type", tech);
    insert(&mut facts, "virtualization_role", role);
    insert(
        &mut facts,
        "virtualization_tech_guest",
        found.guest.into_iter().collect::<Vec<_>>(),
    );
    insert(
        &mut facts,
        "virtualization_tech_host",
        found.host.into_iter().collect::<Vec<_>>(),
    );
    facts
}

fn xen(root: &Root, found: &mut Findings) {
    if !root.is_dir("/proc/xen") {
        return;
    }
    if root
        .text("/proc/xen/capabilities")
        .is_some_and(|text| text.contains("control_d"))
    {
        found.host("xen");
    } else {
        found.guest("xen");
    }
}

fn containers(root: &Root, found: &mut Findings) {
    for line in root.text("/proc/1/cgroup").unwrap_or_default().lines() {
        if line.contains("/docker/") || line.contains("/docker-") {
            found.container("docker");
        } else if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") {
            found.container("lxc");
        } else if line.contains("/system.slice/containerd.service") {
            found.container("containerd");
        }
    }
    if root.exists("/.dockerenv") || root.exists("/.dockerinit") {
        found.container("docker");
    }
    let environment = root.text("/proc/1/environ").unwrap_or_default();
    let named = environment
        .split('\0')
        .find_map(|entry| entry.strip_prefix("container="));
    let systemd = root.trimmed("/run/systemd/container");
    for name in named.into_iter().chain(systemd.as_deref()) {
        match name {
            "" => {}
            "lxc" => found.container("lxc"),
            "podman" => found.container("podman"),
            "docker" => found.container("docker"),
            _ => found.container("container"),
        }
    }
    if root.exists("/run/.containerenv") {
        found.container("podman");
    }
    if root.is_dir("/proc/vz") {
        if root.exists("/proc/bc") {
            found.host("openvz");
        } else {
            found.container("openvz");
        }
    }
}

/// Names in the firmware's table, and what they are the mark of.
const PRODUCTS: [(&str, &str); 9] = [
    ("KVM", "kvm"),
    ("KVM Server", "kvm"),
    ("Bochs", "kvm"),
    ("AHV", "kvm"),
    ("VMware Virtual Platform", "VMware"),
    ("VMware7,1", "VMware"),
    ("VMware20,1", "VMware"),
    ("OpenStack Nova", "openstack"),
    ("OpenStack Compute", "openstack"),
];

const BIOS_VENDORS: [(&str, &str); 4] = [
    ("Xen", "xen"),
    ("innotek GmbH", "virtualbox"),
    ("Amazon EC2", "kvm"),
    ("Hetzner", "kvm"),
];

const SYSTEM_VENDORS: [(&str, &str); 10] = [
    ("KubeVirt", "KubeVirt"),
    ("Microsoft Corporation", "VirtualPC"),
    ("Parallels Software International Inc.", "parallels"),
    ("Parallels International GmbH.", "parallels"),
    ("QEMU", "kvm"),
    ("oVirt", "oVirt"),
    ("Amazon EC2", "kvm"),
    ("DigitalOcean", "kvm"),
    ("Google", "kvm"),
    ("Nutanix", "kvm"),
];

fn firmware(root: &Root, found: &mut Findings) {
    let product = dmi::read(root, "product_name").unwrap_or_default();
    let vendor = dmi::read(root, "sys_vendor").unwrap_or_default();
    let bios = dmi::read(root, "bios_vendor").unwrap_or_default();
    let family = dmi::read(root, "product_family").unwrap_or_default();
    let by_name = |names: &[(&str, &'static str)], name: &str| {
        names
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, tech)| *tech)
    };
    let system = match vendor.as_str() {
        // Makes real machines too.
        "Microsoft Corporation" if product != "Virtual Machine" => None,
        "Red Hat" if family == "RHV" => Some("RHEV"),
        _ => by_name(&SYSTEM_VENDORS, &vendor),
    };
    let techs = [
        by_name(&PRODUCTS, &product),
        by_name(&BIOS_VENDORS, &bios),
        system,
    ];
    for tech in techs.into_iter().flatten() {
        found.guest(tech);
    }
}

fn kernel(root: &Root, found: &mut Findings) {
    let status = root.text("/proc/self/status").unwrap_or_default();
    if let Some(id) = status.lines().find_map(|line| line.strip_prefix("VxID:")) {
        if id.trim() == "0" {
            found.host("linux_vserver")
        } else {
            found.guest("linux_vserver")
        }
    }
    processor(&root.text("/proc/cpuinfo").unwrap_or_default(), found);
    if root.exists("/dev/kvm") {
        found.host("kvm");
    }
    let modules = root.text("/proc/modules").unwrap_or_default();
    for module in modules
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        match module {
            "kvm" => found.host("kvm"),
            "vboxdrv" => found.host("virtualbox"),
            "virtio" => found.guest("kvm"),
            _ => {}
        }
    }
}

fn processor(cpuinfo: &str, found: &mut Findings) {
    for (key, value) in cpuinfo.lines().filter_map(|line| line.split_once(':')) {
        match (key.trim(), value.trim()) {
            ("model name", value) if value.starts_with("QEMU Virtual CPU") => found.guest("kvm"),
            ("vendor_id", "User Mode Linux") | ("model name", "UML") => found.guest("uml"),
            ("vendor_id", "PowerVM Lx86") => found.guest("powervm_lx86"),
            ("vendor_id", "IBM/S390") => found.guest("PR/SM"),
            ("machine", "CHRP IBM pSeries (emulated by qemu)") => found.guest("kvm"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn gathered(files: &[(&str, &str)]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let facts = collect(&Root::new(folder.path()));
        json!([
            facts["virtualization_type"],
            facts["virtualization_role"],
            facts["virtualization_tech_guest"],
            facts["virtualization_tech_host"]
        ])
    }

    #[test]
    fn a_container_decides_before_its_machine() {
        let facts = gathered(&[
            (".dockerenv", ""),
            ("sys/devices/virtual/dmi/id/sys_vendor", "QEMU\n"),
            ("dev/kvm", ""),
        ]);
        assert_eq!(
            facts,
            json!(["docker", "guest", ["container", "docker", "kvm"], ["kvm"]])
        );
    }

    #[test]
    fn cgroups_and_the_first_process_name_containers() {
        let facts = gathered(&[
            ("proc/1/cgroup", "1:name=systemd:/lxc/foo\n"),
            (".dockerenv", ""),
        ]);
        assert_eq!(
            facts,
            json!(["lxc", "guest", ["container", "docker", "lxc"], []])
        );
        let facts = gathered(&[("proc/1/environ", "A=b\0container=podman\0")]);
        assert_eq!(
            facts,
            json!(["podman", "guest", ["container", "podman"], []])
        );
    }

    #[test]
    fn firmware_names_the_hypervisor() {
        for (file, name, tech) in [
            ("product_name", "KVM", "kvm"),
            ("product_name", "VMware7,1", "VMware"),
            ("product_name", "OpenStack Nova", "openstack"),
            ("bios_vendor", "Xen", "xen"),
            ("sys_vendor", "Google", "kvm"),
            ("sys_vendor", "oVirt", "oVirt"),
        ] {
            let facts = gathered(&[(&format!("sys/devices/virtual/dmi/id/{file}"), name)]);
            assert_eq!(facts, json!([tech, "guest", [tech], []]), "{name}");
        }
    }

    #[test]
    fn a_real_machine_is_neither() {
        assert_eq!(
            gathered(&[("proc/cpuinfo", "model name: Xeon\n")]),
            json!(["NA", "NA", [], []])
        );
        assert_eq!(
            gathered(&[("proc/modules", "kvm 1 0 - Live\n")]),
            json!(["kvm", "host", [], ["kvm"]])
        );
    }

    proptest! {
        #[test]
        fn any_cpuinfo_is_survived(text in "(?s).*") {
            processor(&text, &mut Findings::default());
        }
    }
}
