//! What has to be done so that packages are as they shall be, whatever the package manager.

/// What shall be of packages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    /// They are there, in a version that fits.
    Present,
    /// They are there, in the newest version.
    Latest,
    /// They are not there.
    Absent,
}

/// How a package is, against what was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// It is not there.
    Missing,
    /// It is there, in a version other than the one asked for.
    Unfit,
    /// It is there, and there is a newer version.
    Outdated,
    /// It is there, and nothing newer is.
    Current,
}

/// What is to be done, in words of the package manager: names, with a version where one was asked for.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// To be installed, anew or in another version.
    pub(crate) install: Vec<String>,
    /// To be brought to the newest version.
    pub(crate) upgrade: Vec<String>,
    /// To be removed.
    pub(crate) remove: Vec<String>,
}

impl Plan {
    /// Makes the plan for packages, each with how it is.
    pub(crate) fn new(wish: Wish, packages: impl IntoIterator<Item = (String, Standing)>) -> Self {
        let mut plan = Self::default();
        for (package, standing) in packages {
            let list = match (wish, standing) {
                (Wish::Absent, Standing::Missing)
                | (Wish::Present, Standing::Outdated | Standing::Current)
                | (Wish::Latest, Standing::Current) => continue,
                (Wish::Absent, _) => &mut plan.remove,
                (Wish::Latest, Standing::Outdated) => &mut plan.upgrade,
                (_, Standing::Missing | Standing::Unfit) => &mut plan.install,
            };
            if !list.contains(&package) {
                list.push(package);
            }
        }
        plan
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.install.is_empty() && self.upgrade.is_empty() && self.remove.is_empty()
    }

    /// What is to be installed or upgraded, for managers that have one command for both.
    pub(crate) fn wanted(self) -> Vec<String> {
        let mut wanted = self.install;
        wanted.extend(self.upgrade);
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(wish: Wish) -> Plan {
        let packages = [
            ("missing", Standing::Missing),
            ("unfit", Standing::Unfit),
            ("outdated", Standing::Outdated),
            ("current", Standing::Current),
            ("missing", Standing::Missing),
        ];
        Plan::new(
            wish,
            packages.map(|(name, standing)| (name.to_owned(), standing)),
        )
    }

    #[test]
    fn present_installs_what_is_missing_or_does_not_fit() {
        let plan = planned(Wish::Present);
        assert_eq!(plan.install, ["missing", "unfit"]);
        assert!(plan.upgrade.is_empty() && plan.remove.is_empty());
    }

    #[test]
    fn latest_upgrades_too() {
        let plan = planned(Wish::Latest);
        assert_eq!(plan.upgrade, ["outdated"]);
        assert_eq!(plan.wanted(), ["missing", "unfit", "outdated"]);
    }

    #[test]
    fn absent_removes_whatever_is_there() {
        let plan = planned(Wish::Absent);
        assert_eq!(plan.remove, ["unfit", "outdated", "current"]);
        assert!(plan.install.is_empty());
    }

    #[test]
    fn packages_that_are_as_they_shall_be_make_an_empty_plan() {
        let current = [("a".to_owned(), Standing::Current)];
        assert!(Plan::new(Wish::Latest, current.clone()).is_empty());
        assert!(Plan::new(Wish::Present, current).is_empty());
    }
}
