//! Templates that `{% include %}` and `{% import %}` name.

use std::path::PathBuf;

use rustle_template::Includes;

/// Templates beside the plan: in `templates/`, then in the folder itself.
#[derive(Debug)]
pub(crate) struct DiskIncludes {
    pub(crate) base_dir: PathBuf,
}

impl Includes for DiskIncludes {
    fn source(&self, name: &str) -> Option<String> {
        let folders = [self.base_dir.join("templates"), self.base_dir.clone()];
        folders
            .iter()
            .find_map(|folder| std::fs::read_to_string(folder.join(name)).ok())
    }
}
