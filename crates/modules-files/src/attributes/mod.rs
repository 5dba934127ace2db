//! Owner, group, mode, SELinux context and attributes of files: what a task asks for, and setting it.
//!
//! [`AttributeArgs::settle`] goes through them in Ansible's order. It is one walk for both steps of a
//! module: looking ([`Pass::Look`], which changes nothing) and setting ([`Pass::Set`]).

mod flags;
mod selinux;
mod symbolic;

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustle_module::accounts::Accounts;
use rustle_module::{Failure, Target};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use flags::Flags;
use flags::WantedFlags;
pub(crate) use rustle_module::path_info::{
    Kind, PERMISSIONS, add_path_info, failure_at, permissions, show_mode,
};
pub(crate) use selinux::restore_context;
pub(crate) use symbolic::{Subject, resolve};

use crate::diff::BeforeAfter;
use crate::os_error::describe;
use crate::paths::umask;

/// The attributes that a task asks for; what is `None` stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AttributeArgs {
    /// A number, octal text or clauses; null for none.
    #[serde(default)]
    pub(crate) mode: Value,
    /// A user's name or id.
    pub(crate) owner: Option<String>,
    /// A group's name or id.
    pub(crate) group: Option<String>,
    seuser: Option<String>,
    serole: Option<String>,
    setype: Option<String>,
    selevel: Option<String>,
    attributes: Option<String>,
}

/// Whether [`AttributeArgs::settle`] only looks or also sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pass {
    /// Tells what would change.
    Look,
    /// Changes it, and tells what did change.
    Set,
}

/// One walk over the attributes of one path.
struct Walk<'a> {
    target: &'a dyn Target,
    accounts: Accounts<'a>,
    path: &'a str,
    pass: Pass,
    diff: &'a mut BeforeAfter,
}

impl AttributeArgs {
    /// Whether anything is asked for. What is empty asks for nothing.
    pub(crate) fn any(&self) -> bool {
        let texts = [
            &self.owner,
            &self.group,
            &self.seuser,
            &self.serole,
            &self.setype,
        ];
        self.wants_mode()
            || self.wanted_flags().is_some()
            || texts.iter().any(|text| text.is_some())
            || self.selevel.is_some()
    }

    /// The same with another mode.
    pub(crate) fn with_mode(&self, mode: Value) -> Self {
        Self {
            mode,
            ..self.clone()
        }
    }

    /// Only owner and group.
    pub(crate) fn owners(&self) -> Self {
        Self {
            owner: self.owner.clone(),
            group: self.group.clone(),
            ..Self::default()
        }
    }

    /// The same with ids in place of names, so that a walk over many files looks them up once. Unknown names stay.
    pub(crate) async fn with_ids(&self, target: &dyn Target) -> Self {
        let accounts = Accounts::new(target);
        let mut resolved = self.clone();
        if let Some(owner) = &mut resolved.owner
            && let Ok(uid) = uid_of(&accounts, owner).await
        {
            *owner = uid.to_string();
        }
        if let Some(group) = &mut resolved.group
            && let Ok(gid) = gid_of(&accounts, group).await
        {
            *group = gid.to_string();
        }
        resolved
    }

    /// Whether a mode is asked for.
    pub(crate) fn wants_mode(&self) -> bool {
        !self.mode.is_null() && self.mode != ""
    }

    fn wanted_flags(&self) -> Option<WantedFlags> {
        let text = self.attributes.as_deref().filter(|text| !text.is_empty());
        text.map(WantedFlags::parse)
    }

    /// Compares the attributes of `path` itself (links are not followed) with the ones asked for and, in
    /// [`Pass::Set`], sets them. Tells whether something changed or would, and adds it to `diff`.
    ///
    /// # Errors
    /// When a name is unknown, the mode cannot be read, or the kernel refuses. The failure describes the path.
    pub(crate) async fn settle(
        &self,
        target: &dyn Target,
        path: &str,
        pass: Pass,
        diff: &mut BeforeAfter,
    ) -> Result<bool, Failure> {
        if !self.any() {
            return Ok(false);
        }
        let accounts = Accounts::new(target);
        let mut walk = Walk {
            target,
            accounts,
            path,
            pass,
            diff,
        };
        match walk.all(self).await {
            Ok(changed) => Ok(changed),
            Err(failure) => Err(failure_at(target, "path", path, failure).await),
        }
    }
}

impl Walk<'_> {
    async fn all(&mut self, args: &AttributeArgs) -> Result<bool, Failure> {
        let mut changed = self.context(args).await?;
        if let Some(owner) = &args.owner {
            changed |= self.owner(owner).await?;
        }
        if let Some(group) = &args.group {
            changed |= self.group(group).await?;
        }
        if args.wants_mode() {
            changed |= self.mode(&args.mode)?;
        }
        if let Some(wanted) = args.wanted_flags() {
            changed |= self.flags(&wanted).await?;
        }
        Ok(changed)
    }

    fn metadata(&self) -> Result<fs::Metadata, Failure> {
        fs::symlink_metadata(self.path).map_err(|error| Failure::new(describe(&error, self.path)))
    }

    async fn context(&mut self, args: &AttributeArgs) -> Result<bool, Failure> {
        let wanted = [&args.seuser, &args.serole, &args.setype, &args.selevel];
        if !selinux::is_enabled() || wanted.iter().all(|part| part.is_none()) {
            return Ok(false);
        }
        let path = Path::new(self.path);
        let present = selinux::context_of(path).unwrap_or_default();
        let default = if wanted
            .iter()
            .any(|part| part.as_deref() == Some("_default"))
        {
            selinux::default_context_of(self.target, path).await
        } else {
            None
        };
        let default: Vec<&str> = default
            .as_deref()
            .unwrap_or_default()
            .splitn(4, ':')
            .collect();
        let mut parts: Vec<&str> = present.splitn(4, ':').collect();
        for (at, part) in parts.iter_mut().enumerate() {
            match wanted[at].as_deref() {
                Some("_default") => *part = default.get(at).copied().unwrap_or(part),
                Some(text) => *part = text,
                None => {}
            }
        }
        let context = parts.join(":");
        if context == present {
            return Ok(false);
        }
        self.diff
            .set("secontext", present.as_str(), context.as_str());
        if self.pass == Pass::Set {
            selinux::set_context(self.target, path, &context).await?;
        }
        Ok(true)
    }

    async fn owner(&mut self, owner: &str) -> Result<bool, Failure> {
        let present = self.metadata()?.uid();
        let uid = uid_of(&self.accounts, owner).await?;
        if present == uid {
            return Ok(false);
        }
        self.diff.set("owner", present, uid);
        self.chown("chown failed", Some(uid), None)?;
        Ok(true)
    }

    async fn group(&mut self, group: &str) -> Result<bool, Failure> {
        let present = self.metadata()?.gid();
        let gid = gid_of(&self.accounts, group).await?;
        if present == gid {
            return Ok(false);
        }
        self.diff.set("group", present, gid);
        self.chown("chgrp failed", None, Some(gid))?;
        Ok(true)
    }

    fn chown(&self, msg: &str, uid: Option<u32>, gid: Option<u32>) -> Result<(), Failure> {
        if self.pass == Pass::Look {
            return Ok(());
        }
        let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
        rustix::fs::chownat(CWD, self.path, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| Failure::new(format!("{msg}: {}", describe(&error.into(), self.path))))
    }

    fn mode(&mut self, wanted: &Value) -> Result<bool, Failure> {
        let metadata = self.metadata()?;
        let present = permissions(&metadata);
        let subject = Subject {
            mode: present,
            is_dir: metadata.is_dir(),
        };
        let mode = resolve(wanted, subject, umask)?;
        if mode == i64::from(present) {
            return Ok(false);
        }
        self.diff
            .set("mode", show_mode(present.into()), show_mode(mode));
        if self.pass == Pass::Look {
            return Ok(true);
        }
        if metadata.is_symlink() {
            // Linux has no permissions of links, and those of the target are not meant.
            return Ok(false);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "only the permission bits are kept"
        )]
        let bits = (mode as u32) & PERMISSIONS;
        set_permissions(self.path, bits).map_err(|error| {
            Failure::new("chmod failed").with("details", describe(&error, self.path))
        })?;
        Ok(permissions(&self.metadata()?) != present)
    }

    async fn flags(&mut self, wanted: &WantedFlags) -> Result<bool, Failure> {
        let path = Path::new(self.path);
        let present = Flags::of(self.target, path).await;
        if !wanted.differ_from(&present) {
            return Ok(false);
        }
        self.diff
            .set("attributes", present.letters.as_str(), wanted.argument());
        if self.pass == Pass::Set {
            wanted.set(self.target, path).await?;
        }
        Ok(true)
    }
}

/// Sets the permissions of what is at the path. Were a link laid there since it was looked at, it is not followed.
fn set_permissions(path: &str, bits: u32) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode) == FileType::Symlink {
        return Err(io::Error::from_raw_os_error(Errno::LOOP.raw_os_error()));
    }
    let place = format!("/proc/self/fd/{}", opened.as_raw_fd());
    Ok(rustix::fs::chmod(place, bits.into())?)
}

async fn uid_of(accounts: &Accounts<'_>, owner: &str) -> Result<u32, Failure> {
    if let Ok(uid) = owner.trim().parse() {
        return Ok(uid);
    }
    let user = accounts.user_named(owner).await;
    user.map(|user| user.uid)
        .ok_or_else(|| Failure::new(format!("chown failed: failed to look up user {owner}")))
}

async fn gid_of(accounts: &Accounts<'_>, group: &str) -> Result<u32, Failure> {
    if let Ok(gid) = group.trim().parse() {
        return Ok(gid);
    }
    let found = accounts.group_named(group).await;
    found
        .map(|group| group.gid)
        .ok_or_else(|| Failure::new(format!("chgrp failed: failed to look up group {group}")))
}
