//! The module `stat`: what a path is.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

use async_trait::async_trait;
use rustix::fs::Access;
use rustle_module::accounts::Accounts;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use rustle_process::Command;
use serde::Deserialize;
use serde_json::Value;

use crate::attributes::Flags;
use crate::checksum::{Algorithm, of_file};
use crate::metadata::describe;
use crate::os_error::text_of;
use crate::paths::real_text;

/// The module `stat`.
pub(crate) struct Stat;

/// The arguments of `stat`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    path: String,
    follow: bool,
    get_checksum: bool,
    checksum_algorithm: Algorithm,
    get_mime: bool,
    get_attributes: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path)
        .required()
        .aliases(&["dest", "name"]),
    Opt::new("follow", Type::Bool).default(Default::Bool(false)),
    Opt::new("get_checksum", Type::Bool).default(Default::Bool(true)),
    Opt::new("checksum_algorithm", Type::Str)
        .default(Default::Str("sha1"))
        .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
        .aliases(&["checksum", "checksum_algo"]),
    Opt::new("get_mime", Type::Bool)
        .default(Default::Bool(true))
        .aliases(&["mime", "mime_type", "mime-type"]),
    Opt::new("get_attributes", Type::Bool)
        .default(Default::Bool(true))
        .aliases(&["attr", "attributes"]),
];

#[async_trait]
impl Module for Stat {
    type Args = Args;
    type State = Object;
    const SPEC: Spec = Spec::new("stat", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Object, Failure> {
        let path = args.path.as_str();
        let look = if args.follow {
            fs::metadata(path)
        } else {
            fs::symlink_metadata(path)
        };
        let mut stat = Object::new();
        let metadata = match look {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                stat.insert("exists".into(), false.into());
                return Ok(stat);
            }
            Err(error) => return Err(Failure::new(text_of(&error))),
        };
        stat.insert("exists".into(), true.into());
        stat.insert("path".into(), path.into());
        add_metadata(&mut stat, &metadata);
        add_access(&mut stat, path);
        if metadata.is_symlink() {
            add_link(&mut stat, path);
        }
        add_names(target, &mut stat, &metadata).await;
        if args.get_checksum
            && metadata.is_file()
            && let Ok(sum) = of_file(path, args.checksum_algorithm)
        {
            stat.insert("checksum".into(), sum.into());
        }
        if args.get_mime {
            add_mime(target, &mut stat, path).await;
        }
        if args.get_attributes {
            let flags = Flags::of(target, path.as_ref()).await;
            stat.insert(
                "version".into(),
                flags.version.clone().map_or(Value::Null, Value::String),
            );
            stat.insert("attributes".into(), flags.names().into());
            stat.insert("attr_flags".into(), flags.letters.into());
        }
        Ok(stat)
    }

    fn diff(&self, _args: &Args, state: &Object, _mode: Mode) -> Verdict {
        let mut result = Object::new();
        result.insert("stat".into(), state.clone().into());
        Verdict::unchanged(Output::new(result))
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _state: Object,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

fn add_metadata(stat: &mut Object, metadata: &Metadata) {
    describe(stat, metadata);
    stat.insert("blocks".into(), metadata.blocks().into());
    stat.insert("block_size".into(), metadata.blksize().into());
    stat.insert("device_type".into(), metadata.rdev().into());
}

/// What the user that we are may do.
fn add_access(stat: &mut Object, path: &str) {
    for (key, access) in [
        ("readable", Access::READ_OK),
        ("writeable", Access::WRITE_OK),
        ("executable", Access::EXEC_OK),
    ] {
        stat.insert(key.into(), rustix::fs::access(path, access).is_ok().into());
    }
}

fn add_link(stat: &mut Object, path: &str) {
    let aim = fs::read_link(path).unwrap_or_default();
    stat.insert("lnk_source".into(), real_text(path).into());
    stat.insert(
        "lnk_target".into(),
        aim.to_string_lossy().into_owned().into(),
    );
}

async fn add_names(target: &dyn Target, stat: &mut Object, metadata: &Metadata) {
    let accounts = Accounts::new(target);
    if let Some(user) = accounts.user_with_id(metadata.uid()).await {
        stat.insert("pw_name".into(), user.name.into());
    }
    if let Some(group) = accounts.group_with_id(metadata.gid()).await {
        stat.insert("gr_name".into(), group.name.into());
    }
}

/// Asks `file` for the type of the content; hosts without it do not know.
async fn add_mime(target: &dyn Target, stat: &mut Object, path: &str) {
    let command = Command::new("file").args(["--mime-type", "--mime-encoding", path]);
    let finished = target
        .run(command)
        .await
        .ok()
        .filter(|finished| finished.is_success());
    let output = finished.map(|finished| finished.stdout.to_string_lossy());
    let (kind, charset) = output
        .as_deref()
        .and_then(parse_mime)
        .unwrap_or(("unknown", "unknown"));
    stat.insert("mimetype".into(), kind.into());
    stat.insert("charset".into(), charset.into());
}

/// Reads `path: text/plain; charset=us-ascii`.
fn parse_mime(output: &str) -> Option<(&str, &str)> {
    let (_, answer) = output.rsplit_once(':')?;
    let (kind, charset) = answer.split_once(';')?;
    let (_, charset) = charset.split_once('=')?;
    Some((kind.trim(), charset.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_file_is_read_and_anything_else_is_not() {
        assert_eq!(
            parse_mime("/a:b: text/plain; charset=utf-8\n"),
            Some(("text/plain", "utf-8"))
        );
        assert_eq!(parse_mime("l: broken symbolic link to none\n"), None);
    }
}
