//! What `gather_subset` asks for.

use std::collections::BTreeSet;

use super::error::FactsError;

/// One collector, by the name that `gather_subset` knows it by. The order is the one they run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Collector {
    Platform,
    Distribution,
    Lsb,
    Selinux,
    Apparmor,
    Chroot,
    Fips,
    Python,
    Caps,
    PkgMgr,
    ServiceMgr,
    Cmdline,
    DateTime,
    Env,
    Loadavg,
    SshPubKeys,
    User,
    Systemd,
    Virtual,
    Hardware,
    Dns,
    FibreChannelWwn,
    Network,
    Iscsi,
    Nvme,
    Local,
    Facter,
    Ohai,
}

/// What is known of a collector: its name, the facts that name it too, and whether it is of the `min` set.
struct Entry {
    collector: Collector,
    name: &'static str,
    facts: &'static [&'static str],
    minimal: bool,
}

const fn entry(
    collector: Collector,
    name: &'static str,
    facts: &'static [&'static str],
    minimal: bool,
) -> Entry {
    Entry {
        collector,
        name,
        facts,
        minimal,
    }
}

const ENTRIES: &[Entry] = &[
    entry(
        Collector::Platform,
        "platform",
        &[
            "architecture",
            "kernel",
            "kernel_version",
            "machine",
            "machine_id",
            "python_version",
            "system",
        ],
        true,
    ),
    entry(
        Collector::Distribution,
        "distribution",
        &[
            "distribution_major_version",
            "distribution_release",
            "distribution_version",
            "os_family",
        ],
        true,
    ),
    entry(Collector::Lsb, "lsb", &[], true),
    entry(Collector::Selinux, "selinux", &[], true),
    entry(Collector::Apparmor, "apparmor", &[], true),
    entry(Collector::Chroot, "chroot", &["is_chroot"], false),
    entry(Collector::Fips, "fips", &[], true),
    entry(Collector::Python, "python", &[], true),
    entry(
        Collector::Caps,
        "caps",
        &["system_capabilities", "system_capabilities_enforced"],
        true,
    ),
    entry(Collector::PkgMgr, "pkg_mgr", &[], true),
    entry(Collector::ServiceMgr, "service_mgr", &[], true),
    entry(Collector::Cmdline, "cmdline", &[], true),
    entry(Collector::DateTime, "date_time", &[], true),
    entry(Collector::Env, "env", &[], true),
    entry(Collector::Loadavg, "loadavg", &[], false),
    entry(
        Collector::SshPubKeys,
        "ssh_pub_keys",
        &[
            "ssh_host_key_dsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
            "ssh_host_key_rsa_public",
            "ssh_host_pub_keys",
        ],
        true,
    ),
    entry(
        Collector::User,
        "user",
        &[
            "effective_group_ids",
            "effective_user_id",
            "real_user_id",
            "user_dir",
            "user_gecos",
            "user_gid",
            "user_id",
            "user_shell",
            "user_uid",
        ],
        true,
    ),
    entry(Collector::Systemd, "systemd", &[], false),
    entry(
        Collector::Virtual,
        "virtual",
        &[
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
            "virtualization_type",
        ],
        false,
    ),
    entry(
        Collector::Hardware,
        "hardware",
        &[
            "devices",
            "mounts",
            "processor",
            "processor_cores",
            "processor_count",
        ],
        false,
    ),
    entry(Collector::Dns, "dns", &[], true),
    entry(Collector::FibreChannelWwn, "fibre_channel_wwn", &[], false),
    entry(
        Collector::Network,
        "network",
        &[
            "all_ipv4_addresses",
            "all_ipv6_addresses",
            "default_ipv4",
            "default_ipv6",
            "interfaces",
        ],
        false,
    ),
    entry(Collector::Iscsi, "iscsi", &[], false),
    entry(Collector::Nvme, "nvme", &[], false),
    entry(Collector::Local, "local", &[], true),
    entry(Collector::Facter, "facter", &[], false),
    entry(Collector::Ohai, "ohai", &[], false),
];

/// Every word that `gather_subset` takes, sorted.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = ENTRIES
        .iter()
        .flat_map(|entry| entry.facts.iter().copied().chain([entry.name]))
        .collect();
    names.extend(["all", "min"]);
    names.sort_unstable();
    names
}

/// The collectors that `subset` asks for, with those that they need.
///
/// The `min` set is in unless `!min` is given; a word without `!` wins over one with it; the name of a single
/// fact stands for its whole collector, but its negation takes nothing away. An empty list means `all`.
pub(super) fn select(subset: &[String]) -> Result<BTreeSet<Collector>, FactsError> {
    let all = || ENTRIES.iter().map(|entry| entry.collector);
    let minimal = || {
        ENTRIES
            .iter()
            .filter(|entry| entry.minimal)
            .map(|entry| entry.collector)
    };
    let mut taken: BTreeSet<Collector> = if subset.is_empty() {
        all().collect()
    } else {
        minimal().collect()
    };
    let mut explicit = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for word in subset {
        match word.as_str() {
            "min" => taken.extend(minimal()),
            "all" => taken.extend(all()),
            "!min" => refused.extend(minimal()),
            "!all" => refused.extend(
                ENTRIES
                    .iter()
                    .filter(|entry| !entry.minimal)
                    .map(|entry| entry.collector),
            ),
            // What is refused need not be known.
            word => match word.strip_prefix('!') {
                Some(name) => {
                    refused.extend(
                        ENTRIES
                            .iter()
                            .find(|entry| entry.name == name)
                            .map(|entry| entry.collector),
                    );
                }
                None => {
                    explicit.insert(named(word)?);
                }
            },
        }
    }
    let mut selected: BTreeSet<Collector> = taken
        .difference(&refused)
        .copied()
        .chain(explicit)
        .collect();
    let needed: Vec<Collector> = selected
        .iter()
        .flat_map(|collector| needs(*collector))
        .copied()
        .collect();
    selected.extend(needed);
    Ok(selected)
}

fn named(word: &str) -> Result<Collector, FactsError> {
    ENTRIES
        .iter()
        .find(|entry| entry.name == word || entry.facts.contains(&word))
        .map(|entry| entry.collector)
        .ok_or_else(|| FactsError::UnknownSubset {
            name: word.to_owned(),
        })
}

/// What else is gathered when a collector runs.
fn needs(collector: Collector) -> &'static [Collector] {
    match collector {
        Collector::PkgMgr => &[Collector::Distribution],
        Collector::ServiceMgr | Collector::Network => {
            &[Collector::Distribution, Collector::Platform]
        }
        Collector::Hardware => &[Collector::Platform],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select_words(words: &str) -> BTreeSet<Collector> {
        let words: Vec<String> = words.split(',').map(str::to_owned).collect();
        select(&words).unwrap()
    }

    fn minimal() -> BTreeSet<Collector> {
        ENTRIES
            .iter()
            .filter(|entry| entry.minimal)
            .map(|entry| entry.collector)
            .collect()
    }

    #[test]
    fn min_is_always_in_unless_it_is_refused() {
        assert_eq!(select_words("!all"), minimal());
        assert_eq!(select_words("min"), minimal());
        assert_eq!(select_words("!hardware"), minimal());
        assert_eq!(select_words("all,!all"), minimal());
        assert!(select_words("!min").is_empty());
        assert!(select_words("!all,min,!min").is_empty());
        assert!(!select_words("!env").contains(&Collector::Env));
    }

    #[test]
    fn all_means_everything_and_takes_negations() {
        assert_eq!(select(&[]).unwrap().len(), ENTRIES.len());
        assert_eq!(select_words("all").len(), ENTRIES.len());
        assert!(!select_words("all,!hardware").contains(&Collector::Hardware));
        assert!(select_words("all,!mounts").contains(&Collector::Hardware));
        assert!(!select_words("all,!min").contains(&Collector::Env));
    }

    #[test]
    fn an_explicit_word_wins_over_its_negation() {
        assert!(select_words("!all,!min,mounts,!hardware").contains(&Collector::Hardware));
        assert_eq!(select_words("!min,env"), BTreeSet::from([Collector::Env]));
    }

    #[test]
    fn a_collector_brings_what_it_needs() {
        let expected = BTreeSet::from([
            Collector::Platform,
            Collector::Distribution,
            Collector::ServiceMgr,
        ]);
        assert_eq!(select_words("!all,!min,service_mgr,!platform"), expected);
        assert_eq!(
            select_words("!all,!min,processor"),
            BTreeSet::from([Collector::Hardware, Collector::Platform])
        );
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_it_and_the_known_ones() {
        let error = select(&["all".to_owned(), "bogus".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("bad subset `bogus`: "), "{error}");
        assert!(error.contains("hardware, interfaces"), "{error}");
        assert!(select(&["".to_owned()]).is_err());
        assert!(select(&["!bogus".to_owned()]).is_ok());
    }
}
