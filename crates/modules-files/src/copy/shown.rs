//! The difference that a copy shows: text before and after, or why there is none.

use std::fs;
use std::io::Read;

use rustle_module::{Attached, Failure, Object, Target};
use serde_json::Value;

use crate::diff::{MAX_SIZE, is_binary, show_text};

/// How many bytes of the old file decide whether it counts as binary.
const PEEKED: usize = 8192;

/// The difference between the file at `dest` and what was sent.
///
/// # Errors
/// When the content does not arrive.
pub(super) async fn difference(
    target: &dyn Target,
    dest: &str,
    attached: &Attached,
    after_header: &str,
) -> Result<Value, Failure> {
    let mut diff = Object::new();
    add_before(&mut diff, dest);
    if attached.size > MAX_SIZE {
        diff.insert("src_larger".into(), MAX_SIZE.into());
        return Ok(diff.into());
    }
    let content = attached.read(target).await?;
    if is_binary(&content) {
        diff.insert("src_binary".into(), 1.into());
    } else {
        diff.insert("after_header".into(), after_header.into());
        diff.insert("after".into(), show_text(&content).into());
    }
    Ok(diff.into())
}

fn add_before(diff: &mut Object, dest: &str) {
    let Ok(metadata) = fs::metadata(dest) else {
        diff.insert("before".into(), "".into());
        return;
    };
    if !metadata.is_file() {
        return;
    }
    let mut content = Vec::new();
    let read =
        fs::File::open(dest).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut content));
    if read.is_err() {
        return;
    }
    if is_binary(&content[..content.len().min(PEEKED)]) {
        diff.insert("dst_binary".into(), 1.into());
    } else if content.len() as u64 > MAX_SIZE {
        diff.insert("dst_larger".into(), MAX_SIZE.into());
    } else {
        diff.insert("before_header".into(), dest.into());
        diff.insert("before".into(), show_text(&content).into());
    }
}
