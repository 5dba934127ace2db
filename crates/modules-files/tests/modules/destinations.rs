//! Destinations of ill will or in bad luck: links that come and go, full disks, file systems that take nothing, eyes that look too early.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustle_module::{Catalogue, Mode, ModuleResult};
use rustle_modules_files::FAMILY;
use rustle_testkit::golden::{Here, is_sandbox};
use serde_json::{Value, json};

const SUM_OF_X: &str = "6fcf9dfbd479ed82697fee719b9f8c610a11ff2a";

fn call(module: &str, args: &Value) -> ModuleResult {
    let mut here = Here::new(Mode::default());
    here.attachments.insert("x".into(), b"x\n".to_vec());
    let catalogue = Catalogue::new(&[FAMILY]);
    let module = catalogue.find(module).expect("a module of this family");
    here.call(module, args.as_object().expect("arguments").clone())
}

/// What the controller sends for `copy` and `template`.
fn sent(dest: &Path, further: &Value) -> Value {
    let mut args = json!({
        "dest": dest,
        "_attachment": {"id": "x", "size": 2, "checksum": SUM_OF_X},
    });
    let further = further.as_object().expect("arguments").clone();
    args.as_object_mut().expect("an object").extend(further);
    args
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o7777
}

/// A link that swaps places with a file, over and over, while modules write there.
#[test]
fn what_a_link_leads_to_is_never_written_while_it_swaps_places_with_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dest, victim) = (folder.path().join("dest"), folder.path().join("victim"));
    fs::write(&victim, "kept").expect("written");
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).expect("its mode");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (link, file) = (folder.path().join("link"), folder.path().join("file"));
            while !is_over.load(Ordering::Relaxed) {
                symlink(&victim, &link).expect("a link");
                fs::rename(&link, &dest).expect("the link is in place");
                fs::write(&file, "old\n").expect("written");
                fs::rename(&file, &dest).expect("the file is in place");
            }
        });
        for _ in 0..200 {
            // Each may fail, as what it looked at is gone; none may touch the victim.
            call("copy", &sent(&dest, &json!({"mode": "0666"})));
            call(
                "file",
                &json!({"path": dest, "state": "file", "mode": "0666", "follow": false}),
            );
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_to_string(&victim).expect("readable"), "kept");
    assert_eq!(mode_of(&victim), 0o600);
}

/// Nobody else may read a secret, not for a moment: the command that validates sees the file before it is in place.
#[test]
fn secret_is_nobody_elses_before_it_is_in_place() {
    let test = "destinations::secret_is_nobody_elses_before_it_is_in_place";
    if !is_sandbox(test) {
        return;
    }
    // This process is the test's alone.
    rustix::process::umask(rustix::fs::Mode::empty());
    let folder = tempfile::tempdir().expect("a folder");
    let (seen, fragments) = (folder.path().join("seen"), folder.path().join("fragments"));
    fs::create_dir(&fragments).expect("a folder");
    fs::write(fragments.join("1"), "x\n").expect("written");
    let look = folder.path().join("look");
    let script = format!("#!/bin/sh\nstat -c %a \"$1\" >>{}\n", seen.display());
    fs::write(&look, script).expect("written");
    fs::set_permissions(&look, fs::Permissions::from_mode(0o700)).expect("its mode");
    let validate = format!("{} %s", look.display());
    let dest = |name: &str| folder.path().join(name);
    let further = json!({"mode": "0600", "validate": validate});
    let mut calls = vec![("copy", sent(&dest("copy"), &further))];
    for (module, args) in [
        (
            "assemble",
            json!({"src": fragments, "dest": dest("assemble")}),
        ),
        (
            "lineinfile",
            json!({"path": dest("line"), "line": "x", "create": true}),
        ),
        (
            "blockinfile",
            json!({"path": dest("block"), "block": "x", "create": true}),
        ),
    ] {
        let mut args = args;
        let further = further.as_object().expect("arguments").clone();
        args.as_object_mut().expect("an object").extend(further);
        calls.push((module, args));
    }
    for (module, args) in &calls {
        let result = call(module, args);
        assert!(!result.failed && result.changed, "{module}: {result:?}");
        let path = args["dest"].as_str().or(args["path"].as_str());
        assert_eq!(mode_of(Path::new(path.expect("a path"))), 0o600, "{module}");
    }
    let seen = fs::read_to_string(seen).expect("it was looked at");
    assert_eq!(seen, "600\n".repeat(calls.len()));
}

/// The file is the old one or the new one, whole, and the message says what is wrong.
#[test]
fn full_disk_and_file_system_that_takes_nothing_leave_the_old_file_whole() {
    let test =
        "destinations::full_disk_and_file_system_that_takes_nothing_leave_the_old_file_whole";
    if !is_sandbox(test) {
        return;
    }
    let disk = tempfile::tempdir().expect("a folder");
    let disk = disk.path();
    mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], disk);
    let old = "old\n".repeat(1000);
    for name in ["copy", "line", "block"] {
        fs::write(disk.join(name), &old).expect("written");
    }
    fs::write(disk.join("filler"), vec![0; 48 << 10]).expect("it fits");
    let filler = fs::OpenOptions::new()
        .append(true)
        .open(disk.join("filler"));
    let mut filler = filler.expect("a file");
    while std::io::Write::write_all(&mut filler, &[0; 512]).is_ok() {}
    let refused = |what: &str| {
        for (module, args) in [
            ("copy", sent(&disk.join("copy"), &json!({}))),
            (
                "lineinfile",
                json!({"path": disk.join("line"), "line": "x"}),
            ),
            (
                "blockinfile",
                json!({"path": disk.join("block"), "block": "x"}),
            ),
        ] {
            let result = call(module, &args);
            let msg = result
                .msg
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default();
            assert!(result.failed && msg.contains(what), "{module}: {msg}");
        }
        for name in ["copy", "line", "block"] {
            let content = fs::read_to_string(disk.join(name)).expect("readable");
            assert!(content == old, "{name} is another one");
        }
        let names = fs::read_dir(disk).expect("readable").count();
        assert_eq!(names, 4, "nothing is left behind");
    };
    refused("No space left on device");
    drop(filler);
    mount(&["-o", "remount,ro"], disk);
    refused("");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the surroundings are made by a program, which is not what is tested"
)]
fn mount(words: &[&str], on: &Path) {
    let status = std::process::Command::new("mount")
        .args(words)
        .arg(on)
        .status();
    assert!(status.expect("mount can be started").success());
}

/// Names may hold anything but a slash.
#[test]
fn names_with_newlines_dashes_and_bytes_that_are_no_text_are_names() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["-rf", "a\nb", "*", "a\\b", "\u{e4}"] {
        let dest = folder.path().join(name);
        let result = call("copy", &sent(&dest, &json!({})));
        assert!(!result.failed && dest.is_file(), "{name:?}: {result:?}");
        let stat = call("stat", &json!({"path": dest}));
        assert_eq!(stat.result["stat"]["exists"], true, "{name:?}");
        let slurped = call("slurp", &json!({"src": dest}));
        assert_eq!(slurped.result["content"], "eAo=", "{name:?}");
    }
    let odd = folder.path().join(OsStr::from_bytes(b"\xff\xfe"));
    fs::write(&odd, "x").expect("written");
    let found = call("find", &json!({"paths": [folder.path()]}));
    assert!(!found.failed, "{found:?}");
    // A name that no JSON can hold is told, and not left out in silence.
    assert_eq!(found.result["matched"], 5);
    let skipped = found.result["skipped_paths"].as_object();
    assert_eq!(skipped.map(serde_json::Map::len), Some(1), "{found:?}");
    let archive = folder.path().join("-a.tar");
    let args = json!({"path": [folder.path()], "dest": archive, "format": "tar"});
    let archived = call("community.general.archive", &args);
    assert!(!archived.failed, "{archived:?}");
    let mut archive = tar::Archive::new(fs::File::open(archive).expect("an archive"));
    let entries = archive.entries().expect("members");
    let names: Vec<Vec<u8>> = entries
        .map(|entry| entry.expect("a member").path_bytes().into_owned())
        .collect();
    assert_eq!(names.len(), 6);
    assert!(names.iter().any(|name| name.ends_with(b"\xff\xfe")));
}

/// What is no text stays as it is, but for what is to be changed.
#[test]
fn content_that_is_no_text_is_changed_only_where_it_should_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f");
    let odd = b"\xff\xfe first\n\x80second\nthird";
    for (module, args, expected) in [
        (
            "lineinfile",
            json!({"regexp": "^third", "line": "3"}),
            &b"\xff\xfe first\n\x80second\n3\n"[..],
        ),
        (
            "replace",
            json!({"regexp": "second", "replace": "2"}),
            b"\xff\xfe first\n\x802\nthird",
        ),
        (
            "blockinfile",
            json!({"block": "b", "insertbefore": "BOF", "marker": "#{mark}"}),
            b"#BEGIN\nb\n#END\n\xff\xfe first\n\x80second\nthird",
        ),
    ] {
        fs::write(&path, odd).expect("written");
        let mut args = args;
        args["path"] = json!(path);
        let result = call(module, &args);
        assert!(!result.failed && result.changed, "{module}: {result:?}");
        let content = fs::read(&path).expect("readable");
        assert_eq!(content, expected, "{module}");
        assert!(!call(module, &args).changed, "{module} a second time");
    }
}
