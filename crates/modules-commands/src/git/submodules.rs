//! Repositories inside a repository.

use std::fs;
use std::path::Path;

use rustle_module::Failure;

use super::is_there;
use super::repository::Repository;

impl Repository<'_> {
    /// Brings all submodules to the versions that the working copy names; tells whether one was at another.
    pub(super) async fn update_submodules(&self) -> Result<bool, Failure> {
        let list = Path::new(&self.dest).join(".gitmodules");
        let Ok(list) = fs::read_to_string(list) else {
            return Ok(false);
        };
        let mut paths = list.lines().filter_map(|line| {
            let (name, path) = line.split_once('=')?;
            (name.trim() == "path").then(|| path.trim())
        });
        let is_missing = paths.any(|path| !is_there(Path::new(&self.dest).join(path).join(".git")));
        if !is_missing && !self.submodules_differ().await? {
            return Ok(false);
        }
        self.checked(&["submodule", "sync"]).await?;
        let mut words = vec!["submodule", "update", "--init", "--recursive"];
        if self.args.track_submodules {
            words.push("--remote");
        }
        if self.args.force {
            words.push("--force");
        }
        self.checked(&words).await?;
        Ok(true)
    }

    async fn submodules_differ(&self) -> Result<bool, Failure> {
        self.checked(&["submodule", "foreach", "git", "fetch"])
            .await?;
        if !self.args.track_submodules {
            let status = self.checked(&["submodule", "status"]).await?;
            return Ok(status.stdout.lines().any(|line| !line.starts_with(' ')));
        }
        let at = async |version: &str| {
            let ran = self
                .checked(&["submodule", "foreach", "git", "rev-parse", version])
                .await?;
            Ok::<String, Failure>(ran.stdout)
        };
        let upstream = format!("{}/master", self.args.remote);
        Ok(at("HEAD").await? != at(&upstream).await?)
    }
}
