//! `fetch`: brings a file of the host to the controller.
//!
//! The host's `stat` tells size and checksum, and its `slurp` gives the content in pieces, so that a file of any size takes the memory of
//! one. What arrives is kept beside its destination until it is whole.
//!
//! What the host says decides nothing about where files are written: the destination has to lie in the folder that the task names.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rustle_module::{Default, Opt, Spec, Type, as_bool, hex, py_str, random_name};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::ActionContext;
use crate::lookups::expand_home;
use crate::result::{TaskError, object};
use crate::unit::UnitError;

/// How many bytes travel at a time.
const PIECE: u64 = 4 << 20;

pub(crate) const SPEC: Spec = Spec::new(
    "fetch",
    &[
        Opt::new("src", Type::Str).required(),
        Opt::new("dest", Type::Str).required(),
        Opt::new("fail_on_missing", Type::Bool).default(Default::Bool(true)),
        Opt::new("flat", Type::Bool).default(Default::Bool(false)),
        Opt::new("validate_checksum", Type::Bool).default(Default::Bool(true)),
    ],
);

/// What the host tells of the file.
struct Remote {
    path: String,
    size: u64,
    sha1: String,
}

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    if context.mode.check {
        return Ok(ModuleResult {
            skipped: true,
            msg: Some("check mode not (yet) supported for this module".into()),
            ..ModuleResult::default()
        });
    }
    let text = |name: &str| args.get(name).map(py_str).unwrap_or_default();
    let is_on = |name: &str| args.get(name).and_then(as_bool).unwrap_or(false);
    let (src, dest) = (text("src"), text("dest"));
    let remote = match look(context, &src).await? {
        Ok(remote) => remote,
        Err(missing) => return Ok(missing.into_result(&src, is_on("fail_on_missing"))),
    };
    let place = Place {
        dest: &dest,
        base: &context.unit.world.settings.base_dir,
        host: context.unit.host.as_str(),
    };
    let to = if is_on("flat") {
        place.flat(&remote.path)?
    } else {
        place.by_host(&remote.path)?
    };
    let shown = to.display().to_string();
    if let Some(local) = Sums::of_file(&to).map_err(|error| cannot_write(&to, &error))?
        && local.0 == remote.sha1
    {
        let result =
            json!({"md5sum": local.1, "file": remote.path, "dest": shown, "checksum": local.0});
        return Ok(ModuleResult {
            result: object(result),
            ..ModuleResult::default()
        });
    }
    let (sha1, md5) = match bring(context, &remote, &to, is_on("validate_checksum")).await? {
        Brought::Kept(sums) => sums,
        Brought::Differs((sha1, md5)) => {
            let mut result = ModuleResult::failure("checksum mismatch");
            result.result = object(json!({
                "md5sum": md5, "file": remote.path, "dest": shown, "remote_md5sum": null,
                "checksum": sha1, "remote_checksum": remote.sha1,
            }));
            return Ok(result);
        }
        Brought::Failed(result) => return Ok(result),
    };
    Ok(ModuleResult {
        changed: true,
        result: object(json!({
            "md5sum": md5, "dest": shown, "remote_md5sum": null,
            "checksum": sha1, "remote_checksum": remote.sha1,
        })),
        ..ModuleResult::default()
    })
}

/// Why there is nothing to bring.
enum Missing {
    Directory,
    /// It is not there, or cannot be read: what the host says.
    Unreadable(String),
}

impl Missing {
    fn into_result(self, src: &str, fails: bool) -> ModuleResult {
        let msg = match (self, fails) {
            (Self::Directory, true) => {
                return ModuleResult::failure(
                    "remote file is a directory, fetch cannot work on directories",
                );
            }
            (Self::Directory, false) => {
                "remote file is a directory, fetch cannot work on directories, not transferring, ignored".to_owned()
            }
            (Self::Unreadable(said), fails) => {
                let is_missing = said.contains("not found");
                let msg = if is_missing {
                    "the remote file does not exist, not transferring, ignored".to_owned()
                } else {
                    said
                };
                if fails {
                    return ModuleResult::failure(msg);
                }
                let mut result = ModuleResult::default();
                result.result.insert("file".into(), src.into());
                result.msg = is_missing.then(|| msg.into());
                return result;
            }
        };
        ModuleResult {
            msg: Some(msg.into()),
            ..ModuleResult::default()
        }
    }
}

/// Asks the host what the file is.
async fn look(
    context: &ActionContext<'_>,
    src: &str,
) -> Result<Result<Remote, Missing>, UnitError> {
    let args = json!({"path": src, "follow": true, "get_mime": false, "get_attributes": false});
    let found = context.invoke("stat", object(args), Vec::new()).await?;
    let said = |result: &ModuleResult| result.msg.as_ref().map(py_str).unwrap_or_default();
    if found.failed {
        return Ok(Err(Missing::Unreadable(said(&found))));
    }
    let stat = &found.result["stat"];
    if stat["isdir"] == true {
        return Ok(Err(Missing::Directory));
    }
    let known = (
        stat["path"].as_str(),
        stat["size"].as_u64(),
        stat["checksum"].as_str(),
    );
    if let (Some(path), Some(size), Some(sha1)) = known {
        return Ok(Ok(Remote {
            path: path.to_owned(),
            size,
            sha1: sha1.to_owned(),
        }));
    }
    let is_special = stat["exists"] == true && stat["isreg"] == false;
    if is_special {
        // Reading a pipe or a device might never end.
        return Ok(Err(Missing::Unreadable(format!(
            "{src} is no regular file"
        ))));
    }
    // Reading it says what is wrong with it.
    let piece = context
        .invoke("slurp", piece_args(src, 0, 1), Vec::new())
        .await?;
    Ok(Err(Missing::Unreadable(said(&piece))))
}

fn piece_args(src: &str, offset: u64, length: u64) -> Object {
    object(json!({"src": src, "_offset": offset, "_length": length}))
}

/// Where files of a task go.
struct Place<'a> {
    dest: &'a str,
    base: &'a Path,
    host: &'a str,
}

impl Place<'_> {
    /// A folder for each host, and in it the file with all its folders.
    fn by_host(&self, src: &str) -> Result<PathBuf, TaskError> {
        let root = normal(&self.base.join(expand_home(self.dest)));
        let is_one_name = !self.host.contains('/') && !matches!(self.host, "" | "." | "..");
        let folder = root.join(self.host);
        let to = normal(Path::new(&format!("{}/{src}", folder.display())));
        if is_one_name && to != folder && to.starts_with(&folder) {
            return Ok(to);
        }
        Err(TaskError::new(format!(
            "Detected directory traversal, expected to be contained in '{}' but got '{}'",
            folder.display(),
            to.display()
        )))
    }

    /// `dest` itself, or the file's name in it where it ends in a slash.
    fn flat(&self, src: &str) -> Result<PathBuf, TaskError> {
        let to = self.base.join(expand_home(self.dest));
        if !self.dest.ends_with('/') {
            if to.is_dir() {
                return Err(TaskError::new(
                    "dest is an existing directory, use a trailing slash if you want to fetch src into that directory",
                ));
            }
            return Ok(normal(&to));
        }
        let name = src.rsplit('/').next().unwrap_or_default();
        if matches!(name, "" | "." | "..") {
            return Err(TaskError::new(format!("`{src}` has no file name")));
        }
        let to = normal(&to.join(name));
        if to.is_dir() {
            return Err(TaskError::new(format!(
                "calculated dest '{}' is an existing directory, use another path that does not point to an existing directory",
                to.display()
            )));
        }
        Ok(to)
    }
}

/// The path without `.` and `..`, by its text alone.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

/// How bringing a file ended.
enum Brought {
    /// It is in its place; its SHA-1 and MD5.
    Kept((String, String)),
    /// What arrived is not what was there at the beginning, and was thrown away.
    Differs((String, String)),
    /// The host failed to read it.
    Failed(ModuleResult),
}

async fn bring(
    context: &ActionContext<'_>,
    remote: &Remote,
    to: &Path,
    validates: bool,
) -> Result<Brought, UnitError> {
    let failed = |error: io::Error| UnitError::from(cannot_write(to, &error));
    let mut staged = Staged::beside(to).map_err(failed)?;
    let mut sums = Sums::default();
    let mut offset = 0;
    loop {
        // What is added to the file meanwhile is left out. Files of the kernel's say that they are empty.
        let left = match remote.size {
            0 => PIECE,
            size => PIECE.min(size - offset),
        };
        if left == 0 {
            break;
        }
        let args = piece_args(&remote.path, offset, left);
        let piece = context.invoke("slurp", args, Vec::new()).await?;
        if piece.failed {
            return Ok(Brought::Failed(piece));
        }
        let content = piece.result.get("content").and_then(Value::as_str);
        let bytes = STANDARD
            .decode(content.unwrap_or_default())
            .unwrap_or_default();
        let read = bytes.len() as u64;
        if read == 0 || read > left {
            break;
        }
        sums.update(&bytes);
        staged.file.write_all(&bytes).map_err(failed)?;
        offset += read;
    }
    let sums = sums.finish();
    if validates && sums.0 != remote.sha1 {
        return Ok(Brought::Differs(sums));
    }
    staged.commit(to).map_err(failed)?;
    Ok(Brought::Kept(sums))
}

fn cannot_write(to: &Path, error: &io::Error) -> TaskError {
    TaskError::new(format!(
        "Failed to fetch the file. `{}`: {error}",
        to.display()
    ))
}

/// A file on its way to its place; dropping it removes it.
struct Staged {
    file: File,
    path: PathBuf,
}

impl Staged {
    fn beside(to: &Path) -> io::Result<Self> {
        let folder = to.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)?;
        let path = folder.join(format!(".fetched-{}", random_name()?));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self { file, path })
    }

    /// Puts it in its place, with the mode of the file that was there.
    fn commit(self, to: &Path) -> io::Result<()> {
        if let Ok(old) = fs::metadata(to) {
            let mode = fs::Permissions::from_mode(old.mode() & 0o7777);
            self.file.set_permissions(mode)?;
        }
        self.file.sync_all()?;
        fs::rename(&self.path, to)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a commit there is nothing under that name any more.
        let _ignored = fs::remove_file(&self.path);
    }
}

/// The SHA-1 and MD5 of bytes that go by.
#[derive(Default)]
struct Sums(Sha1, Md5);

impl Sums {
    /// The sums of a file of the controller's; none where there is none.
    fn of_file(path: &Path) -> io::Result<Option<(String, String)>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut sums, mut buffer) = (Self::default(), vec![0; 256 << 10]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Some(sums.finish())),
                read => sums.update(&buffer[..read]),
            }
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.1.update(bytes);
    }

    fn finish(self) -> (String, String) {
        (hex(&self.0.finalize()), hex(&self.1.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dest: &'static str, host: &'static str) -> Place<'static> {
        Place {
            dest,
            base: Path::new("/plans"),
            host,
        }
    }

    #[test]
    fn files_lie_below_a_folder_of_their_host() {
        for (dest, src, expected) in [
            ("/out", "/etc/x", "/out/h/etc/x"),
            ("out/", "/etc/../x", "/plans/out/h/x"),
            ("../out", "x", "/out/h/x"),
        ] {
            let to = place(dest, "h").by_host(src).expect("inside");
            assert_eq!(to, Path::new(expected));
        }
    }

    #[test]
    fn no_name_of_a_file_or_host_leads_out_of_the_folder() {
        for (host, src) in [
            ("h", "/../../etc/passwd"),
            ("h", "/.."),
            ("h", ""),
            ("..", "/x"),
            ("a/../..", "/x"),
            ("", "/x"),
        ] {
            let error = place("/out", host).by_host(src).expect_err("outside");
            assert!(error.message.contains("traversal"), "{error}");
        }
        assert!(place("/out/", "h").flat("/etc/..").is_err());
        assert!(place("/out/", "h").flat("/etc/").is_err());
    }

    #[test]
    fn flat_files_have_the_name_that_is_asked_for() {
        let to = |dest| place(dest, "h").flat("/etc/x").expect("a place");
        assert_eq!(to("/nowhere/"), Path::new("/nowhere/x"));
        assert_eq!(to("/nowhere/y"), Path::new("/nowhere/y"));
        assert_eq!(to("y"), Path::new("/plans/y"));
        assert!(place("/etc", "h").flat("/etc/x").is_err());
    }
}
