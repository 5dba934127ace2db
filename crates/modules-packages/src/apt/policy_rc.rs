//! `/usr/sbin/policy-rc.d`, which keeps packages from starting their services while they are installed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustle_module::{Failure, random_name};

const PATH: &str = "/usr/sbin/policy-rc.d";

/// A policy that stands in for the host's own as long as this lives.
pub(super) struct PolicyRcD {
    kept: Option<String>,
}

impl PolicyRcD {
    /// Puts a policy in place that answers with an exit code.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn put(code: i64) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::new(format!("Failed to create {PATH} for {code}: {error}"));
        let mut policy = Self { kept: None };
        if Path::new(PATH).exists() {
            let kept = format!("{PATH}.{}", random_name().map_err(failed)?);
            fs::rename(PATH, &kept).map_err(failed)?;
            policy.kept = Some(kept);
        }
        fs::write(PATH, format!("#!/bin/sh\nexit {code}\n")).map_err(failed)?;
        fs::set_permissions(PATH, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(policy)
    }
}

impl Drop for PolicyRcD {
    fn drop(&mut self) {
        // A task that is cancelled has to leave the host's own policy too; there is nobody left to tell if it cannot.
        let _ignored = match &self.kept {
            Some(kept) => fs::rename(kept, PATH),
            None => fs::remove_file(PATH),
        };
    }
}
