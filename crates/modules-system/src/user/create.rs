//! Making an account.

use std::fs;
use std::path::Path;

use rustle_module::{Failure, Target};

use super::account::Directory;
use super::modify::{date_of, locked};
use super::{Args, password};
use rustle_module::tool::{Ran, Tool};

impl Args {
    /// Makes the account.
    ///
    /// # Errors
    /// When a group does not exist, or a program cannot be run.
    pub(super) async fn create(
        &self,
        target: &dyn Target,
        directory: &Directory<'_>,
    ) -> Result<Ran, Failure> {
        let groups = directory.group_names(self.groups.as_deref().unwrap_or_default());
        let groups = groups.await.map_err(|failure| self.failure(failure.msg))?;
        let words = self.useradd(directory, &groups).await?;
        if let (Some(home), true) = (&self.home, self.create_home)
            && let Some(parent) = Path::new(home).parent()
        {
            // `useradd` makes the home folder only.
            fs::create_dir_all(parent).map_err(|error| self.failure(error.to_string()))?;
        }
        let program = if self.local { "luseradd" } else { "useradd" };
        let mut ran = Tool::find(target, program)?.run(words).await?;
        if ran.rc != 0 {
            return Ok(ran);
        }
        if self.local {
            for group in &groups {
                let words = ["-M", self.name.as_str(), "--", group];
                ran.join(&Tool::find(target, "lgroupmod")?.run(words).await?);
            }
        }
        if let Some(hash) = &self.password {
            let hash = locked(hash, self.password_lock == Some(true));
            ran.join(&password::set(target, &self.name, &hash).await?);
        }
        let ages = self.chage(None);
        if ran.rc == 0 && !ages.is_empty() {
            ran.join(&self.run_chage(target, &ages).await?);
        }
        Ok(ran)
    }

    async fn useradd(
        &self,
        directory: &Directory<'_>,
        groups: &[String],
    ) -> Result<Vec<String>, Failure> {
        let mut words: Vec<String> = Vec::new();
        let mut add = |flag: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([flag.to_owned(), value]);
            }
        };
        add("-u", self.uid.map(|uid| uid.to_string()));
        add("-Z", self.seuser.clone());
        if let Some(group) = &self.group {
            let found = directory.group(group).await;
            found.map_err(|failure| self.failure(failure.msg))?;
            add("-g", Some(group.clone()));
        }
        if !groups.is_empty() && !self.local {
            add("-G", Some(groups.join(",")));
        }
        add("-c", self.comment.clone());
        add("-d", self.home.clone());
        add("-s", self.shell.clone());
        if !self.local {
            add("-e", self.expires.map(date_of));
            let inactive = self.password_expire_account_disable;
            add("-f", inactive.map(|days| days.to_string()));
            for (key, id) in [("UID_MIN", self.uid_min), ("UID_MAX", self.uid_max)] {
                add("-K", id.map(|id| format!("{key}={id}")));
            }
        }
        if self.create_home {
            add("-k", self.skeleton.clone());
            if !self.local {
                add(
                    "-K",
                    self.umask.as_ref().map(|umask| format!("UMASK={umask}")),
                );
            }
        }
        words.extend(self.useradd_switches(directory).await);
        words.extend(["--".to_owned(), self.name.clone()]);
        Ok(words)
    }

    async fn useradd_switches(&self, directory: &Directory<'_>) -> Vec<String> {
        let mut switches = Vec::new();
        if self.uid.is_some() && self.non_unique {
            switches.push("-o");
        }
        if self.group.is_none() && directory.has_group(&self.name).await {
            // A group of the user's own would clash.
            switches.push(if self.local { "-n" } else { "-N" });
        }
        match (self.create_home, self.local) {
            (true, false) => switches.push("-m"),
            (true, true) => {}
            (false, _) => switches.push("-M"),
        }
        if self.system {
            switches.push("-r");
        }
        switches.into_iter().map(ToOwned::to_owned).collect()
    }
}
