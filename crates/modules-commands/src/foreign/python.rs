//! Which Python a host has.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustle_module::Target;

/// Where programs are looked for when nothing says it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The first of `candidates` that is there: paths, or names to be looked for in `PATH`.
pub(super) fn find(target: &dyn Target, candidates: &[String]) -> Option<String> {
    let path = target.variable("PATH").unwrap_or_else(|| PATH.to_owned());
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = candidates.iter().find_map(|candidate| {
        if candidate.contains('/') {
            return is_program(Path::new(candidate)).then(|| PathBuf::from(candidate));
        }
        let places = folders.iter().map(|folder| folder.join(candidate));
        places.into_iter().find(|place| is_program(place))
    });
    found.map(|path| path.to_string_lossy().into_owned())
}

fn is_program(path: &Path) -> bool {
    let about = path.metadata();
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
