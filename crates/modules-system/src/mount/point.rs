//! Mount points: what is mounted, and the programs that mount.

use std::fs;
use std::path::{Path, PathBuf};

use rustle_module::{Failure, Target};

use super::Args;
use super::MountState;
use rustle_module::tool::Tool;

/// What is mounted at a place: the source, of what was mounted last.
pub(super) fn source(name: &str) -> Option<String> {
    let path = fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let found = mounts.lines().rev().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let place = unescape(place.split(' ').nth(4)?);
        (Path::new(&place) == path).then(|| kind.split(' ').nth(1).map(unescape))
    });
    found.flatten()
}

/// A field of the kernel's table: octal numbers stand for spaces and the like.
fn unescape(field: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(field.to_owned(), |text, (code, character)| {
        text.replace(code, character)
    })
}

/// Mounts, from the table or, where nothing stays, as the task says.
///
/// # Errors
/// With what `mount` says.
pub(super) async fn mount(target: &dyn Target, args: &Args) -> Result<(), String> {
    let opts = args.opts();
    let mut words: Vec<&str> = Vec::new();
    add_source(&mut words, args, &opts);
    run(target, "mount", &words, args).await
}

/// Mounts anew what is mounted, with other options; if that does not do, it is unmounted first.
///
/// # Errors
/// With what `umount` or `mount` says.
pub(super) async fn remount(target: &dyn Target, args: &Args) -> Result<(), String> {
    let opts = args.opts();
    let options = if args.state == MountState::Remounted && opts != "defaults" {
        format!("remount,{opts}")
    } else {
        "remount".to_owned()
    };
    let mut words = vec!["-o", options.as_str()];
    add_source(&mut words, args, &opts);
    if run(target, "mount", &words, args).await.is_ok() {
        return Ok(());
    }
    unmount(target, args).await?;
    mount(target, args).await
}

/// Unmounts.
///
/// # Errors
/// With what `umount` says.
pub(super) async fn unmount(target: &dyn Target, args: &Args) -> Result<(), String> {
    run(target, "umount", &[], args).await
}

/// Names the table or, where nothing stays, what is mounted.
fn add_source<'a>(words: &mut Vec<&'a str>, args: &'a Args, opts: &'a str) {
    if args.state == MountState::Ephemeral {
        words.extend(args.fstype.iter().flat_map(|kind| ["-t", kind.as_str()]));
        words.extend(["-o", opts]);
    } else if let Some(fstab) = args.fstab.as_deref().filter(|path| *path != super::FSTAB) {
        words.extend(["-T", fstab]);
    }
}

async fn run(
    target: &dyn Target,
    program: &str,
    words: &[&str],
    args: &Args,
) -> Result<(), String> {
    let told = |failure: Failure| failure.msg;
    let is_new = program == "mount" && args.state == MountState::Ephemeral;
    let src = args.src.as_deref().filter(|_| is_new);
    let words = words.iter().copied().chain(["--"]).chain(src);
    let words = words.chain([args.path.as_str()]);
    let tool = Tool::find(target, program).map_err(told)?;
    let ran = tool.run(words).await.map_err(told)?;
    if ran.rc == 0 {
        return Ok(());
    }
    Err(format!("{}{}", ran.stdout, ran.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_is_known_by_its_place() {
        assert!(source("/proc").is_some());
        assert_eq!(source("/proc/self/status"), None);
        assert_eq!(unescape("a\\040b\\134"), "a b\\");
    }
}
