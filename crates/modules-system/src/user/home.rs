//! A home folder for an account that has none yet.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, lchown, symlink};
use std::path::Path;

use super::Args;
use super::account::Account;

/// Makes the home folder, with what a new user gets, unless there is one.
///
/// # Errors
/// With what the system said.
pub(super) fn ensure(args: &Args, account: &Account) -> Result<(), String> {
    let home = account.home();
    if account.user.home.is_empty() || fs::symlink_metadata(home).is_ok() {
        return Ok(());
    }
    let owner = (account.user.uid, account.user.gid);
    let skeleton = args.skeleton.as_deref().unwrap_or("/etc/skel");
    let mode = mode(args.umask.as_deref());
    make(home, Path::new(skeleton), owner, mode).map_err(|error| error.to_string())
}

fn make(home: &Path, skeleton: &Path, owner: (u32, u32), mode: u32) -> io::Result<()> {
    if let Some(parent) = home.parent() {
        fs::create_dir_all(parent)?;
    }
    // Nobody else sees into it until it is what it shall be.
    DirBuilder::new().mode(0o700).create(home)?;
    if skeleton.is_dir() {
        fill(home, skeleton, owner)?;
    }
    lchown(home, Some(owner.0), Some(owner.1))?;
    fs::set_permissions(home, fs::Permissions::from_mode(mode))
}

fn fill(folder: &Path, from: &Path, owner: (u32, u32)) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, dest) = (entry.path(), folder.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &dest)?;
        } else if kind.is_dir() {
            let mode = entry.metadata()?.permissions();
            DirBuilder::new().mode(0o700).create(&dest)?;
            fill(&dest, &source, owner)?;
            fs::set_permissions(&dest, mode)?;
        } else if kind.is_file() {
            fs::copy(&source, &dest)?;
        } else {
            continue;
        }
        lchown(&dest, Some(owner.0), Some(owner.1))?;
    }
    Ok(())
}

/// The mode of new home folders: by the mask asked for, else as `login.defs` has it.
fn mode(umask: Option<&str>) -> u32 {
    let octal = |text: &str| u32::from_str_radix(text, 8).ok();
    if let Some(mask) = umask.and_then(octal) {
        return 0o777 & !mask;
    }
    let defs = fs::read_to_string("/etc/login.defs").unwrap_or_default();
    let value = |key: &str| {
        let lines = defs
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key));
        let mut values = lines
            .filter(|rest| rest.starts_with([' ', '\t']))
            .map(str::trim);
        values.next_back().and_then(octal)
    };
    value("HOME_MODE").unwrap_or_else(|| 0o777 & !value("UMASK").unwrap_or(0o022))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_filled_from_the_skeleton() {
        let folder = tempfile::tempdir().expect("a folder");
        let skeleton = folder.path().join("skel");
        fs::create_dir_all(skeleton.join("d")).expect("folders");
        fs::write(skeleton.join("d/f"), "x").expect("a file");
        symlink("d/f", skeleton.join("l")).expect("a link");
        let home = folder.path().join("a/home");
        let owner = (
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw(),
        );
        make(&home, &skeleton, owner, 0o750).expect("a home");
        assert_eq!(fs::read_to_string(home.join("l")).expect("readable"), "x");
        let mode = fs::metadata(&home).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
    }
}
