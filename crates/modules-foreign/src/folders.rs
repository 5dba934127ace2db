//! Folders of modules, as a plan's author lays them out.

use std::path::{Path, PathBuf};

/// Endings of files that lie beside modules and are none.
const NO_MODULES: &[&str] = &[
    "bak", "cfg", "ini", "json", "md", "pyc", "pyo", "rpm", "rst", "swp", "txt", "yaml", "yml",
];

/// Where modules of the plan's author are looked for.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// Where relative paths of the plan begin.
    pub base_dir: PathBuf,
    /// The folders of the plan's roles.
    pub roles: Vec<PathBuf>,
    /// Folders that were named.
    pub named: Vec<PathBuf>,
}

impl Folders {
    /// The folders of modules that a task of `role` sees, the first to be looked at first. As in Ansible a role's modules are seen
    /// by the whole plan.
    pub(crate) fn libraries(&self, role: Option<&Path>) -> Vec<PathBuf> {
        let mut libraries = self.beside("library", role);
        libraries.extend(self.named.iter().cloned());
        libraries
    }

    /// The file of a module.
    pub(crate) fn module(&self, name: &str, role: Option<&Path>) -> Option<PathBuf> {
        let libraries = self.libraries(role);
        libraries.iter().find_map(|folder| file_of(folder, name))
    }

    /// Every module, by its name; of those with the same name the first.
    pub(crate) fn modules(&self) -> Vec<(String, PathBuf)> {
        let libraries = self.libraries(None);
        let entries = libraries
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok());
        let mut names: Vec<String> = entries
            .flat_map(|entries| entries.flatten())
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let short = name.split('.').next().unwrap_or_default();
                (!short.is_empty() && short != "__init__").then(|| short.to_owned())
            })
            .collect();
        names.sort();
        names.dedup();
        let found = names.into_iter().filter_map(|name| {
            let path = self.module(&name, None)?;
            Some((name, path))
        });
        found.collect()
    }

    /// The half on the controller that Ansible would run for a module.
    pub(crate) fn action(&self, name: &str, role: Option<&Path>) -> Option<PathBuf> {
        let folders = self.beside("action_plugins", role).into_iter();
        let mut files = folders.map(|folder| folder.join(format!("{name}.py")));
        files.find(|file| file.is_file())
    }

    /// Folders of a kind beside the plan and in its roles.
    pub(crate) fn beside(&self, kind: &str, role: Option<&Path>) -> Vec<PathBuf> {
        let mut folders = vec![self.base_dir.join(kind)];
        let roles = role
            .into_iter()
            .chain(self.roles.iter().map(PathBuf::as_path));
        for role in roles {
            let folder = self.base_dir.join(role).join(kind);
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }
}

/// The file of a module in a folder: of this name, or with any ending that is not one of other files.
fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut found: Vec<(u8, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter_map(|path| Some((rank(&path, name)?, path)))
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, path)| path)
}

/// How well a file fits a module's name, 0 the best; none where it does not.
fn rank(path: &Path, name: &str) -> Option<u8> {
    let file = path.file_name()?.to_str()?;
    if file == name {
        return Some(0);
    }
    match file.strip_prefix(name)?.strip_prefix('.')? {
        "py" => Some(1),
        ending if ending.contains('.') || ending.ends_with('~') => None,
        ending => (!NO_MODULES.contains(&ending)).then_some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(files: &[&str]) -> (tempfile::TempDir, Folders) {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let folders = Folders {
            base_dir: folder.path().to_owned(),
            roles: vec!["roles/r".into()],
            named: vec![folder.path().join("named")],
        };
        (folder, folders)
    }

    #[test]
    fn module_beside_the_plan_wins_over_a_roles_and_that_over_a_named_folders() {
        let files = ["library/a.py", "roles/r/library/a", "roles/r/library/b.sh"];
        let (place, folders) = folders(&[&files[..], &["named/b", "named/c"]].concat());
        let found = |name: &str| {
            let path = folders.module(name, None)?;
            let path = path.strip_prefix(place.path()).unwrap();
            Some(path.display().to_string())
        };
        assert_eq!(found("a").as_deref(), Some("library/a.py"));
        assert_eq!(found("b").as_deref(), Some("roles/r/library/b.sh"));
        assert_eq!(found("c").as_deref(), Some("named/c"));
        assert_eq!(found("d"), None);
    }

    #[test]
    fn role_that_the_plan_does_not_name_brings_its_modules_to_its_own_tasks() {
        let (_place, folders) = folders(&["other/library/a"]);
        assert_eq!(folders.module("a", None), None);
        assert!(folders.module("a", Some(Path::new("other"))).is_some());
    }

    #[test]
    fn files_beside_modules_are_none() {
        let files = [
            "library/a.md",
            "library/a.yml",
            "library/a.py~",
            "library/a.b.c",
            "library/ab",
        ];
        let (_place, folders) = folders(&files);
        assert_eq!(folders.module("a", None), None);
    }
}
