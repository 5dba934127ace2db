//! Who runs the agent.

use rustix::process::{getegid, geteuid, getgid, getuid};

use super::{Facts, Root, insert};

/// Gathers `user_*` and the real and effective ids.
///
/// The user is the one that the login variables name, as Python's `getpass` has it, else the owner of the
/// process. A user that is not in `/etc/passwd` has only what the process tells.
pub(super) fn collect(root: &Root) -> Facts {
    let passwd = root.text("/etc/passwd").unwrap_or_default();
    let login = ["LOGNAME", "USER", "LNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let uid = getuid().as_raw();
    let by_name = login
        .as_deref()
        .and_then(|login| entries(&passwd).find(|entry| entry.name == login));
    let entry = by_name.or_else(|| entries(&passwd).find(|entry| entry.uid == uid));
    let mut facts = Facts::new();
    match entry {
        Some(entry) => {
            insert(&mut facts, "user_id", entry.name);
            insert(&mut facts, "user_uid", entry.uid);
            insert(&mut facts, "user_gid", entry.gid);
            insert(&mut facts, "user_gecos", entry.gecos);
            insert(&mut facts, "user_dir", entry.dir);
            insert(&mut facts, "user_shell", entry.shell);
        }
        None => {
            insert(
                &mut facts,
                "user_id",
                login.unwrap_or_else(|| uid.to_string()),
            );
            insert(&mut facts, "user_uid", uid);
            insert(&mut facts, "user_gid", getgid().as_raw());
            insert(&mut facts, "user_gecos", "");
            insert(
                &mut facts,
                "user_dir",
                std::env::var("HOME").unwrap_or_default(),
            );
            insert(
                &mut facts,
                "user_shell",
                std::env::var("SHELL").unwrap_or_default(),
            );
        }
    }
    insert(&mut facts, "real_user_id", uid);
    insert(&mut facts, "effective_user_id", geteuid().as_raw());
    insert(&mut facts, "real_group_id", getgid().as_raw());
    insert(&mut facts, "effective_group_id", getegid().as_raw());
    facts
}

/// A line of `/etc/passwd`.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    gecos: &'a str,
    dir: &'a str,
    shell: &'a str,
}

fn entries(passwd: &str) -> impl Iterator<Item = Entry<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let (gecos, dir, shell) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Entry {
            name,
            uid,
            gid,
            gecos,
            dir,
            shell,
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_are_no_users_are_left_out() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n+::::::\nbroken\nbob:x:1000:100:B,,,:/home/bob:/bin/sh\n";
        let names: Vec<&str> = entries(passwd).map(|entry| entry.name).collect();
        assert_eq!(names, ["root", "bob"]);
    }

    proptest! {
        #[test]
        fn any_passwd_is_survived(text in "(?s).*") {
            entries(&text).for_each(drop);
        }
    }
}
