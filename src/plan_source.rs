//! Where the plan comes from, and where its relative paths begin.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use rustle_types::{ExecutionPlan, PlanReader, PlanWarning};

use crate::errors::CliError;

/// Where a plan is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlanSource {
    File(PathBuf),
    Stdin,
    /// What a run had read from standard input, and kept.
    Kept(PathBuf),
}

/// A plan that was read.
pub(crate) struct LoadedPlan {
    pub(crate) plan: ExecutionPlan,
    pub(crate) warnings: Vec<PlanWarning>,
    /// Where relative paths of the plan begin.
    pub(crate) base_dir: PathBuf,
    /// What messages call the plan.
    pub(crate) name: String,
}

impl PlanSource {
    /// Takes what the command line names: a file, `-`, or nothing where something is piped in.
    ///
    /// # Errors
    /// When nothing is named and a person sits at standard input.
    pub(crate) fn choose(named: Option<&Path>) -> Result<Self, CliError> {
        match named {
            Some(path) if path == Path::new("-") => Ok(Self::Stdin),
            Some(path) => Ok(Self::File(path.to_owned())),
            None if io::stdin().is_terminal() => Err(CliError::Usage {
                message: "no execution plan is named".into(),
                hint: "name one: rustle-exec plan.json; or pipe one in: rustle-parse site.yml | rustle-plan | rustle-exec",
            }),
            None => Ok(Self::Stdin),
        }
    }

    /// Reads the plan by `reader`.
    ///
    /// # Errors
    /// When it cannot be read, or with all its mistakes at once.
    pub(crate) fn load(&self, reader: &PlanReader) -> Result<LoadedPlan, CliError> {
        let text = self.read().map_err(|source| CliError::PlanUnreadable {
            path: self.path().to_owned(),
            source,
        })?;
        let (plan, warnings) = reader.read_json(&text).map_err(|errors| match self {
            Self::File(path) => errors.named(path.to_string_lossy()),
            Self::Stdin | Self::Kept(_) => errors,
        })?;
        let folder = match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Stdin | Self::Kept(_) => Path::new(""),
        };
        let base_dir = folder.join(plan.base_dir.as_deref().unwrap_or_default());
        let base_dir = std::path::absolute(if base_dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &base_dir
        })
        .map_err(|source| CliError::PlanUnreadable {
            path: self.path().to_owned(),
            source,
        })?;
        Ok(LoadedPlan {
            plan,
            warnings,
            base_dir,
            name: self.path().to_string_lossy().into_owned(),
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Stdin | Self::Kept(_) => Path::new("-"),
        }
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(path) | Self::Kept(path) => fs::read(path),
            Self::Stdin => {
                let mut text = Vec::new();
                io::stdin().lock().read_to_end(&mut text)?;
                Ok(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"plays": [{"hosts": ["a"], "tasks": [{"module": "ping"}]}]}"#;

    fn load(path: &Path, text: &str) -> LoadedPlan {
        fs::write(path, text).unwrap();
        PlanSource::choose(Some(path))
            .unwrap()
            .load(&PlanReader::default())
            .unwrap()
    }

    #[test]
    fn relative_paths_begin_at_the_plan_or_where_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        assert_eq!(load(&path, PLAN).base_dir, folder.path());
        let says = |base: &str| PLAN.replacen('{', &format!(r#"{{"base_dir": "{base}", "#), 1);
        assert_eq!(
            load(&path, &says("site")).base_dir,
            folder.path().join("site")
        );
        assert_eq!(load(&path, &says("/srv")).base_dir, Path::new("/srv"));
    }

    #[test]
    fn dash_is_standard_input_and_a_dash_in_a_folder_is_a_file() {
        assert_eq!(
            PlanSource::choose(Some(Path::new("-"))).unwrap(),
            PlanSource::Stdin
        );
        assert_eq!(
            PlanSource::choose(Some(Path::new("./-"))).unwrap(),
            PlanSource::File("./-".into())
        );
    }
}
