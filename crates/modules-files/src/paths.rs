//! Paths: links resolved, parents, the umask.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// How many links are followed before a path counts as going round in circles.
const MAX_LINKS: usize = 40;

/// The file mode creation mask of this process.
///
/// It is read from `/proc`, as asking the kernel for it would set it for a moment, for all threads.
pub(crate) fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    let mask = field.and_then(|field| u32::from_str_radix(field.trim(), 8).ok());
    mask.unwrap_or(0o022)
}

/// The path without links, also where its last parts do not exist.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    let mut todo: Vec<OsString> = parts_reversed(path);
    let mut real = if path.is_absolute() {
        PathBuf::from("/")
    } else {
        std::env::current_dir().unwrap_or_default()
    };
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            real.pop();
            continue;
        }
        let next = real.join(&part);
        match fs::read_link(&next) {
            Ok(aim) if links < MAX_LINKS => {
                links += 1;
                if aim.is_absolute() {
                    real = PathBuf::from("/");
                }
                todo.extend(parts_reversed(&aim));
            }
            _ => real = next,
        }
    }
    real
}

fn parts_reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let mut parts: Vec<OsString> = parts.collect();
    parts.reverse();
    parts
}

/// The path without links, as text.
pub(crate) fn real_text(path: &str) -> String {
    real_path(Path::new(path)).to_string_lossy().into_owned()
}

/// Joins as Python's `os.path.join` does: an absolute `name` stands alone, one slash lies between.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if name.starts_with('/') || folder.is_empty() {
        name.to_owned()
    } else if folder.ends_with('/') {
        format!("{folder}{name}")
    } else {
        format!("{folder}/{name}")
    }
}

/// What is before the last slash, as Python's `os.path.dirname` has it; empty for a bare name.
pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(slash) => path[..slash].trim_end_matches('/'),
        None => "",
    }
}

/// What is after the last slash, as Python's `os.path.basename` has it; empty for a path that ends in one.
pub(crate) fn file_name(path: &str) -> &str {
    path.rfind('/').map_or(path, |slash| &path[slash + 1..])
}

/// The folder that a path lies in, for use in system calls: `.` for a bare name.
pub(crate) fn parent_folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// Makes the missing folders on the way to `folder` (and itself), and returns them from the outermost on.
pub(crate) fn make_folders(folder: &str) -> io::Result<Vec<String>> {
    let mut missing = Vec::new();
    let mut at = folder.trim_end_matches('/');
    while !at.is_empty() && !Path::new(at).exists() {
        missing.push(at.to_owned());
        at = parent(at);
    }
    missing.reverse();
    for folder in &missing {
        match fs::create_dir(folder) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && Path::new(folder).is_dir() => {}
            outcome => outcome?,
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_even_where_the_end_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(folder.path()).expect("its real path");
        fs::create_dir(root.join("d")).expect("a folder");
        std::os::unix::fs::symlink("d/../e", root.join("l")).expect("a link");
        std::os::unix::fs::symlink("m", root.join("m")).expect("a link to itself");
        assert_eq!(real_path(&root.join("l/x")), root.join("e/x"));
        assert_eq!(real_path(&root.join("d")), root.join("d"));
        assert!(real_path(&root.join("m")).ends_with("m"));
    }

    #[test]
    fn text_of_paths_is_cut_as_python_does() {
        for (path, dir, name) in [
            ("/a/b", "/a", "b"),
            ("/a", "/", "a"),
            ("a", "", "a"),
            ("/a/b/", "/a/b", ""),
        ] {
            assert_eq!((parent(path), file_name(path)), (dir, name), "{path}");
        }
        assert_eq!(join("/a", "b"), "/a/b");
        assert_eq!(join("/a/", "b"), "/a/b");
        assert_eq!(join("/a", "/b"), "/b");
        assert_eq!(join("/a/", ""), "/a/");
        assert_eq!(join("/a", ""), "/a/");
    }

    #[test]
    fn missing_folders_are_made_and_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().to_str().expect("text").to_owned();
        let made = make_folders(&format!("{root}/a/b/")).expect("folders");
        assert_eq!(made, [format!("{root}/a"), format!("{root}/a/b")]);
        assert!(
            make_folders(&format!("{root}/a"))
                .expect("nothing to do")
                .is_empty()
        );
    }
}
