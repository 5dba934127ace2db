//! What the archives have, as `apt-cache` tells it.

use std::collections::BTreeMap;

use rustle_module::tool::Tool;
use rustle_module::{Failure, Target};

use crate::dpkg::split_architecture;

/// The versions of a package that can be had.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Versions {
    /// The version that apt would install.
    pub(super) candidate: Option<String>,
    /// All versions, the newest first.
    pub(super) all: Vec<String>,
}

/// What the archives have of some packages.
#[derive(Debug, Default)]
pub(super) struct Available {
    packages: BTreeMap<String, Versions>,
    providers: BTreeMap<String, Vec<String>>,
}

impl Available {
    /// Asks `apt-cache` for packages; with `release`, which version it would install from that.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) async fn read(
        target: &dyn Target,
        names: &[&str],
        release: Option<&str>,
    ) -> Result<Self, Failure> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let tool = Tool::find(target, "apt-cache")?;
        let mut words = vec!["policy"];
        words.extend(release.into_iter().flat_map(|release| ["-t", release]));
        words.push("--");
        words.extend(names);
        let ran = tool.run(words).await?;
        if !ran.is_success() {
            return Err(Failure::new(ran.stderr.trim()).with("rc", ran.rc));
        }
        let packages = parse_policy(&ran.stdout);
        let mut available = Self {
            packages,
            providers: BTreeMap::new(),
        };
        for name in names {
            if available
                .versions(name)
                .is_some_and(|versions| versions.all.is_empty())
            {
                let ran = tool.run(["showpkg", "--", name]).await?;
                let providers = parse_providers(&ran.stdout);
                available.providers.insert((*name).to_owned(), providers);
            }
        }
        Ok(available)
    }

    /// The versions of a package; none where nobody knows its name.
    pub(super) fn versions(&self, name: &str) -> Option<&Versions> {
        let bare = || self.packages.get(split_architecture(name).0);
        self.packages.get(name).or_else(bare)
    }

    /// The packages that stand for a name which is no package itself.
    pub(super) fn providers(&self, name: &str) -> &[String] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The names of all packages that apt knows.
///
/// # Errors
/// When `apt-cache` cannot be started.
pub(super) async fn all_names(target: &dyn Target) -> Result<Vec<String>, Failure> {
    let ran = Tool::find(target, "apt-cache")?.run(["pkgnames"]).await?;
    Ok(ran.stdout.lines().map(ToOwned::to_owned).collect())
}

/// Reads `apt-cache policy`: a name a block, its candidate, and a table of versions.
fn parse_policy(text: &str) -> BTreeMap<String, Versions> {
    let mut packages: BTreeMap<String, Versions> = BTreeMap::new();
    let mut current: Option<&mut Versions> = None;
    for line in text.lines() {
        let is_name = !line.starts_with([' ', '\t']);
        if let (true, Some(name)) = (is_name, line.strip_suffix(':')) {
            current = Some(packages.entry(name.to_owned()).or_default());
            continue;
        }
        let Some(versions) = current.as_deref_mut() else {
            continue;
        };
        if let Some(candidate) = line.trim_start().strip_prefix("Candidate: ") {
            versions.candidate = Some(candidate.to_owned()).filter(|text| text != "(none)");
        } else if let Some(version) = table_version(line) {
            versions.all.push(version.to_owned());
        }
    }
    packages
}

/// The version in a line of the table, which its sources are indented more than.
fn table_version(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix(" *** ")
        .or_else(|| line.strip_prefix("     "))?;
    rest.split(' ').next().filter(|version| !version.is_empty())
}

/// Reads the packages behind `Reverse Provides:` of `apt-cache showpkg`.
fn parse_providers(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("Reverse Provides:"));
    let mut names: Vec<String> = lines
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .map(ToOwned::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "hello:
  Installed: 2.9-1
  Candidate: 2.10-3
  Version table:
     2.10-3 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 2.9-1 100
        100 /var/lib/dpkg/status
libc6:i386:
  Installed: (none)
  Candidate: (none)
  Version table:
     2.36-9 -1
        500 http://deb.debian.org/debian bookworm/main i386 Packages
mail-transport-agent:
  Installed: (none)
  Candidate: (none)
  Version table:
";

    #[test]
    fn versions_are_read_from_the_policy() {
        let packages = parse_policy(POLICY);
        assert_eq!(packages["hello"].candidate.as_deref(), Some("2.10-3"));
        assert_eq!(packages["hello"].all, ["2.10-3", "2.9-1"]);
        assert_eq!(packages["libc6:i386"].candidate, None);
        assert_eq!(packages["libc6:i386"].all, ["2.36-9"]);
        assert!(packages["mail-transport-agent"].all.is_empty());
    }

    #[test]
    fn providers_are_read_from_the_end_of_showpkg() {
        let text = "Package: mta\nVersions: \n\nReverse Depends: \n  cron,mta\nProvides: \nReverse Provides: \npostfix 3 (= )\nexim4 4 (= )\nexim4 5 (= )\n";
        assert_eq!(parse_providers(text), ["exim4", "postfix"]);
        assert!(parse_providers("").is_empty());
    }
}
