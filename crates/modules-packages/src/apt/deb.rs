//! Packages that are files.

use std::cmp::Ordering;
use std::fs;

use rustle_module::tool::{Ran, Tool};
use rustle_module::{Failure, Target, random_name};

use super::args::Args;
use super::command::AptGet;
use crate::dpkg::{Database, compare_versions};

/// The fields of a package's file.
struct DebFile {
    path: String,
    name: String,
    architecture: String,
    version: String,
}

/// A file that was fetched, removed when it is not needed any more.
pub(super) struct Fetched(String);

impl Drop for Fetched {
    fn drop(&mut self) {
        let _ignored = fs::remove_file(&self.0);
    }
}

/// The call that installs the files; none where all are installed. Files that were fetched for it are kept as long as what comes with it.
///
/// # Errors
/// When a file is not there or no package, or an installed version is later.
pub(super) async fn resolve(
    target: &dyn Target,
    args: &Args,
    files: &str,
) -> Result<(Option<AptGet>, Vec<Fetched>), Failure> {
    let database = Database::read(target).await?;
    let (mut paths, mut fetched) = (Vec::new(), Vec::new());
    for file in files.split(',') {
        let path = if file.contains("://") {
            let file = fetch(target, file).await?;
            let path = file.0.clone();
            fetched.push(file);
            path
        } else {
            file.to_owned()
        };
        let deb = DebFile::read(target, path).await?;
        if args.wants(&database, &deb)? {
            paths.push(deb.path);
        }
    }
    let call = (!paths.is_empty()).then(|| {
        let mut call = AptGet::new("install", paths);
        call.trailing.extend(args.allowances());
        // What a file recommends comes with it only where that is asked for.
        let recommends = args.install_recommends == Some(true);
        let word = if recommends { "yes" } else { "no" };
        let option = format!("APT::Install-Recommends={word}");
        call.trailing.extend(["-o".to_owned(), option]);
        call
    });
    Ok((call, fetched))
}

impl DebFile {
    async fn read(target: &dyn Target, path: String) -> Result<Self, Failure> {
        let unable = |why: &str| Failure::new(format!("Unable to install package: {why}"));
        if let Err(error) = fs::File::open(&path) {
            let code = error.raw_os_error().unwrap_or(0);
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let why = format!("E:Could not open file {path} - open ({code}: {text})");
            return Err(unable(&why));
        }
        let format = "${Package}\\t${Architecture}\\t${Version}\\n";
        let tool = Tool::find(target, "dpkg-deb")?;
        let ran = tool
            .run(["--showformat", format, "--show", "--", &path])
            .await?;
        let fields: Vec<&str> = ran.stdout.trim_end().split('\t').collect();
        let (true, &[name, architecture, version]) = (ran.is_success(), fields.as_slice()) else {
            return Err(unable(ran.stderr.trim()));
        };
        Ok(Self {
            name: name.to_owned(),
            architecture: architecture.to_owned(),
            version: version.to_owned(),
            path: if path.starts_with('/') {
                path
            } else {
                format!("./{path}")
            },
        })
    }
}

impl Args {
    /// Whether a file has to be installed.
    fn wants(&self, database: &Database, deb: &DebFile) -> Result<bool, Failure> {
        let name = format!("{}:{}", deb.name, deb.architecture);
        let known = database.find(&name).or_else(|| database.find(&deb.name));
        let Some(known) = known.filter(|known| known.is_installed) else {
            return Ok(true);
        };
        match compare_versions(&deb.version, &known.version) {
            Ordering::Greater => Ok(true),
            Ordering::Equal => Ok(false),
            Ordering::Less if self.allow_downgrade => Ok(true),
            Ordering::Less => Err(Failure::new("A later version is already installed")),
        }
    }
}

/// The failure of a call that should have installed files: a dependency that is nowhere to be had is named.
pub(super) fn failure(ran: &Ran) -> Failure {
    let missing = ran.stdout.lines().find_map(unmet_dependency);
    let msg = match missing {
        Some(name) => format!("Dependency is not satisfiable: {name}\n"),
        None => format!("Unable to install package: {}", ran.stderr.trim()),
    };
    Failure::new(msg)
}

/// The name in ` web : Depends: nginx (>= 2) but it is not installable`.
fn unmet_dependency(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(" Depends: ")?;
    let (dependency, _) = rest.split_once(" but ")?;
    Some(dependency.trim())
}

/// Fetches a file by apt's own helper, which knows proxies and certificates as apt is set up with.
async fn fetch(target: &dyn Target, url: &str) -> Result<Fetched, Failure> {
    let name = random_name().map_err(|error| Failure::new(error.to_string()))?;
    let path = format!("{}/{name}.deb", target.temp_dir().display());
    let fetched = Fetched(path);
    crate::fetch::to_file(target, url, &fetched.0).await?;
    Ok(fetched)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependency_that_is_not_to_be_had_is_named() {
        let ran = Ran {
            rc: 100,
            stdout: "The following packages have unmet dependencies:\n web : Depends: nginx (>= 2) but it is not installable\n".into(),
            stderr: "E: Unable to correct problems".into(),
        };
        assert_eq!(
            failure(&ran).msg,
            "Dependency is not satisfiable: nginx (>= 2)\n"
        );
        let other = Ran {
            stdout: String::new(),
            ..ran
        };
        assert!(failure(&other).msg.contains("Unable to correct problems"));
    }
}
