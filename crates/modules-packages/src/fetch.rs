//! Files from the net, by the programs that the host's package manager comes with.

use rustle_module::tool::Tool;
use rustle_module::{Failure, Target};

/// apt's own program, which knows proxies and certificates as apt is set up with; not in any `PATH`.
const APT_HELPER: &str = "/usr/lib/apt/apt-helper";

/// Fetches a file to `path`.
///
/// # Errors
/// When the host has nothing to fetch with, or that fails.
pub(crate) async fn to_file(target: &dyn Target, url: &str, path: &str) -> Result<(), Failure> {
    let (tool, words) = if std::path::Path::new(APT_HELPER).is_file() {
        let words = vec!["download-file", "--", url, path];
        (Tool::at(target, APT_HELPER), words)
    } else if let Some(curl) = Tool::look(target, "curl") {
        (curl, vec!["-fsSL", "-o", path, "--", url])
    } else {
        (Tool::find(target, "wget")?, vec!["-qO", path, "--", url])
    };
    let ran = tool.run(words).await?;
    if ran.is_success() {
        return Ok(());
    }
    let reason = ran.stderr.lines().find(|line| !line.trim().is_empty());
    let reason = reason.unwrap_or("nothing was said why");
    Err(Failure::new(format!(
        "Failed to download `{url}`: {reason}"
    )))
}
