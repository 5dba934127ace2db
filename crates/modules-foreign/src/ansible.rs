//! The Ansible that the controller has: where its files are. No Python is run to find them.

use std::path::{Path, PathBuf};

/// Where Ansible and its collections are looked for.
#[derive(Clone, Debug, Default)]
pub struct AnsiblePlaces {
    /// The one folder to look in: of an environment, of packages, or of `ansible` itself.
    pub named: Option<PathBuf>,
    /// The folders of programs.
    pub path: Vec<PathBuf>,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// Folders with collections, where they are named.
    pub collections: Option<Vec<PathBuf>>,
}

/// Ansible's own files.
#[derive(Clone, Debug)]
pub(crate) struct Ansible {
    /// The folder `ansible`.
    pub(crate) package: PathBuf,
    /// Its version.
    pub(crate) version: String,
    /// What its modules may be told beside their arguments; all where that cannot be told.
    pub(crate) told: Option<Vec<String>>,
}

impl Ansible {
    /// The first Ansible in folders of packages.
    pub(crate) fn in_sites(sites: &[PathBuf]) -> Option<Self> {
        sites
            .iter()
            .find_map(|site| Self::at(&site.join("ansible")))
    }

    fn at(package: &Path) -> Option<Self> {
        let release = std::fs::read_to_string(package.join("release.py")).ok()?;
        let version = release.lines().find_map(|line| {
            let value = line.strip_prefix("__version__")?.trim_start();
            let value = value.strip_prefix('=')?.trim();
            Some(value.trim_matches(['\'', '"']).to_owned())
        })?;
        Some(Self {
            package: package.to_owned(),
            version,
            told: told(package),
        })
    }
}

/// What modules may be told: others they take for arguments that they do not have.
fn told(package: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(package.join("module_utils/common/parameters.py")).ok()?;
    let (_, rest) = text.split_once("\nPASS_VARS")?;
    let (table, _) = rest.split_once("\n}")?;
    let names = table.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix('\'')?;
        Some(line.split_once('\'')?.0.to_owned())
    });
    Some(names.collect())
}

impl AnsiblePlaces {
    /// Folders of Python packages in which Ansible may be, the first to be looked at first.
    pub(crate) fn sites(&self) -> Vec<PathBuf> {
        if let Some(named) = &self.named {
            let inside = named
                .parent()
                .filter(|_| named.join("release.py").is_file());
            let mut sites = vec![inside.unwrap_or(named).to_owned()];
            sites.extend(packages_of(named, None));
            return sites;
        }
        let mut sites = Vec::new();
        let programs = ["ansible-playbook", "ansible"].map(|name| self.program(name));
        let by_script = programs.into_iter().flatten();
        let pythons = by_script.filter_map(|script| self.python_of(&script));
        let pythons: Vec<PathBuf> = pythons.chain(self.program("python3")).collect();
        for python in pythons {
            let real = python.canonicalize().unwrap_or_else(|_| python.clone());
            let version = real.file_name().and_then(|name| name.to_str());
            let of = [&python, &real].map(|python| python.parent().and_then(Path::parent));
            for prefix in of.into_iter().flatten() {
                sites.extend(packages_of(prefix, version));
                if prefix == Path::new("/usr") {
                    sites.extend(packages_of(Path::new("/usr/local"), version));
                    let home = self.home.iter().map(|home| home.join(".local"));
                    sites.extend(home.flat_map(|home| packages_of(&home, version)));
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        sites.retain(|site| seen.insert(site.clone()));
        sites
    }

    /// Folders that may hold `ansible_collections`, as Ansible looks through them.
    pub(crate) fn collections(&self, base_dir: &Path, sites: &[PathBuf]) -> Vec<PathBuf> {
        let mut folders = vec![base_dir.join("collections")];
        match &self.collections {
            Some(named) => folders.extend(named.iter().map(|folder| self.at_home(folder))),
            None => {
                folders.extend(
                    self.home
                        .iter()
                        .map(|home| home.join(".ansible/collections")),
                );
                folders.push("/usr/share/ansible/collections".into());
            }
        }
        folders.extend(sites.iter().cloned());
        folders
    }

    fn at_home(&self, folder: &Path) -> PathBuf {
        match (&self.home, folder.strip_prefix("~")) {
            (Some(home), Ok(rest)) => home.join(rest),
            _ => folder.to_owned(),
        }
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        let mut files = self.path.iter().map(|folder| folder.join(name));
        files.find(|file| file.is_file())
    }

    /// The Python that runs a script, by the script's first lines.
    fn python_of(&self, script: &Path) -> Option<PathBuf> {
        let text = std::fs::read(script).ok()?;
        let text = String::from_utf8_lossy(&text[..text.len().min(4096)]).into_owned();
        let mut lines = text.lines();
        let mut words = lines.next()?.strip_prefix("#!")?.split_whitespace();
        let first = words.next()?;
        if first.ends_with("/env") {
            return self.program(words.next()?);
        }
        if first.ends_with("/sh") {
            // Where the path is long or has blanks, a shell starts Python: '''exec' "/path/python" "$0" "$@"
            let second = lines.next()?.strip_prefix("'''exec' ")?;
            let path = second.split(" \"$0\"").next()?.trim_matches('"');
            return Some(path.into());
        }
        Some(first.into())
    }
}

/// Folders of Python packages below a prefix, those of `version` (`python3.11`) first, and newer ones before older.
fn packages_of(prefix: &Path, version: Option<&str>) -> Vec<PathBuf> {
    let mut found: Vec<(bool, u32, PathBuf)> = Vec::new();
    let libs = ["lib", "lib64"].map(|lib| prefix.join(lib));
    for lib in libs.into_iter().filter(|lib| !lib.is_symlink()) {
        for entry in std::fs::read_dir(lib).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(minor) = name.strip_prefix("python3") else {
                continue;
            };
            let number = minor.trim_start_matches('.').parse().unwrap_or(0);
            let is_other = Some(name.as_str()) != version;
            for kind in ["site-packages", "dist-packages"] {
                let folder = entry.path().join(kind);
                if folder.is_dir() {
                    found.push((is_other, u32::MAX - number, folder));
                }
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, _, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn ansible_is_found_by_the_python_of_its_program() {
        let world = world(&[
            (
                "env/lib/python3.9/site-packages/ansible/release.py",
                "__version__ = '2.9'\n",
            ),
            (
                "env/lib/python3.12/site-packages/ansible/release.py",
                "__version__ = \"2.19.1\"\n",
            ),
            (
                "env/lib/python3.12/site-packages/ansible/module_utils/common/parameters.py",
                "x = 1\nPASS_VARS = {\n    'check_mode': ('a', 1),\n    'version': 2,\n}\n'no': 1\n",
            ),
        ]);
        let root = world.path();
        std::fs::create_dir(root.join("bin")).unwrap();
        let script = format!(
            "#!/bin/sh\n'''exec' \"{}/env/bin/python3\" \"$0\" \"$@\"\n",
            root.display()
        );
        std::fs::write(root.join("bin/ansible-playbook"), script).unwrap();
        let places = AnsiblePlaces {
            path: vec![root.join("bin")],
            ..AnsiblePlaces::default()
        };
        let ansible = Ansible::in_sites(&places.sites()).unwrap();
        assert_eq!(ansible.version, "2.19.1");
        assert_eq!(ansible.told.unwrap(), ["check_mode", "version"]);
    }

    #[test]
    fn folder_that_is_named_is_the_only_one_looked_in() {
        let world = world(&[(
            "e/lib/python3.9/site-packages/ansible/release.py",
            "__version__ = '2.9'\n",
        )]);
        let named = |name: &str| {
            let places = AnsiblePlaces {
                named: Some(world.path().join(name)),
                ..AnsiblePlaces::default()
            };
            Ansible::in_sites(&places.sites()).is_some()
        };
        assert!(named("e") && named("e/lib/python3.9/site-packages"));
        assert!(named("e/lib/python3.9/site-packages/ansible"));
        assert!(!named("other"));
    }
}
