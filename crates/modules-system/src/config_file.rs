//! Configuration files of the system: read whole, replaced in one step.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustle_module::Failure;
use rustle_module::os_error::describe;

/// The text of a file; nothing where there is none.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Failure::new(format!("{} is not UTF-8", path.display()))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failure(&error, path)),
    }
}

/// Replaces a file in one step, as others may read it at any time. A link's target is what is replaced. A new file has mode 0644.
///
/// # Errors
/// When its folder takes no new files, or the disk is full or broken.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    replace_with_mode(path, text, None)
}

/// As [`replace`], but a link is replaced itself, by a file with the mode of its target.
///
/// # Errors
/// As [`replace`].
pub(crate) fn replace_link(path: &Path, text: &str) -> Result<(), Failure> {
    put(path, text, None).map_err(|error| failure(&error, path))
}

/// As [`replace`], with a mode that the file gets, whatever it was before.
///
/// # Errors
/// As [`replace`].
pub(crate) fn replace_with_mode(path: &Path, text: &str, mode: Option<u32>) -> Result<(), Failure> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    put(&real, text, mode).map_err(|error| failure(&error, path))
}

fn put(path: &Path, text: &str, mode: Option<u32>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Who reads a whole folder of such files skips names that begin with a dot.
    let mut staged = tempfile::Builder::new()
        .prefix(".rustle")
        .tempfile_in(folder)?;
    staged.write_all(text.as_bytes())?;
    let like = fs::metadata(path).ok();
    let present = like.as_ref().map_or(0o644, |like| like.mode() & 0o7777);
    if let Some(like) = like {
        fchown(staged.as_file(), Some(like.uid()), Some(like.gid()))?;
    }
    let permissions = fs::Permissions::from_mode(mode.unwrap_or(present));
    staged.as_file().set_permissions(permissions)?;
    staged.as_file().sync_all()?;
    staged.persist(path).map(drop).map_err(|error| error.error)
}

/// A failure of the operating system about a file, as results tell it.
pub(crate) fn failure(error: &io::Error, path: &Path) -> Failure {
    let text = describe(error, &path.to_string_lossy());
    Failure::new(format!("Task failed: Module failed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_when_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jobs");
        fs::write(&path, "old").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        replace(&path, "new\n").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(read(&path), Ok(Some("new\n".to_owned())));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
        replace_with_mode(&path, "new\n", Some(0o440)).expect("written");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o440);
        assert_eq!(read(&folder.path().join("none")), Ok(None));
    }

    #[test]
    fn a_link_stays_unless_it_is_replaced_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("f"), folder.path().join("l"));
        fs::write(&path, "old").expect("a file");
        std::os::unix::fs::symlink("f", &link).expect("a link");
        replace(&link, "new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(read(&path), Ok(Some("new".to_owned())));
        replace_link(&link, "other").expect("written");
        assert!(!link.is_symlink());
        assert_eq!(read(&path), Ok(Some("new".to_owned())));
    }
}
