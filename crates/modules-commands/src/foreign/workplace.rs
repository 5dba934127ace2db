//! The folder of one call: the module's arguments, and its own temporary files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustle_module::foreign::ARGS_MARK;
use rustle_module::{Failure, Target, random_name};

/// A private folder under a name that nobody can guess; dropping it removes it with all that is in it.
pub(super) struct Workplace(PathBuf);

impl Workplace {
    pub(super) fn make(target: &dyn Target) -> Result<Self, Failure> {
        let made = random_name().and_then(|unique| {
            let folder = target.temp_dir().join(format!("module-{unique}"));
            DirBuilder::new().mode(0o700).create(&folder)?;
            Ok(Self(folder))
        });
        made.map_err(|error| cannot_write(target.temp_dir(), &error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file that only its owner can read.
    pub(super) fn keep(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(bytes));
        match written {
            Ok(()) => Ok(path),
            Err(error) => Err(cannot_write(&path, &error)),
        }
    }

    /// Writes the text of a module with its arguments in it.
    pub(super) fn keep_text(&self, module: &Path, args: &str) -> Result<PathBuf, Failure> {
        let text = fs::read(module).map_err(|error| {
            Failure::new(format!("cannot read `{}`: {error}", module.display()))
        })?;
        self.keep(
            "module",
            &replaced(&text, ARGS_MARK.as_bytes(), args.as_bytes()),
        )
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What stays is in a private folder, and cannot be helped.
        let _ignored = fs::remove_dir_all(&self.0);
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", path.display()))
}

fn replaced(text: &[u8], mark: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + with.len());
    let mut rest = text;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + mark.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_replaced_and_what_is_put_in_is_not_read_again() {
        let with = replaced(b"a MARK b MARK", b"MARK", b"xMARKx");
        assert_eq!(with, b"a xMARKx b xMARKx");
    }
}
