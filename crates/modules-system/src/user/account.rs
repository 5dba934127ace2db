//! An account as it is: its lines in `passwd`, `shadow` and `group`.

use std::path::Path;

use rustle_module::accounts::{Accounts, Group, User};
use rustle_module::{Failure, Target};

/// The accounts of the machine.
pub(super) struct Directory<'a> {
    accounts: Accounts<'a>,
}

/// One account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Its line in `passwd`.
    pub(super) user: User,
    /// Its line in `shadow`, if we may read that.
    pub(super) shadow: Shadow,
    /// The names of the groups that have it as a member.
    pub(super) groups: Vec<String>,
}

/// A line of `shadow`: text as it is there, numbers of days.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Shadow {
    /// The hash, with `!` in front where it is locked.
    pub(super) password: String,
    /// How many days a password has to be kept.
    pub(super) min: String,
    /// After how many days it has to be changed.
    pub(super) max: String,
    /// How many days before that the user is warned.
    pub(super) warn: String,
    /// The day on which the account ends, since 1970.
    pub(super) expires: Option<i64>,
}

impl Account {
    /// The home folder.
    pub(super) fn home(&self) -> &Path {
        Path::new(&self.user.home)
    }
}

impl Shadow {
    fn parse(line: &str) -> Self {
        let mut fields = line.split(':').skip(1).map(ToOwned::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        let (password, _, min, max, warn, _) = (next(), next(), next(), next(), next(), next());
        Self {
            password,
            min,
            max,
            warn,
            expires: next().parse().ok(),
        }
    }
}

impl<'a> Directory<'a> {
    /// The accounts of the machine itself.
    pub(super) fn new(target: &'a dyn Target) -> Self {
        Self {
            accounts: Accounts::new(target),
        }
    }

    /// The account called `name`; with `local`, only one of the machine's own.
    pub(super) async fn account(&self, name: &str, local: bool) -> Option<Account> {
        let user = if local {
            let mut users = self.accounts.local_users().into_iter();
            users.find(|user| user.name == name)
        } else {
            self.accounts.user_named(name).await
        }?;
        let shadow = std::fs::read("/etc/shadow").unwrap_or_default();
        let shadow = String::from_utf8_lossy(&shadow);
        let line = shadow
            .lines()
            .find(|line| line.split(':').next() == Some(name));
        let groups = self.accounts.local_groups().into_iter();
        let groups = groups.filter(|group| group.members.iter().any(|member| member == name));
        Some(Account {
            shadow: line.map(Shadow::parse).unwrap_or_default(),
            groups: groups.map(|group| group.name).collect(),
            user,
        })
    }

    /// The group that is given by its name or its id.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn group(&self, given: &str) -> Result<Group, Failure> {
        let by_name = self.accounts.group_named(given).await;
        let found = match (by_name, given.parse()) {
            (Some(group), _) => Some(group),
            (None, Ok(gid)) => self.accounts.group_with_id(gid).await,
            (None, Err(_)) => None,
        };
        found.ok_or_else(|| Failure::new(format!("Group {given} does not exist")))
    }

    /// Whether there is a group of this name.
    pub(super) async fn has_group(&self, name: &str) -> bool {
        self.accounts.group_named(name).await.is_some()
    }

    /// The names of the groups that are given, none twice and none empty.
    ///
    /// # Errors
    /// When one does not exist.
    pub(super) async fn group_names(&self, given: &[String]) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let given = given.iter().map(|name| name.trim());
        for name in given.filter(|name| !name.is_empty()) {
            let group = self.group(name).await?;
            if !names.contains(&group.name) {
                names.push(group.name);
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_shadow_are_read_even_where_they_are_short() {
        let shadow = Shadow::parse("ann:!$6$x:19000:1:90:7::20000:");
        let expected = Shadow {
            password: "!$6$x".into(),
            min: "1".into(),
            max: "90".into(),
            warn: "7".into(),
            expires: Some(20000),
        };
        assert_eq!(shadow, expected);
        assert_eq!(Shadow::parse("ann"), Shadow::default());
    }
}
