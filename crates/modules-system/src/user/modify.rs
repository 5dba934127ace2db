//! Changing an account.

use rustle_module::{Failure, Target};

use super::account::{Account, Directory, Shadow};
use super::{Args, UpdatePassword, password};
use rustle_module::tool::{Ran, Tool};

const DAY: i64 = 24 * 60 * 60;

/// What has to be changed of an account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Modification {
    /// Arguments of `usermod`.
    usermod: Vec<String>,
    /// The new hash of the password.
    password: Option<String>,
    /// Arguments of `chage`.
    chage: Vec<String>,
    /// Groups that the user leaves (`-m`) and enters (`-M`), where `usermod` does not know them.
    local_groups: Vec<(&'static str, String)>,
}

impl Modification {
    /// Whether nothing has to be changed.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The day of a time as the tools read it; none for a time before 1970, which is never.
pub(super) fn date_of(expires: f64) -> String {
    let Some(day) = day_of(expires) else {
        return String::new();
    };
    // Days since 0000-03-01, in eras of 400 years.
    let days = day + 719_468;
    let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let date = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

/// The day of a time since 1970; none for a time before.
fn day_of(expires: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "days that far away are as good as the last that there is"
    )]
    let seconds = expires.floor() as i64;
    (expires >= 0.0).then(|| seconds.div_euclid(DAY))
}

/// The hash, with the mark of a lock in front of it if it is to be locked.
pub(super) fn locked(hash: &str, lock: bool) -> String {
    if lock {
        format!("!{hash}")
    } else {
        hash.to_owned()
    }
}

impl Args {
    /// Finds out what has to be changed.
    ///
    /// # Errors
    /// When a group does not exist.
    pub(super) async fn modification(
        &self,
        directory: &Directory<'_>,
        account: &Account,
    ) -> Result<Modification, Failure> {
        let mut change = Modification::default();
        let user = &account.user;
        if let Some(uid) = self.uid.filter(|uid| *uid != i64::from(user.uid)) {
            change.add("-u", uid.to_string());
            if self.non_unique {
                change.usermod.push("-o".to_owned());
            }
        }
        if let Some(group) = &self.group {
            let found = directory.group(group).await;
            let found = found.map_err(|failure| self.failure(failure.msg))?;
            if found.gid != user.gid {
                change.add("-g", found.gid.to_string());
            }
        }
        self.modify_groups(directory, account, &mut change).await?;
        let differing = |wanted: &Option<String>, present: &str| {
            wanted.clone().filter(|wanted| wanted != present)
        };
        if let Some(comment) = differing(&self.comment, &user.gecos) {
            change.add("-c", comment);
        }
        if let Some(home) = differing(&self.home, &user.home) {
            change.add("-d", home);
            if self.move_home {
                change.usermod.push("-m".to_owned());
            }
        }
        if let Some(shell) = differing(&self.shell, &user.shell) {
            change.add("-s", shell);
        }
        if let Some(expires) = self.expires
            && day_of(expires) != account.shadow.expires.filter(|day| *day >= 0)
        {
            change.add("-e", date_of(expires));
        }
        if let Some(days) = self.password_expire_account_disable {
            // As in Ansible this is set each time.
            change.add("-f", days.to_string());
        }
        self.modify_password(&account.shadow, &mut change);
        change.chage = self.chage(Some(&account.shadow));
        Ok(change)
    }

    async fn modify_groups(
        &self,
        directory: &Directory<'_>,
        account: &Account,
        change: &mut Modification,
    ) -> Result<(), Failure> {
        let Some(given) = &self.groups else {
            return Ok(());
        };
        let wanted = directory.group_names(given).await;
        let wanted = wanted.map_err(|failure| self.failure(failure.msg))?;
        let present = &account.groups;
        let enters = wanted.iter().filter(|name| !present.contains(name));
        let leaves = present
            .iter()
            .filter(|name| !self.append && !wanted.contains(name));
        if self.local {
            change.local_groups = leaves
                .map(|name| ("-m", name.clone()))
                .chain(enters.map(|name| ("-M", name.clone())))
                .collect();
            return Ok(());
        }
        if enters.count() + leaves.count() > 0 {
            if self.append {
                change.usermod.push("-a".to_owned());
            }
            change.add("-G", wanted.join(","));
        }
        Ok(())
    }

    fn modify_password(&self, shadow: &Shadow, change: &mut Modification) {
        let bare = |hash: &str| hash.trim_start_matches('!').to_owned();
        let is_locked = shadow.password.starts_with('!');
        let new = self.password.as_ref().filter(|hash| {
            self.update_password == UpdatePassword::Always && bare(&shadow.password) != bare(hash)
        });
        if let Some(hash) = new {
            change.password = Some(locked(hash, self.password_lock == Some(true)));
        } else if self.password_lock == Some(true) && !is_locked {
            change.usermod.push("-L".to_owned());
        } else if self.password_lock == Some(false) && is_locked {
            change.usermod.push("-U".to_owned());
        }
    }

    /// The arguments of `chage` for ages of passwords that differ.
    pub(super) fn chage(&self, shadow: Option<&Shadow>) -> Vec<String> {
        let present = |field: fn(&Shadow) -> &str| shadow.map(field);
        let ages = [
            ("-m", self.password_expire_min, present(|s| &s.min)),
            ("-M", self.password_expire_max, present(|s| &s.max)),
            ("-W", self.password_expire_warn, present(|s| &s.warn)),
        ];
        let mut words = Vec::new();
        for (flag, days, present) in ages {
            if let Some(days) = days.map(|days| days.to_string())
                && present != Some(&days)
            {
                words.extend([flag.to_owned(), days]);
            }
        }
        words
    }

    /// Changes ages of passwords.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(super) async fn run_chage(
        &self,
        target: &dyn Target,
        ages: &[String],
    ) -> Result<Ran, Failure> {
        let program = if self.local { "lchage" } else { "chage" };
        let ages = ages.iter().map(String::as_str);
        let words = ages.chain(["--", &self.name]);
        Tool::find(target, program)?.run(words).await
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// When a program cannot be run.
    pub(super) async fn modify(
        &self,
        target: &dyn Target,
        change: &Modification,
    ) -> Result<Ran, Failure> {
        let mut ran = Ran::default();
        if !change.usermod.is_empty() {
            let program = if self.local { "lusermod" } else { "usermod" };
            let words = change.usermod.iter().map(String::as_str);
            let words = words.chain(["--", &self.name]);
            ran = Tool::find(target, program)?.run(words).await?;
        }
        for (flag, group) in &change.local_groups {
            let words = [flag, self.name.as_str(), "--", group];
            ran.join(&Tool::find(target, "lgroupmod")?.run(words).await?);
        }
        if let (Some(hash), 0) = (&change.password, ran.rc) {
            ran.join(&password::set(target, &self.name, hash).await?);
        }
        if ran.rc == 0 && !change.chage.is_empty() {
            ran.join(&self.run_chage(target, &change.chage).await?);
        }
        Ok(ran)
    }
}

impl Modification {
    fn add(&mut self, flag: &str, value: String) {
        self.usermod.extend([flag.to_owned(), value]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_become_dates_and_times_before_1970_none() {
        for (expires, expected) in [
            (1_893_456_000.0, "2030-01-01"),
            (0.0, "1970-01-01"),
            (951_782_400.5, "2000-02-29"),
            (4_107_542_399.0, "2100-02-28"),
            (-1.0, ""),
        ] {
            assert_eq!(date_of(expires), expected);
        }
    }
}
