//! The options of `apt`.

use std::time::Duration;

use rustle_module::{Constraint, Default, Opt, Spec, Type};
use serde::Deserialize;

/// What shall be of the packages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Absent,
    BuildDep,
    Latest,
    Present,
    Fixed,
}

/// How far all packages are upgraded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Upgrade {
    Dist,
    Full,
    No,
    Safe,
    Yes,
}

/// The arguments of `apt`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    pub(super) allow_change_held_packages: bool,
    pub(super) allow_downgrade: bool,
    pub(super) allow_unauthenticated: bool,
    pub(super) autoclean: bool,
    pub(super) autoremove: bool,
    pub(super) cache_valid_time: i64,
    pub(super) clean: bool,
    pub(super) deb: Option<String>,
    pub(super) default_release: Option<String>,
    pub(super) dpkg_options: String,
    pub(super) fail_on_autoremove: bool,
    pub(super) force: bool,
    pub(super) install_recommends: Option<bool>,
    pub(super) lock_timeout: i64,
    pub(super) only_upgrade: bool,
    pub(super) package: Option<Vec<String>>,
    pub(super) policy_rc_d: Option<i64>,
    pub(super) purge: bool,
    pub(super) state: State,
    pub(super) update_cache: Option<bool>,
    pub(super) update_cache_retries: u32,
    pub(super) update_cache_retry_max_delay: u64,
    pub(super) upgrade: Option<Upgrade>,
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

const OPTIONS: &[Opt] = &[
    flag("allow_change_held_packages"),
    flag("allow_downgrade").aliases(&["allow-downgrade", "allow_downgrades", "allow-downgrades"]),
    flag("allow_unauthenticated").aliases(&["allow-unauthenticated"]),
    // There is no module of Python's to be installed; it is taken and means nothing.
    Opt::new("auto_install_module_deps", Type::Bool).default(Default::Bool(true)),
    flag("autoclean"),
    flag("autoremove"),
    Opt::new("cache_valid_time", Type::Int).default(Default::Int(0)),
    flag("clean"),
    Opt::new("deb", Type::Path),
    Opt::new("default_release", Type::Str).aliases(&["default-release"]),
    Opt::new("dpkg_options", Type::Str).default(Default::Str("force-confdef,force-confold")),
    flag("fail_on_autoremove"),
    flag("force"),
    // `apt-get` does it in any case; it is taken and means nothing.
    flag("force_apt_get"),
    Opt::new("install_recommends", Type::Bool).aliases(&["install-recommends"]),
    Opt::new("lock_timeout", Type::Int).default(Default::Int(60)),
    flag("only_upgrade"),
    Opt::new("package", Type::List(&Type::Str)).aliases(&["pkg", "name"]),
    Opt::new("policy_rc_d", Type::Int),
    flag("purge"),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "build-dep", "fixed", "latest", "present"]),
    Opt::new("update_cache", Type::Bool).aliases(&["update-cache"]),
    Opt::new("update_cache_retries", Type::Int).default(Default::Int(5)),
    Opt::new("update_cache_retry_max_delay", Type::Int).default(Default::Int(12)),
    Opt::new("upgrade", Type::Str)
        .default(Default::Str("no"))
        .choices(&["dist", "full", "no", "safe", "yes"]),
];

/// The specification of `apt`.
pub(super) const SPEC: Spec = Spec::new("apt", OPTIONS).constraints(&[
    Constraint::MutuallyExclusive(&["deb", "package", "upgrade"]),
    Constraint::RequiredOneOf(&["autoremove", "deb", "package", "update_cache", "upgrade"]),
]);

impl Args {
    /// What apt is told by `-o` on every call.
    pub(super) fn apt_options(&self) -> Vec<String> {
        let options = self
            .dpkg_options
            .split(',')
            .filter(|option| !option.is_empty());
        let mut options: Vec<String> = options
            .map(|option| format!("Dpkg::Options::=--{option}"))
            .collect();
        options.push(format!("DPkg::Lock::Timeout={}", self.lock_timeout));
        options
    }

    /// How long locks of others are waited for.
    pub(super) fn lock_timeout(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.lock_timeout).unwrap_or(u64::MAX >> 1))
    }

    /// The packages that are named.
    pub(super) fn names(&self) -> Vec<&str> {
        let names = self.package.iter().flatten();
        names.map(|name| name.trim()).collect()
    }

    /// What all packages are upgraded by, where they are.
    pub(super) fn upgrade(&self) -> Option<Upgrade> {
        self.upgrade.filter(|upgrade| *upgrade != Upgrade::No)
    }
}
