//! The module `package_facts`: what is installed, as a fact.

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::dpkg::Database;

/// The module `package_facts`.
pub(crate) struct PackageFacts;

/// The arguments of `package_facts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    manager: Vec<String>,
    strategy: String,
}

const OPTIONS: &[Opt] = &[
    Opt::new("manager", Type::List(&Type::Str)).default(Default::List(&["auto"])),
    Opt::new("strategy", Type::Str)
        .default(Default::Str("first"))
        .choices(&["all", "first"]),
];

/// Managers that can be asked, each with the names that mean it, in the order in which they are tried.
const MANAGERS: &[(Manager, &[&str])] = &[
    (Manager::Apk, &["apk"]),
    (Manager::Apt, &["apt"]),
    (Manager::Pacman, &["pacman"]),
    (Manager::Rpm, &["rpm", "yum", "dnf", "dnf5", "zypper"]),
];

/// Managers of other systems, which have their names and nothing to ask here.
const ELSEWHERE: &[&str] = &["openbsd_pkg", "pkg", "pkg5", "pkg_info", "pkgng", "portage"];

/// A manager that can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manager {
    Apk,
    Apt,
    Pacman,
    Rpm,
}

/// The installed packages by name; each name has a list, for it may be there more than once.
type Packages = Map<String, Value>;

#[async_trait]
impl Module for PackageFacts {
    type Args = Args;
    type State = (Packages, Vec<String>);
    const SPEC: Spec = Spec::new("package_facts", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Self::State, Failure> {
        let managers = args.managers()?;
        let (mut packages, mut warnings, mut found) = (Packages::new(), Vec::new(), false);
        for manager in managers {
            if found && args.strategy == "first" {
                break;
            }
            let Some(tool) = Tool::look(target, manager.program()) else {
                continue;
            };
            match manager.packages(target, &tool).await {
                Ok(own) => {
                    found = true;
                    for (name, versions) in own {
                        merge(&mut packages, name, versions);
                    }
                }
                Err(failure) => warnings.push(format!(
                    "Failed to retrieve packages with {}: {failure}",
                    manager.name()
                )),
            }
        }
        if found {
            return Ok((packages, warnings));
        }
        let tried: Vec<&str> = args
            .managers()?
            .iter()
            .map(|manager| manager.name())
            .collect();
        let tried = tried.join(", ");
        let mut failure = Failure::new(format!(
            "Could not detect a supported package manager from the following list: [{tried}], or the required program is not installed."
        ));
        failure.warnings = warnings;
        Err(failure)
    }

    fn diff(&self, _args: &Args, (packages, warnings): &Self::State, _mode: Mode) -> Verdict {
        let facts = json!({ "packages": packages });
        let mut output = Output::new(Object::from_iter([("ansible_facts".to_owned(), facts)]));
        output.warnings.clone_from(warnings);
        Verdict::unchanged(output)
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _state: Self::State,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

impl Args {
    /// The managers to be tried, in order, each once.
    fn managers(&self) -> Result<Vec<Manager>, Failure> {
        let mut managers = Vec::new();
        let mut unknown = Vec::new();
        for name in &self.manager {
            let name = name.to_lowercase();
            if name == "auto" {
                managers.extend(MANAGERS.iter().map(|(manager, _)| *manager));
            } else if let Some((manager, _)) = MANAGERS
                .iter()
                .find(|(_, names)| names.contains(&name.as_str()))
            {
                managers.push(*manager);
            } else if !ELSEWHERE.contains(&name.as_str()) {
                unknown.push(name);
            }
        }
        if !unknown.is_empty() {
            let msg = format!(
                "Unsupported package managers requested: {}",
                unknown.join(", ")
            );
            return Err(Failure::new(msg));
        }
        let mut once: Vec<Manager> = Vec::new();
        for manager in managers {
            if !once.contains(&manager) {
                once.push(manager);
            }
        }
        Ok(once)
    }
}

impl Manager {
    const fn name(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Apt => "apt",
            Self::Pacman => "pacman",
            Self::Rpm => "rpm",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Apt => "dpkg-query",
            other => other.name(),
        }
    }

    async fn packages(self, target: &dyn Target, tool: &Tool<'_>) -> Result<Packages, Failure> {
        let words: &[&str] = match self {
            Self::Apt => {
                let database = Database::read(target).await?;
                return Ok(dpkg_packages(&database));
            }
            Self::Apk => &["info", "-v"],
            Self::Pacman => &["-Qi"],
            Self::Rpm => &["-qa", "--qf", RPM_FORMAT],
        };
        let ran = tool.run(words).await?;
        if !ran.is_success() {
            return Err(Failure::new(ran.stderr.trim()));
        }
        Ok(match self {
            Self::Apk => apk_packages(&ran.stdout),
            Self::Pacman => pacman_packages(&ran.stdout),
            _ => rpm_packages(&ran.stdout),
        })
    }
}

const RPM_FORMAT: &str = "%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%{EPOCH}\\t%{ARCH}\\n";

fn merge(packages: &mut Packages, name: String, versions: Value) {
    match (packages.entry(name).or_insert_with(|| json!([])), versions) {
        (Value::Array(all), Value::Array(more)) => all.extend(more),
        (all, more) => *all = more,
    }
}

fn dpkg_packages(database: &Database) -> Packages {
    let mut packages = Packages::new();
    for known in database.installed() {
        let package = json!({
            "name": known.name,
            "version": known.version,
            "arch": known.architecture,
            "category": known.section,
            "origin": "",
            "source": "apt",
        });
        merge(&mut packages, known.name.clone(), json!([package]));
    }
    packages
}

fn rpm_packages(text: &str) -> Packages {
    let mut packages = Packages::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[name, version, release, epoch, arch] = fields.as_slice() else {
            continue;
        };
        let epoch = epoch.parse::<u64>().map_or(Value::Null, Value::from);
        let arch = if arch == "(none)" {
            Value::Null
        } else {
            arch.into()
        };
        let package = json!({
            "name": name,
            "version": version,
            "release": release,
            "epoch": epoch,
            "arch": arch,
            "source": "rpm",
        });
        merge(&mut packages, name.to_owned(), json!([package]));
    }
    packages
}

/// Reads `name-version-rRELEASE` lines.
fn apk_packages(text: &str) -> Packages {
    let mut packages = Packages::new();
    for line in text.lines() {
        let mut parts = line.trim().rsplitn(3, '-');
        let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let version = format!("{version}-{release}");
        let package =
            json!({ "name": name, "version": version, "release": release, "source": "apk" });
        merge(&mut packages, name.to_owned(), json!([package]));
    }
    packages
}

/// Reads blocks of `Name : x`, `Version : y`.
fn pacman_packages(text: &str) -> Packages {
    let mut packages = Packages::new();
    for block in text.split("\n\n") {
        let field = |wanted: &str| {
            let pairs = block.lines().filter_map(|line| line.split_once(':'));
            let mut values = pairs.filter(|(key, _)| key.trim() == wanted);
            values.next().map(|(_, value)| value.trim().to_owned())
        };
        if let (Some(name), Some(version), arch) =
            (field("Name"), field("Version"), field("Architecture"))
        {
            let package =
                json!({ "name": name, "version": version, "arch": arch, "source": "pacman" });
            merge(&mut packages, name, json!([package]));
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(managers: &[&str]) -> Args {
        Args {
            manager: managers.iter().map(|name| (*name).to_owned()).collect(),
            strategy: "first".into(),
        }
    }

    #[test]
    fn managers_are_tried_once_each_and_unknown_ones_are_told_together() {
        let managers = args(&["DNF", "rpm", "apt"]).managers();
        assert_eq!(managers, Ok(vec![Manager::Rpm, Manager::Apt]));
        let failure = args(&["apt", "nope", "nor"]).managers();
        let msg = failure.map_err(|failure| failure.msg);
        assert_eq!(
            msg,
            Err("Unsupported package managers requested: nope, nor".into())
        );
    }

    #[test]
    fn samples_of_output_become_packages() {
        let rpm = rpm_packages(
            "bash\t5.1.8\t6.el9\t(none)\tx86_64\ngpg-pubkey\t8483c65d\t5ccc5b19\t1\t(none)\n",
        );
        assert_eq!(rpm["bash"][0]["release"], "6.el9");
        assert_eq!(rpm["bash"][0]["epoch"], Value::Null);
        assert_eq!(rpm["gpg-pubkey"][0]["epoch"], 1);
        assert_eq!(rpm["gpg-pubkey"][0]["arch"], Value::Null);
        let apk = apk_packages("alpine-baselayout-3.4.3-r2\nmusl-1.2.4_git20230717-r4\n");
        assert_eq!(apk["alpine-baselayout"][0]["version"], "3.4.3-r2");
        assert_eq!(apk["musl"][0]["version"], "1.2.4_git20230717-r4");
        let pacman = pacman_packages(
            "Name            : acl\nVersion         : 2.3.1-3\nArchitecture    : x86_64\n\nName            : bash\nVersion         : 5.2.015-1\nArchitecture    : x86_64\n",
        );
        assert_eq!(pacman["acl"][0]["version"], "2.3.1-3");
        assert_eq!(pacman.len(), 2);
    }
}
