//! SELinux contexts: read from the file system, set by `chcon`.

use std::fs;
use std::path::Path;

use rustle_module::{Failure, Target};
use rustle_process::Command;

pub(crate) use rustle_module::path_info::{
    selinux_context as context_of, selinux_is_enabled as is_enabled,
};

/// The context that the policy has for a path.
pub(crate) async fn default_context_of(target: &dyn Target, path: &Path) -> Option<String> {
    let command = Command::new("matchpathcon").arg("-n").arg(path);
    let finished = target.run(command).await.ok()?;
    let text = finished.stdout.to_string_lossy().trim().to_owned();
    (finished.is_success() && !text.is_empty()).then_some(text)
}

/// Sets the context of a path itself.
///
/// # Errors
/// When `chcon` refuses.
pub(crate) async fn set_context(
    target: &dyn Target,
    path: &Path,
    context: &str,
) -> Result<(), Failure> {
    let command = Command::new("chcon").args(["-h", "--", context]).arg(path);
    let details = match target.run(command).await {
        Ok(finished) if finished.is_success() => return Ok(()),
        Ok(finished) => finished.stderr.to_string_lossy(),
        Err(error) => error.to_string(),
    };
    Err(Failure::new("set selinux context failed").with("details", details))
}

/// Gives a file that was just made the context that the policy has for its path, where SELinux is enabled.
///
/// Best effort: a host without the tools keeps what the kernel gave the file.
pub(crate) async fn restore_context(target: &dyn Target, path: &Path) {
    if !is_enabled() {
        return;
    }
    if let Some(context) = default_context_of(target, path).await
        && fs::symlink_metadata(path).is_ok()
        && context_of(path).as_ref() != Some(&context)
    {
        // Without the context the file is still there and right, and the policy's own relabelling will find it.
        let _ignored = set_context(target, path, &context).await;
    }
}
