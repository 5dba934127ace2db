//! Runs the collectors that a request asks for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::device_links::DeviceLinks;
use super::error::FactsError;
use super::root::Root;
use super::subset::{self, Collector};
use super::{
    capabilities, cmdline, date_time, devices, distribution, dmi, dns, env, filter, load, local,
    lsb, memory, mounts, network, pkg_mgr, platform, processor, security, service_mgr, ssh_keys,
    storage_ids, user, virtualization,
};

/// Facts by name, still without `ansible_`.
pub(super) type Facts = Map<String, Value>;

/// Runs an executable `*.fact` file and gives its output, or why there is none.
pub type Runner<'a> = dyn Fn(&Path) -> Result<String, String> + 'a;

/// Names the facts that are wanted: the arguments of the `setup` module.
#[derive(Debug, Clone)]
pub struct GatherRequest {
    /// Collectors and facts to gather, `all`, `min`, and each of them with `!` to leave it out.
    pub subset: Vec<String>,
    /// Shell patterns; only facts whose name fits one are given. All are when there is none.
    pub filter: Vec<String>,
    /// The folder of local facts.
    pub fact_path: PathBuf,
    /// How long to wait for file systems that do not answer.
    pub timeout: Duration,
}

impl Default for GatherRequest {
    fn default() -> Self {
        Self {
            subset: vec!["all".to_owned()],
            filter: Vec::new(),
            fact_path: PathBuf::from("/etc/ansible/facts.d"),
            timeout: Duration::from_secs(10),
        }
    }
}

/// Holds what was gathered.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The facts as `setup` returns them: `ansible_*`, `gather_subset` and `module_setup`.
    pub facts: Map<String, Value>,
    /// What was wrong with single facts.
    pub warnings: Vec<String>,
}

/// Gathers the facts that `request` asks for from the tree at `root`.
///
/// Reads files and asks the kernel; starts nothing but the owner's own fact scripts, by `runner`. What cannot
/// be read is left out, or `NA` where Ansible says so. Blocks: call it where blocking is allowed.
///
/// # Errors
///
/// [`FactsError::UnknownSubset`] when the subset names something that nobody gathers.
pub fn gather(
    root: &Root,
    request: &GatherRequest,
    runner: &Runner<'_>,
) -> Result<Gathered, FactsError> {
    let selected = subset::select(&request.subset)?;
    let mut gathered = Gathered::default();
    let mut facts = Facts::new();
    for collector in &selected {
        if *collector == Collector::Local {
            let (local, warnings) = local::collect(root, &request.fact_path, runner);
            facts.extend(local);
            gathered.warnings.extend(warnings);
        } else {
            let more = collect(*collector, root, request, &facts);
            facts.extend(more);
        }
    }
    gathered.facts = facts
        .into_iter()
        .map(|(name, value)| (format!("ansible_{name}"), value))
        .collect();
    insert(&mut gathered.facts, "gather_subset", request.subset.clone());
    insert(&mut gathered.facts, "module_setup", true);
    gathered
        .facts
        .retain(|name, _| filter::keeps(&request.filter, name));
    Ok(gathered)
}

/// Runs one collector; `known` are the facts of those that ran before it.
fn collect(collector: Collector, root: &Root, request: &GatherRequest, known: &Facts) -> Facts {
    let text = |name: &str| known.get(name).and_then(Value::as_str).unwrap_or_default();
    match collector {
        Collector::Platform => platform::collect(root),
        Collector::Distribution => distribution::collect(root),
        Collector::Lsb => lsb::collect(root),
        Collector::Selinux => security::selinux(root),
        Collector::Apparmor => security::apparmor(root),
        Collector::Chroot => load::chroot(root),
        Collector::Fips => security::fips(root),
        Collector::Caps => capabilities::collect(root),
        Collector::PkgMgr => pkg_mgr::collect(root, text("os_family")),
        Collector::ServiceMgr => service_mgr::collect(root, text("distribution")),
        Collector::Cmdline => cmdline::collect(root),
        Collector::DateTime => date_time::collect(root),
        Collector::Env => env::collect(),
        Collector::Loadavg => load::loadavg(),
        Collector::SshPubKeys => ssh_keys::collect(root),
        Collector::User => user::collect(root),
        Collector::Virtual => virtualization::collect(root),
        Collector::Hardware => hardware(root, text("architecture"), request.timeout),
        Collector::Dns => dns::collect(root),
        Collector::FibreChannelWwn => storage_ids::fibre_channel(root),
        Collector::Network => network::collect(root),
        Collector::Iscsi => storage_ids::iscsi(root),
        Collector::Nvme => storage_ids::nvme(root),
        // Local facts are the caller's. The others need programs: an interpreter, systemctl, facter, ohai.
        Collector::Local
        | Collector::Python
        | Collector::Systemd
        | Collector::Facter
        | Collector::Ohai => Facts::new(),
    }
}

fn hardware(root: &Root, architecture: &str, timeout: Duration) -> Facts {
    let links = DeviceLinks::read(root);
    let mut facts = processor::collect(root, architecture);
    facts.extend(memory::collect(root));
    facts.extend(dmi::collect(root));
    facts.extend(devices::collect(root, &links));
    facts.extend(mounts::collect(root, &links, timeout));
    // Logical volumes are known to the LVM programs only.
    insert(&mut facts, "lvm", "N/A");
    facts
}

/// Enters a fact.
pub(super) fn insert(facts: &mut Facts, name: &str, value: impl Into<Value>) {
    facts.insert(name.to_owned(), value.into());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn gather_host(subset: &[&str], filter: &[&str]) -> Gathered {
        let request = GatherRequest {
            subset: subset.iter().map(|word| (*word).to_owned()).collect(),
            filter: filter.iter().map(|pattern| (*pattern).to_owned()).collect(),
            ..GatherRequest::default()
        };
        gather(&Root::host(), &request, &|_| {
            Err("not run in tests".to_owned())
        })
        .unwrap()
    }

    #[test]
    fn a_filter_drops_the_markers_too() {
        let names = |filter: &[&str]| {
            gather_host(&["!all"], filter)
                .facts
                .keys()
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(
            names(&["ansible_system", "os_fam*"]),
            BTreeSet::from(["ansible_os_family", "ansible_system"].map(str::to_owned))
        );
        assert!(names(&["zzz"]).is_empty());
        assert!(names(&[]).contains("module_setup"));
    }

    #[test]
    fn nothing_but_the_markers_is_left_without_all_and_min() {
        let facts = gather_host(&["!all", "!min"], &[]).facts;
        assert_eq!(
            Value::Object(facts),
            serde_json::json!({"gather_subset": ["!all", "!min"], "module_setup": true})
        );
    }

    #[test]
    fn the_host_itself_has_facts_of_every_kind() {
        let facts = gather_host(&["all"], &[]).facts;
        for name in [
            "system",
            "distribution",
            "date_time",
            "mounts",
            "interfaces",
            "virtualization_type",
            "local",
        ] {
            assert!(facts.contains_key(&format!("ansible_{name}")), "{name}");
        }
    }

    #[test]
    fn an_empty_tree_gives_facts_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let gathered = gather(
            &Root::new(folder.path()),
            &GatherRequest::default(),
            &|_| Err(String::new()),
        )
        .unwrap();
        assert_eq!(gathered.facts["ansible_distribution"], "OtherLinux");
        assert_eq!(gathered.facts["ansible_interfaces"], serde_json::json!([]));
    }
}
