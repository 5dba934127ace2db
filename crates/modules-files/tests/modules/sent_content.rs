//! What the controller sends for `copy`: fetched only when needed, checked always, written at once.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::Ordering;

use rustle_module::{Catalogue, Mode, ModuleResult};
use rustle_modules_files::FAMILY;
use serde_json::{Value, json};

use rustle_testkit::golden::Here;

const SUM_OF_X: &str = "6fcf9dfbd479ed82697fee719b9f8c610a11ff2a";

fn here(bytes: &[u8], diff: bool) -> Here {
    let mut here = Here::new(Mode { check: false, diff });
    here.attachments.insert("a".into(), bytes.to_vec());
    here
}

fn copy(here: &Here, dest: &Path, further: &Value) -> ModuleResult {
    let mut args = json!({
        "dest": dest,
        "_attachment": {"id": "a", "size": 2, "checksum": SUM_OF_X},
    });
    let args = args.as_object_mut().expect("an object");
    args.extend(further.as_object().expect("an object").clone());
    let catalogue = Catalogue::new(&[FAMILY]);
    here.call(
        catalogue.find("ansible.builtin.copy").expect("copy"),
        args.clone(),
    )
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn content_that_is_there_already_is_not_fetched() {
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("f");
    let here = here(b"x\n", true);
    assert!(copy(&here, &dest, &json!({})).changed);
    let fetched = here.opened.load(Ordering::Relaxed);
    let again = copy(&here, &dest, &json!({"mode": "0600"}));
    assert!(again.changed && !again.failed, "{again:?}");
    assert_eq!(here.opened.load(Ordering::Relaxed), fetched);
    assert_eq!(
        fs::metadata(&dest).expect("there").permissions().mode() & 0o7777,
        0o600
    );
}

#[test]
fn content_that_is_not_what_was_announced_changes_nothing() {
    for (bytes, why) in [
        (&b"y\n"[..], "its checksum differs"),
        (b"x", "it is shorter than announced"),
        (b"x\nx", "it is longer than announced"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let dest = folder.path().join("f");
        fs::write(&dest, "old").expect("a file");
        let result = copy(&here(bytes, false), &dest, &json!({}));
        let msg = format!("the content did not arrive whole: {why}");
        assert_eq!((result.failed, result.msg), (true, Some(msg.into())));
        assert_eq!(fs::read_to_string(&dest).expect("there"), "old");
        assert_eq!(names(folder.path()), ["f"]);
    }
}

#[test]
fn content_that_does_not_validate_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("f.conf");
    let validate =
        json!({"validate": "sh -c 'test -f \"$0\"; case $0 in *.conf) exit 7; esac' %s"});
    let result = copy(&here(b"x\n", false), &dest, &validate);
    assert_eq!(result.result["exit_status"], 7);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_secret_is_never_readable_under_its_name_by_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("key");
    let validate =
        json!({"mode": "0600", "validate": "sh -c 'test $(stat -c %a \"$0\") = 600' %s"});
    let result = copy(&here(b"x\n", false), &dest, &validate);
    assert!(!result.failed, "{result:?}");
}

#[test]
fn a_file_that_is_replaced_is_a_new_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("f");
    fs::write(&dest, "old").expect("a file");
    let before = fs::metadata(&dest).expect("there").ino();
    assert!(copy(&here(b"x\n", false), &dest, &json!({})).changed);
    assert_ne!(fs::metadata(&dest).expect("there").ino(), before);
    assert_eq!(names(folder.path()), ["f"]);
}
