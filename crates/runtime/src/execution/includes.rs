//! Templates that `{% include %}` and `{% import %}` name.

use std::path::PathBuf;

use rustle_template::Includes;

/// Templates in given folders, then beside the plan: in `templates/`, then in the folder itself.
#[derive(Debug)]
pub(crate) struct DiskIncludes {
    pub(crate) base_dir: PathBuf,
}

impl Includes for DiskIncludes {
    fn source(&self, name: &str, folders: &[PathBuf]) -> Option<String> {
        let beside = [self.base_dir.join("templates"), self.base_dir.clone()];
        folders
            .iter()
            .chain(&beside)
            .find_map(|folder| std::fs::read_to_string(folder.join(name)).ok())
    }
}
