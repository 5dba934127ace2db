//! Services by scripts in `/etc/init.d`, and by links to them in folders for runlevels.

use std::fs;
use std::path::{Path, PathBuf};

use rustle_module::tool::{Ran, Tool};
use rustle_module::{Failure, Target};

/// The runlevels in which a machine does its work.
pub(super) const LEVELS: [&str; 4] = ["2", "3", "4", "5"];

/// The script of a service, whether there is one or not.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new("/etc/init.d").join(name)
}

/// Whether a service of this name has a script.
pub(super) fn is_found(name: &str) -> bool {
    let is_plain = !name.contains('/') && !name.starts_with('-');
    is_plain && script(name).exists()
}

/// The failure for a service without a script.
pub(super) fn missing(name: &str) -> Failure {
    Failure::new(format!("Could not find the requested service {name}: "))
}

/// Whether a service starts in a runlevel.
pub(super) fn starts_in(level: &str, name: &str) -> bool {
    let starts = |link: &str| {
        let order = link.strip_prefix('S').and_then(|rest| rest.get(..2));
        order.is_some_and(|order| order.bytes().all(|b| b.is_ascii_digit()))
            && link.get(3..) == Some(name)
    };
    let entries = fs::read_dir(format!("/etc/rc{level}.d"));
    let mut names = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    names.any(|link| starts(&link.to_string_lossy()))
}

/// Makes a service start with the machine, or not: in these runlevels, or in those that its script names.
///
/// # Errors
/// When no program is there that does it, or it cannot be started.
pub(super) async fn enable(
    target: &dyn Target,
    name: &str,
    enable: bool,
    levels: &[String],
) -> Result<Ran, Failure> {
    let levels = levels.iter().map(String::as_str);
    let Some(tool) = Tool::look(target, "update-rc.d") else {
        let verb = if enable { "on" } else { "off" };
        let levels: String = levels.collect();
        let option = (!levels.is_empty()).then_some("--level");
        let words = option.into_iter().chain(option.map(|_| levels.as_str()));
        let tool = Tool::find(target, "chkconfig")?;
        return tool.run(words.chain([name, verb])).await;
    };
    if enable {
        let ran = tool.run([name, "defaults"]).await?;
        if !ran.is_success() {
            return Ok(ran);
        }
    }
    let verb = if enable { "enable" } else { "disable" };
    tool.run([name, verb].into_iter().chain(levels)).await
}

/// Whether a process runs whose command line has this text.
pub(super) fn has_process(pattern: &str) -> bool {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.bytes().all(|byte| byte.is_ascii_digit()) && *name != own
    });
    processes.any(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let words: Vec<_> = line.collect();
        words.join(" ").contains(pattern)
    })
}
