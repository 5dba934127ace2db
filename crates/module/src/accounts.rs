//! Users and groups of the machine, by name and by id.
//!
//! The agent is linked statically and cannot ask the name service switch by itself. So `/etc/passwd` and
//! `/etc/group` are read here, and only a name or id that they do not have is asked of `getent`, which knows
//! the directories (LDAP, sssd, winbind) of such a host. Where `/etc/nsswitch.conf` names no directory, nothing is asked.

use std::path::{Path, PathBuf};

use rustle_process::Command;

use crate::target::Target;

/// One user, as a line of `/etc/passwd` has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The user's id.
    pub uid: u32,
    /// The id of the user's main group.
    pub gid: u32,
    /// The comment field: full name and so on.
    pub gecos: String,
    /// The home folder.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// One group, as a line of `/etc/group` has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// The group's id.
    pub gid: u32,
    /// The names of the users that have it as a further group.
    pub members: Vec<String>,
}

/// Parses one line of `passwd`; `None` for comments, NIS markers and broken lines.
#[must_use]
pub fn parse_user(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields.as_slice() else {
        return None;
    };
    Some(User {
        name: valid_name(name)?,
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: (*gecos).into(),
        home: (*home).into(),
        shell: shell.trim_end().into(),
    })
}

/// Parses one line of `group`; `None` for comments, NIS markers and broken lines.
#[must_use]
pub fn parse_group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields.as_slice() else {
        return None;
    };
    let members = members.trim_end().split(',').filter(|m| !m.is_empty());
    Some(Group {
        name: valid_name(name)?,
        gid: gid.parse().ok()?,
        members: members.map(Into::into).collect(),
    })
}

fn valid_name(name: &str) -> Option<String> {
    (!name.is_empty() && !name.starts_with(['#', '+', '-'])).then(|| name.to_owned())
}

/// The users and groups of the machine that a module works on.
///
/// Files are read anew for each question, as a module that ran before may have changed them.
pub struct Accounts<'a> {
    target: &'a dyn Target,
    root: PathBuf,
}

impl<'a> Accounts<'a> {
    /// The accounts of the machine itself.
    #[must_use]
    pub fn new(target: &'a dyn Target) -> Self {
        Self::under(target, "/")
    }

    /// The accounts whose files are under `root`, as in a chroot or a test.
    #[must_use]
    pub fn under(target: &'a dyn Target, root: impl AsRef<Path>) -> Self {
        Self {
            target,
            root: root.as_ref().to_owned(),
        }
    }

    /// The user called `name`.
    pub async fn user_named(&self, name: &str) -> Option<User> {
        let wanted = |user: &User| user.name == name;
        if let Some(user) = self.find("passwd", parse_user, wanted) {
            return Some(user);
        }
        // getent takes digits for an id.
        let is_id = name.bytes().all(|b| b.is_ascii_digit());
        let line = if is_id {
            None
        } else {
            self.ask("passwd", name).await
        };
        line.as_deref().and_then(parse_user)
    }

    /// The user with the id `uid`.
    pub async fn user_with_id(&self, uid: u32) -> Option<User> {
        if let Some(user) = self.find("passwd", parse_user, |user: &User| user.uid == uid) {
            return Some(user);
        }
        let line = self.ask("passwd", &uid.to_string()).await;
        line.as_deref().and_then(parse_user)
    }

    /// The group called `name`.
    pub async fn group_named(&self, name: &str) -> Option<Group> {
        let wanted = |group: &Group| group.name == name;
        if let Some(group) = self.find("group", parse_group, wanted) {
            return Some(group);
        }
        let is_id = name.bytes().all(|b| b.is_ascii_digit());
        let line = if is_id {
            None
        } else {
            self.ask("group", name).await
        };
        line.as_deref().and_then(parse_group)
    }

    /// The group with the id `gid`.
    pub async fn group_with_id(&self, gid: u32) -> Option<Group> {
        if let Some(group) = self.find("group", parse_group, |group: &Group| group.gid == gid) {
            return Some(group);
        }
        let line = self.ask("group", &gid.to_string()).await;
        line.as_deref().and_then(parse_group)
    }

    /// All users in `/etc/passwd`, in its order; those of directories are not listed.
    #[must_use]
    pub fn local_users(&self) -> Vec<User> {
        self.read("passwd").lines().filter_map(parse_user).collect()
    }

    /// All groups in `/etc/group`, in its order; those of directories are not listed.
    #[must_use]
    pub fn local_groups(&self) -> Vec<Group> {
        self.read("group").lines().filter_map(parse_group).collect()
    }

    fn find<T>(
        &self,
        database: &str,
        parse: fn(&str) -> Option<T>,
        wanted: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let text = self.read(database);
        text.lines().filter_map(parse).find(wanted)
    }

    /// A file of `etc`; one that cannot be read counts as empty, and what is not UTF-8 (old comments) is replaced.
    fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.root.join("etc").join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Asks `getent`, if the host has other sources than files. A host without `getent` has no such user.
    async fn ask(&self, database: &str, key: &str) -> Option<String> {
        if !has_directory(&self.read("nsswitch.conf"), database) {
            return None;
        }
        let command = Command::new("getent").args([database, "--", key]);
        let finished = self.target.run(command).await.ok()?;
        let text = finished.stdout.to_string_lossy();
        text.lines().next().map(ToOwned::to_owned)
    }
}

/// Whether `nsswitch.conf` names a source for `database` that is not a file.
fn has_directory(nsswitch: &str, database: &str) -> bool {
    let sources = nsswitch
        .lines()
        .filter_map(|line| line.split('#').next()?.split_once(':'))
        .find(|(name, _)| name.trim() == database)
        .map_or("", |(_, sources)| sources);
    sources.split_whitespace().any(|source| {
        !source.starts_with('[') && !matches!(source, "files" | "compat" | "altfiles")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd_and_group_are_read_and_odd_ones_skipped() {
        let user = parse_user("ann:x:1000:100:Ann,,,:/home/ann:/bin/sh\n");
        let expected = User {
            name: "ann".into(),
            uid: 1000,
            gid: 100,
            gecos: "Ann,,,".into(),
            home: "/home/ann".into(),
            shell: "/bin/sh".into(),
        };
        assert_eq!(user, Some(expected));
        let group = parse_group("adm:x:4:ann,bob").expect("a group");
        assert_eq!((group.gid, group.members.len()), (4, 2));
        for line in ["", "# x", "+::::::", "-bad:x:1:1:::", "a:x:one:1:::", "a:b"] {
            assert_eq!(parse_user(line), None, "{line}");
            assert_eq!(parse_group(line), None, "{line}");
        }
    }

    #[test]
    fn only_a_source_besides_files_is_worth_asking() {
        let text = "passwd: files [NOTFOUND=return] # sss\ngroup:  files sss\n";
        assert!(!has_directory(text, "passwd"));
        assert!(has_directory(text, "group"));
        assert!(!has_directory(text, "shadow"));
    }
}
