//! The module `apt`: packages of Debian and its kin, by `apt-get`.
//!
//! What has to be done is found by `dpkg-query` and `apt-cache` ([`resolve`]); it is done by one call of `apt-get`, which in check mode
//! only simulates. The lists of packages are fetched before, where they are too old.

mod args;
mod available;
pub(crate) mod cache;
mod command;
mod deb;
mod name;
mod policy_rc;
mod resolve;

use async_trait::async_trait;
use rustle_module::tool::Ran;
use rustle_module::{Change, Failure, Mode, Module, Object, Output, Spec, Target, Verdict};
use serde_json::{Value, json};

use args::{Args, Upgrade};
use command::{AptGet, find_summary, result};
use policy_rc::PolicyRcD;

/// The module `apt`.
pub(crate) struct Apt;

/// What a call of `apt-get` is for: how its output is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// Named packages shall be there.
    Install,
    /// Named packages shall go.
    Remove,
    /// Files shall be installed: this many.
    Files(usize),
    /// All packages shall be newer.
    Upgrade,
    /// Packages that nothing needs any more shall go.
    Autoremove,
    /// Fetched packages that are out of date shall go.
    Autoclean,
}

/// What is to be done beside fetching lists.
struct Step {
    purpose: Purpose,
    call: Option<AptGet>,
    /// Files that the call needs.
    _files: Vec<deb::Fetched>,
}

/// What was found.
pub(crate) struct Found {
    /// Whether lists of packages are to be fetched; what is to be done is known only after that.
    is_update_due: bool,
    /// What is to be done, as far as that is known.
    step: Option<Step>,
    /// What check mode tells.
    predicted: Option<Output>,
}

#[async_trait]
impl Module for Apt {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = args::SPEC;

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        let is_check = target.mode().check;
        let is_update_due = cache::is_due(args);
        let (mut step, mut predicted) = (None, None);
        if args.is_clean_only() {
            let output = || cleaned(target, &Ran::default());
            return Ok(Found {
                is_update_due,
                step,
                predicted: is_check.then(output),
            });
        }
        if is_check || !is_update_due {
            step = Some(args.step(target).await?);
        }
        if let (true, Some(step)) = (is_check, &step) {
            predicted = Some(args.carry_out(target, step, is_update_due).await?);
        }
        Ok(Found {
            is_update_due,
            step,
            predicted,
        })
    }

    fn diff(&self, args: &Args, found: &Found, _mode: Mode) -> Verdict {
        let is_idle = |step: &Step| step.call.is_none() && !args.clean;
        match (&found.predicted, &found.step) {
            (Some(predicted), _) => Verdict::Change(Change {
                diff: Value::Null,
                predicted: predicted.clone(),
            }),
            (None, Some(step)) if is_idle(step) => {
                Verdict::unchanged(args.idle(step.purpose, false))
            }
            _ => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        if args.clean {
            let ran = command::clean(target).await?;
            if !ran.is_success() {
                let msg = format!("apt-get clean failed: {}", ran.stderr.trim());
                return Err(Failure::new(msg).with("rc", ran.rc));
            }
            if args.is_clean_only() {
                return Ok(cleaned(target, &ran));
            }
        }
        let is_updated = found.is_update_due && args.update_lists(target).await?;
        let step = match found.step {
            Some(step) => step,
            None => args.step(target).await?,
        };
        let _policy = args.policy_rc_d.map(PolicyRcD::put).transpose()?;
        args.carry_out(target, &step, is_updated).await
    }
}

impl Args {
    /// Whether removing fetched packages is all that is asked for.
    fn is_clean_only(&self) -> bool {
        self.clean && self.names().is_empty() && self.deb.is_none() && self.upgrade().is_none()
    }

    /// Fetches the lists, and tells whether that left its sign.
    async fn update_lists(&self, target: &dyn Target) -> Result<bool, Failure> {
        let before = cache::sign();
        let (retries, delay) = (self.update_cache_retries, self.update_cache_retry_max_delay);
        cache::update(target, retries, delay, self.lock_timeout()).await?;
        Ok(cache::sign() != before)
    }

    /// Finds what is to be done.
    async fn step(&self, target: &dyn Target) -> Result<Step, Failure> {
        let mut files = Vec::new();
        let (purpose, call) = if let Some(upgrade) = self.upgrade() {
            (Purpose::Upgrade, Some(self.upgrade_all(upgrade)))
        } else if let Some(deb) = &self.deb {
            if self.state != args::State::Present {
                return Err(Failure::new("deb only supports state=present"));
            }
            let (call, fetched) = deb::resolve(target, self, deb).await?;
            files = fetched;
            let count = call.as_ref().map_or(0, AptGet::count);
            (Purpose::Files(count), call)
        } else if self.state == args::State::Latest && self.names().contains(&"*") {
            if self.names().len() > 1 {
                let msg =
                    "unable to install additional packages when upgrading all installed packages";
                return Err(Failure::new(msg));
            }
            (Purpose::Upgrade, Some(self.upgrade_all(Upgrade::Yes)))
        } else if self.names().is_empty() && self.autoclean {
            (Purpose::Autoclean, Some(self.cleanup("autoclean")))
        } else if self.names().is_empty() && self.autoremove {
            (Purpose::Autoremove, Some(self.cleanup("autoremove")))
        } else if self.state == args::State::Absent {
            (Purpose::Remove, resolve::resolve(target, self).await?)
        } else {
            (Purpose::Install, resolve::resolve(target, self).await?)
        };
        Ok(Step {
            purpose,
            call,
            _files: files,
        })
    }

    /// The call that upgrades all packages.
    fn upgrade_all(&self, upgrade: Upgrade) -> AptGet {
        let command = match upgrade {
            Upgrade::Dist | Upgrade::Full => "dist-upgrade",
            _ => "upgrade",
        };
        let mut call = AptGet::new(command, Vec::new())
            .option(self.force, "--force-yes")
            .option(self.fail_on_autoremove, "--no-remove")
            .option(command == "upgrade", "--with-new-pkgs")
            .option(self.autoremove, "--auto-remove");
        call.trailing.extend(self.allowances());
        if let Some(release) = &self.default_release {
            call.trailing.extend(["-t".to_owned(), release.clone()]);
        }
        call
    }

    fn cleanup(&self, command: &'static str) -> AptGet {
        AptGet::new(command, Vec::new())
            .option(self.purge, "--purge")
            .option(self.force, "--force-yes")
    }

    /// Does what is to be done, or in check mode simulates it, and tells how that went.
    async fn carry_out(
        &self,
        target: &dyn Target,
        step: &Step,
        is_updated: bool,
    ) -> Result<Output, Failure> {
        let Some(call) = &step.call else {
            return Ok(self.idle(step.purpose, is_updated));
        };
        let ran = call.run(target, self).await?;
        if !ran.is_success() {
            let mut failure = match step.purpose {
                Purpose::Files(_) => deb::failure(&ran),
                _ => call.failure(target, self, &ran),
            };
            if step.purpose == Purpose::Install {
                cache::add_to(&mut failure.result, is_updated);
            }
            return Err(failure);
        }
        let mut result = result(target, &ran);
        match step.purpose {
            Purpose::Install => cache::add_to(&mut result, is_updated),
            Purpose::Upgrade => {
                result.insert("msg".into(), ran.stdout.as_str().into());
            }
            Purpose::Files(count) if !has_dependencies(&ran, count) => {
                let prepared = json!({ "prepared": ran.stdout });
                result.insert("diff".into(), prepared);
            }
            _ => {}
        }
        let is_changed = step.purpose.is_changed(&ran);
        if step.purpose == Purpose::Upgrade && !is_changed {
            result.remove("diff");
        }
        Ok(Output::new(result).changed(is_changed))
    }

    /// What is told where nothing had to be done but, maybe, fetching lists.
    fn idle(&self, purpose: Purpose, is_updated: bool) -> Output {
        let mut result = Object::new();
        if purpose == Purpose::Install {
            cache::add_to(&mut result, is_updated);
        }
        if let Purpose::Files(_) = purpose {
            for key in ["stdout", "stderr", "diff"] {
                result.insert(key.into(), "".into());
            }
        }
        let is_all = self.names().is_empty() && purpose == Purpose::Install;
        Output::new(result).changed(is_all && is_updated)
    }
}

/// Whether more than `count` packages were touched.
fn has_dependencies(ran: &Ran, count: usize) -> bool {
    let summary = find_summary(&ran.stdout);
    summary.upgraded + summary.installed + summary.removed > count
}

/// What is told where fetched packages were removed, and no more was asked for.
fn cleaned(target: &dyn Target, ran: &Ran) -> Output {
    let mut result = result(target, ran);
    result.insert("msg".into(), ran.stdout.as_str().into());
    Output::new(result).changed(true)
}

impl Purpose {
    /// Whether a call that went well changed something.
    fn is_changed(self, ran: &Ran) -> bool {
        let summary = find_summary(&ran.stdout);
        match self {
            Self::Install | Self::Remove | Self::Files(_) => true,
            Self::Upgrade => summary.upgraded + summary.installed + summary.removed > 0,
            Self::Autoremove => summary.removed > 0,
            Self::Autoclean => ran.stdout.lines().any(|line| line.starts_with("Del ")),
        }
    }
}
