//! Which subset of `setup` gives which fact.

/// The facts of each subset, without `ansible_`. Facts about one interface are missing: its name is not known before.
const SUBSETS: &[(&str, &[&str])] = &[
    ("apparmor", &["apparmor"]),
    (
        "caps",
        &["system_capabilities", "system_capabilities_enforced"],
    ),
    ("chroot", &["is_chroot"]),
    ("cmdline", &["cmdline", "proc_cmdline"]),
    ("date_time", &["date_time"]),
    (
        "distribution",
        &[
            "distribution",
            "distribution_file_parsed",
            "distribution_file_path",
            "distribution_file_variety",
            "distribution_major_version",
            "distribution_minor_version",
            "distribution_release",
            "distribution_version",
            "os_family",
        ],
    ),
    ("dns", &["dns"]),
    ("env", &["env"]),
    ("fibre_channel_wwn", &["fibre_channel_wwn"]),
    ("fips", &["fips"]),
    (
        "hardware",
        &[
            "bios_date",
            "bios_vendor",
            "bios_version",
            "board_asset_tag",
            "board_name",
            "board_serial",
            "board_vendor",
            "board_version",
            "chassis_asset_tag",
            "chassis_serial",
            "chassis_vendor",
            "chassis_version",
            "device_links",
            "devices",
            "flags",
            "form_factor",
            "lvm",
            "memfree_mb",
            "memory_mb",
            "memtotal_mb",
            "mounts",
            "processor",
            "processor_cores",
            "processor_count",
            "processor_nproc",
            "processor_threads_per_core",
            "processor_vcpus",
            "product_name",
            "product_serial",
            "product_uuid",
            "product_version",
            "swapfree_mb",
            "swaptotal_mb",
            "system_vendor",
            "uptime_seconds",
        ],
    ),
    ("iscsi", &["iscsi_iqn"]),
    ("loadavg", &["loadavg"]),
    ("local", &["local"]),
    ("lsb", &["lsb"]),
    (
        "network",
        &[
            "all_ipv4_addresses",
            "all_ipv6_addresses",
            "default_ipv4",
            "default_ipv6",
            "interfaces",
            "locally_reachable_ips",
        ],
    ),
    ("nvme", &["hostnqn"]),
    ("pkg_mgr", &["pkg_mgr"]),
    (
        "platform",
        &[
            "architecture",
            "domain",
            "fqdn",
            "hostname",
            "kernel",
            "kernel_version",
            "machine",
            "machine_id",
            "nodename",
            "python_version",
            "system",
            "userspace_architecture",
            "userspace_bits",
        ],
    ),
    ("python", &["python"]),
    ("selinux", &["selinux", "selinux_python_present"]),
    ("service_mgr", &["service_mgr"]),
    (
        "ssh_pub_keys",
        &[
            "ssh_host_key_dsa_public",
            "ssh_host_key_dsa_public_keytype",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ecdsa_public_keytype",
            "ssh_host_key_ed25519_public",
            "ssh_host_key_ed25519_public_keytype",
            "ssh_host_key_rsa_public",
            "ssh_host_key_rsa_public_keytype",
        ],
    ),
    ("systemd", &["systemd"]),
    (
        "user",
        &[
            "effective_group_id",
            "effective_user_id",
            "real_group_id",
            "real_user_id",
            "user_dir",
            "user_gecos",
            "user_gid",
            "user_id",
            "user_shell",
            "user_uid",
        ],
    ),
    (
        "virtual",
        &[
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
            "virtualization_type",
        ],
    ),
];

/// Variables that begin with `ansible_` and are no facts: what the run says of itself, and how hosts are reached.
const NO_FACTS: &[&str] = &[
    "async_dir",
    "check_mode",
    "collection_name",
    "config_file",
    "connection",
    "diff_mode",
    "failed_result",
    "failed_task",
    "forks",
    "group_priority",
    "host",
    "host_key_checking",
    "index_var",
    "inventory_sources",
    "job_id",
    "limit",
    "loop",
    "loop_var",
    "managed",
    "parent_role_names",
    "parent_role_paths",
    "password",
    "play_batch",
    "play_hosts",
    "play_hosts_all",
    "play_name",
    "play_role_names",
    "playbook_python",
    "port",
    "python_interpreter",
    "remote_tmp",
    "role_name",
    "run_tags",
    "search_path",
    "skip_tags",
    "timeout",
    "user",
    "verbosity",
    "version",
];

/// How the names of other such variables begin.
const NO_FACT_BEGINNINGS: &[&str] = &["become", "ssh_", "sudo_", "su_", "doas_", "runuser_"];

/// The subset that gives a fact; none where it is not known.
pub(super) fn subset_of(fact: &str) -> Option<&'static str> {
    let found = SUBSETS.iter().find(|(_, facts)| facts.contains(&fact));
    found.map(|(subset, _)| *subset)
}

/// Whether a variable, named without `ansible_`, is no fact.
pub(super) fn is_no_fact(name: &str) -> bool {
    NO_FACTS.contains(&name)
        || NO_FACT_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

/// Whether a member of `ansible_facts` comes from another module than `setup`.
pub(super) fn is_of_other_module(name: &str) -> bool {
    matches!(name, "packages" | "services") || name.starts_with("getent_")
}
