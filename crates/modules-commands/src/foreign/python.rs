//! Which Python a host has.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustle_module::Target;
use rustle_process::Command;

/// Where programs are looked for when nothing says it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The first of `candidates` that is there and runs: paths, or names to be looked for in `PATH`.
pub(super) async fn find(target: &dyn Target, candidates: &[String]) -> Option<String> {
    let path = target.variable("PATH").unwrap_or_else(|| PATH.to_owned());
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for candidate in candidates {
        let places = match candidate.contains('/') {
            true => vec![PathBuf::from(candidate)],
            false => folders
                .iter()
                .map(|folder| folder.join(candidate))
                .collect(),
        };
        let Some(place) = places.into_iter().find(|place| is_program(place)) else {
            continue;
        };
        // Of some that are there nothing but the name is: they only start what is chosen elsewhere.
        let ran = target.run(Command::new(&place).args(["-c", ""])).await;
        if ran.is_ok_and(|finished| finished.is_success()) {
            return Some(place.to_string_lossy().into_owned());
        }
    }
    None
}

fn is_program(path: &Path) -> bool {
    let about = path.metadata();
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
