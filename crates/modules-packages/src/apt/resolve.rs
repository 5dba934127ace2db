//! From what a task asks for to the call of `apt-get` that makes it so.

use std::cmp::Ordering;

use rustle_module::{Failure, Target};

use super::args::{Args, State};
use super::available::{Available, Versions, all_names};
use super::cache;
use super::command::AptGet;
use super::name::{Pin, Wanted};
use crate::dpkg::{Database, Known, compare_versions};
use crate::glob;
use crate::plan::{Plan, Standing, Wish};

/// The call that installs or removes packages; none where all are as they shall be.
///
/// # Errors
/// When a package or a version of it is nowhere to be had.
pub(super) async fn resolve(target: &dyn Target, args: &Args) -> Result<Option<AptGet>, Failure> {
    let wanted = wanted(target, args).await?;
    if args.state == State::BuildDep {
        let names = wanted.into_iter().map(|wanted| wanted.name).collect();
        return Ok(Some(args.install("build-dep", names)));
    }
    let database = Database::read(target).await?;
    if args.state == State::Absent {
        let standings = wanted.into_iter().map(|wanted| {
            let standing = args.remaining(&database, &wanted);
            (wanted.name, standing)
        });
        let plan = Plan::new(Wish::Absent, standings);
        return Ok((!plan.is_empty()).then(|| args.remove(plan.remove)));
    }
    let unsettled: Vec<&str> = wanted
        .iter()
        .filter(|wanted| args.needs_archives(&database, wanted))
        .map(|wanted| wanted.name.as_str())
        .collect();
    let available = Available::read(target, &unsettled, args.default_release.as_deref()).await?;
    let mut standings = Vec::new();
    for wanted in &wanted {
        if args.only_upgrade && !is_installed(&database, &wanted.name) {
            continue;
        }
        standings.push(args.standing(&database, &available, wanted)?);
    }
    let wish = match args.state {
        State::Latest => Wish::Latest,
        _ => Wish::Present,
    };
    let packages = Plan::new(wish, standings).wanted();
    let is_repair = args.state == State::Fixed;
    Ok((is_repair || !packages.is_empty()).then(|| args.install("install", packages)))
}

/// The packages that are named, patterns replaced by what matches them.
async fn wanted(target: &dyn Target, args: &Args) -> Result<Vec<Wanted>, Failure> {
    let mut wanted = Vec::new();
    let mut names = None;
    for text in args.names() {
        if text.matches('=').count() > 1 {
            return Err(Failure::new(format!("invalid package spec: {text}")));
        }
        let one = Wanted::parse(text);
        if !glob::is_pattern(&one.name) {
            wanted.push(one);
            continue;
        }
        let names = match &mut names {
            Some(names) => names,
            none => none.insert(all_names(target).await?),
        };
        let matching = one.expand(names);
        if matching.is_empty() {
            let msg = format!("No package(s) matching '{text}' available");
            return Err(Failure::new(msg));
        }
        wanted.extend(matching);
    }
    Ok(wanted)
}

fn is_installed(database: &Database, name: &str) -> bool {
    database.find(name).is_some_and(|known| known.is_installed)
}

impl Args {
    /// How a package is that shall go: with `purge` it is there as long as files of it are.
    fn remaining(&self, database: &Database, wanted: &Wanted) -> Standing {
        let known = database.find(&wanted.name);
        let known = known.filter(|known| fits(wanted.pin.as_ref(), &known.version));
        match known {
            Some(known) if known.is_installed || self.purge => Standing::Current,
            _ => Standing::Missing,
        }
    }

    /// Whether what is installed does not settle it.
    fn needs_archives(&self, database: &Database, wanted: &Wanted) -> bool {
        let Some(known) = database
            .find(&wanted.name)
            .filter(|known| known.is_installed)
        else {
            return true;
        };
        self.state == State::Latest || !fits(wanted.pin.as_ref(), &known.version)
    }

    /// How a package is that shall be there, in the words of `apt-get`.
    fn standing(
        &self,
        database: &Database,
        available: &Available,
        wanted: &Wanted,
    ) -> Result<(String, Standing), Failure> {
        let name = &wanted.name;
        let known = database.find(name).filter(|known| known.is_installed);
        if !self.needs_archives(database, wanted) {
            return Ok((name.clone(), Standing::Current));
        }
        let versions = available.versions(name);
        let Some(pin) = &wanted.pin else {
            return self.unpinned(database, available, name, known);
        };
        let best = versions.and_then(|versions| best(versions, pin));
        // As in Ansible this comes once the lists were seen to, and says when that was.
        let missing = || match versions {
            Some(_) => {
                let msg = format!("no available installation candidate for {name}{pin}");
                let mut failure = Failure::new(msg);
                cache::add_to(&mut failure.result, false);
                failure
            }
            None => no_package(name),
        };
        let best = match (best, known) {
            (Some(best), _) => best.to_owned(),
            (None, Some(known)) if fits(Some(pin), &known.version) => known.version.clone(),
            (None, _) => return Err(missing()),
        };
        let standing = match known {
            None => Standing::Missing,
            Some(known) if known.version == best => Standing::Current,
            Some(_) => Standing::Unfit,
        };
        Ok((format!("{name}={best}"), standing))
    }

    fn unpinned(
        &self,
        database: &Database,
        available: &Available,
        name: &str,
        known: Option<&Known>,
    ) -> Result<(String, Standing), Failure> {
        let versions = available.versions(name);
        let standing = match (known, versions) {
            (Some(known), versions) => {
                let candidate = versions.and_then(|versions| versions.candidate.as_deref());
                let is_newer = candidate.is_some_and(|candidate| {
                    compare_versions(candidate, &known.version) == Ordering::Greater
                });
                if is_newer {
                    Standing::Outdated
                } else {
                    Standing::Current
                }
            }
            (
                None,
                Some(Versions {
                    candidate: Some(_), ..
                }),
            ) => Standing::Missing,
            (None, _) => match available.providers(name) {
                [] => return Err(no_package(name)),
                [only] if is_installed(database, only) => Standing::Current,
                // Of several, apt chooses none, and says so.
                _ => Standing::Missing,
            },
        };
        let candidate = versions.and_then(|versions| versions.candidate.as_deref());
        let word = match candidate {
            Some(candidate) => format!("{name}={candidate}"),
            None => name.to_owned(),
        };
        Ok((word, standing))
    }

    /// The call that installs packages.
    fn install(&self, command: &'static str, packages: Vec<String>) -> AptGet {
        let mut call = AptGet::new(command, packages)
            .option(self.only_upgrade, "--only-upgrade")
            .option(self.state == State::Fixed, "--fix-broken")
            .option(self.force, "--force-yes")
            .option(self.autoremove, "--auto-remove")
            .option(self.fail_on_autoremove, "--no-remove");
        if let Some(release) = &self.default_release {
            call.trailing.extend(["-t".to_owned(), release.clone()]);
        }
        if let Some(recommends) = self.install_recommends {
            let word = if recommends { "yes" } else { "no" };
            let option = format!("APT::Install-Recommends={word}");
            call.trailing.extend(["-o".to_owned(), option]);
        }
        call.trailing.extend(self.allowances());
        call
    }

    /// What apt is allowed to do beside.
    pub(super) fn allowances(&self) -> impl Iterator<Item = String> {
        [
            (self.allow_unauthenticated, "--allow-unauthenticated"),
            (self.allow_downgrade, "--allow-downgrades"),
            (
                self.allow_change_held_packages,
                "--allow-change-held-packages",
            ),
        ]
        .into_iter()
        .filter(|(is_allowed, _)| *is_allowed)
        .map(|(_, option)| option.to_owned())
    }

    /// The call that removes packages.
    fn remove(&self, packages: Vec<String>) -> AptGet {
        let mut call = AptGet::new("remove", packages)
            .option(self.purge, "--purge")
            .option(self.force, "--force-yes")
            .option(self.autoremove, "--auto-remove");
        call.trailing.extend(
            self.allow_change_held_packages
                .then(|| "--allow-change-held-packages".to_owned()),
        );
        call
    }
}

fn no_package(name: &str) -> Failure {
    Failure::new(format!("No package matching '{name}' is available"))
}

/// Whether a version is one that was asked for.
fn fits(pin: Option<&Pin>, version: &str) -> bool {
    match pin {
        None => true,
        Some(Pin::Equal(pattern)) => glob::matches(pattern, version),
        Some(Pin::AtLeast(least)) => compare_versions(version, least) != Ordering::Less,
    }
}

/// The newest version that was asked for.
fn best<'a>(versions: &'a Versions, pin: &Pin) -> Option<&'a str> {
    let fitting = versions
        .all
        .iter()
        .filter(|version| fits(Some(pin), version));
    let newest = fitting.max_by(|one, other| compare_versions(one, other));
    newest.map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_version_that_fits_is_chosen() {
        let versions = Versions {
            candidate: Some("2.10-3".into()),
            all: ["2.10-3", "2.9-2", "2.9-1"].map(ToOwned::to_owned).into(),
        };
        for (pin, expected) in [
            (Pin::Equal("2.9*".into()), Some("2.9-2")),
            (Pin::Equal("2.9-1".into()), Some("2.9-1")),
            (Pin::Equal("3*".into()), None),
            (Pin::AtLeast("2.9-2".into()), Some("2.10-3")),
            (Pin::AtLeast("3".into()), None),
        ] {
            assert_eq!(best(&versions, &pin), expected, "{pin:?}");
        }
    }
}
