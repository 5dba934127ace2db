//! The module `package`: whatever package manager the host has.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{Default, DynModule, Failure, ModuleResult, Object, Opt, Spec, Target, Type};
use serde_json::Value;

/// The module `package`. It hands its options to the module of the host's manager, whatever they are.
pub(crate) struct Package;

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    // Each manager has a state of its own where none is given.
    Opt::new("state", Type::Str),
    Opt::new("use", Type::Str).default(Default::Str("auto")),
];

const SPEC: Spec = Spec::new("package", OPTIONS).any_option();

/// Managers by a program of theirs, the likelier first.
const PROGRAMS: &[(&str, &str)] = &[
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/bin/pacman", "pacman"),
    ("/sbin/apk", "apk"),
];

#[async_trait]
impl DynModule for Package {
    fn spec(&self) -> &'static Spec {
        const { &SPEC }
    }

    async fn call(&self, target: &dyn Target, mut args: Object) -> ModuleResult {
        let given = args.remove("use").unwrap_or(Value::Null);
        let manager = match given.as_str() {
            None | Some("auto" | "") => host_manager(Path::new("/")),
            Some(name) => Some(name),
        };
        let Some(manager) = manager else {
            let msg = "Could not detect which package manager to use. Try gathering facts or setting the \"use\" option.";
            return Failure::new(msg).into();
        };
        let modules = super::FAMILY.iter();
        let is_manager = PROGRAMS.iter().any(|(_, name)| *name == short(manager));
        let module = modules
            .filter(|_| is_manager)
            .find(|module| short(module.spec().name) == short(manager));
        match module {
            Some(module) => module.call(target, args).await,
            None => {
                let msg = format!(
                    "Could not find a matching action for the \"{manager}\" package manager."
                );
                Failure::new(msg).into()
            }
        }
    }
}

/// A module's name without its collection.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The manager that the host has.
pub(crate) fn host_manager(root: &Path) -> Option<&'static str> {
    let has = |path: &str| root.join(path.trim_start_matches('/')).exists();
    let (_, manager) = PROGRAMS.iter().find(|(path, _)| has(path))?;
    Some(manager)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_managers_may_carry_their_collection() {
        assert_eq!(short("community.general.apk"), "apk");
        assert_eq!(short("apt"), "apt");
    }

    #[test]
    fn every_manager_has_a_module() {
        for (_, manager) in PROGRAMS {
            let mut names = crate::FAMILY.iter().map(|module| short(module.spec().name));
            assert!(names.any(|name| name == *manager), "{manager}");
        }
    }
}
