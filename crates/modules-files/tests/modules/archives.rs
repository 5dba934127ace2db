//! What archives of ill will try: to write outside of their destination, to give rights away, to fill the disk.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustle_module::{Catalogue, Mode, ModuleResult};
use rustle_modules_files::FAMILY;
use rustle_testkit::golden::Here;
use serde_json::json;
use tempfile::TempDir;

const BLOCK: usize = 512;

/// A member of a tar, byte by byte: no library writes what these tests need.
fn member(name: &str, kind: u8, link: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    sized_member(name, (kind, link), mode, content.len() as u64, content)
}

fn sized_member(
    name: &str,
    (kind, link): (u8, &str),
    mode: u32,
    size: u64,
    content: &[u8],
) -> Vec<u8> {
    let mut header = vec![0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size:011o}").as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    header[154] = 0;
    header.extend_from_slice(content);
    header.resize(header.len().next_multiple_of(BLOCK), 0);
    header
}

/// A world with an archive, a folder to unpack it in, and one beside it that must stay as it is.
struct Attack {
    folder: TempDir,
}

impl Attack {
    fn new(members: &[Vec<u8>]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut archive = members.concat();
        archive.resize(archive.len() + 2 * BLOCK, 0);
        fs::write(folder.path().join("x.tar"), archive).expect("written");
        for name in ["dest", "outside"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("outside/kept"), "kept").expect("written");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn unpack(&self) -> ModuleResult {
        let args =
            json!({"src": self.path("x.tar"), "dest": self.path("dest"), "remote_src": true});
        let catalogue = Catalogue::new(&[FAMILY]);
        let unarchive = catalogue.find("unarchive").expect("the module");
        let args = args.as_object().expect("arguments").clone();
        let mut here = Here::new(Mode::default());
        here.temp = self.path("temp");
        here.call(unarchive, args)
    }

    /// Unpacks, and makes sure that nothing outside of the destination is another than before.
    fn is_refused(&self, what: &str) {
        let before = fs::read_dir(self.folder.path()).expect("readable").count();
        let result = self.unpack();
        assert!(result.failed, "{what}: {result:?}");
        let kept = fs::read_to_string(self.path("outside/kept")).expect("it is there");
        let names = fs::read_dir(self.path("outside"))
            .expect("readable")
            .count();
        assert_eq!((kept.as_str(), names), ("kept", 1), "{what}");
        let after = fs::read_dir(self.folder.path()).expect("readable").count();
        assert_eq!(after, before, "{what}");
    }

    fn holds_nothing(&self, what: &str) {
        let names = fs::read_dir(self.path("dest")).expect("readable").count();
        assert_eq!(names, 0, "{what}");
    }
}

fn file(name: &str) -> Vec<u8> {
    member(name, b'0', "", 0o644, b"evil")
}

fn link(name: &str, aim: &str) -> Vec<u8> {
    member(name, b'2', aim, 0o777, b"")
}

fn hard_link(name: &str, aim: &str) -> Vec<u8> {
    member(name, b'1', aim, 0o644, b"")
}

#[test]
fn names_that_lead_out_are_refused_before_anything_is_written() {
    for name in [
        "../outside/kept",
        "a/../../outside/kept",
        "./../outside/x",
        "..",
    ] {
        let attack = Attack::new(&[file("first"), file(name)]);
        attack.is_refused(name);
        attack.holds_nothing(name);
    }
}

#[test]
fn absolute_names_land_below_the_destination() {
    let attack = Attack::new(&[file("/outside/kept")]);
    let result = attack.unpack();
    assert!(!result.failed, "{result:?}");
    let inside = fs::read_to_string(attack.path("dest/outside/kept"));
    assert_eq!(inside.expect("inside"), "evil");
    let outside = fs::read_to_string(attack.path("outside/kept"));
    assert_eq!(outside.expect("outside"), "kept");
}

#[test]
fn links_of_an_archive_lead_none_of_its_members_out() {
    let chains: [&[Vec<u8>]; 5] = [
        &[link("l", "../outside"), file("l/kept")],
        &[link("a", "."), link("a/b", ".."), file("a/b/outside/kept")],
        &[link("a", "b"), link("b", "../outside"), file("a/kept")],
        &[
            link("l", "../outside/kept"),
            hard_link("h", "l"),
            file("h/x"),
        ],
        &[
            member("d", b'5', "", 0o755, b""),
            link("d", "../outside"),
            file("d/kept"),
        ],
    ];
    for (at, chain) in chains.iter().enumerate() {
        Attack::new(chain).is_refused(&format!("chain {at}"));
    }
}

#[test]
fn file_takes_the_place_of_a_link_and_does_not_follow_it() {
    let attack = Attack::new(&[link("l", "../outside/kept"), file("l")]);
    attack.unpack();
    let outside = fs::read_to_string(attack.path("outside/kept"));
    assert_eq!(outside.expect("outside"), "kept");
}

#[test]
fn link_that_lies_in_the_destination_already_leads_nobody_out() {
    let attack = Attack::new(&[file("l/kept")]);
    symlink("../outside", attack.path("dest/l")).expect("a link");
    attack.is_refused("a link that was there");
}

#[test]
fn hard_links_reach_nothing_outside() {
    let victim = |attack: &Attack| attack.path("outside/kept").display().to_string();
    let attack = Attack::new(&[]);
    for aim in ["../outside/kept".to_owned(), victim(&attack)] {
        let attack = Attack::new(&[hard_link("h", &aim), file("h")]);
        attack.is_refused(&aim);
        assert!(!attack.path("dest/h").exists(), "{aim}");
    }
}

#[test]
fn devices_and_pipes_are_refused() {
    for kind in [b'3', b'4', b'6'] {
        let attack = Attack::new(&[file("first"), member("d", kind, "", 0o666, b"")]);
        attack.is_refused("a device");
        attack.holds_nothing("a device");
    }
}

#[test]
fn rights_of_the_owner_are_given_to_nobody() {
    for mode in [0o4755, 0o2755, 0o6755] {
        let attack = Attack::new(&[file("first"), member("s", b'0', "", mode, b"#!")]);
        attack.is_refused("setuid");
        attack.holds_nothing("setuid");
    }
}

#[test]
fn archive_that_is_larger_than_the_disk_is_refused_before_anything_is_written() {
    let huge = sized_member("huge", (b'0', ""), 0o644, 0o77_777_777_777, b"x");
    let many: Vec<Vec<u8>> = std::iter::repeat_n(huge, 1).collect();
    let attack = Attack::new(&[vec![file("first")], many].concat());
    attack.is_refused("a size that is not true");
    attack.holds_nothing("a size that is not true");
}

#[test]
fn names_of_any_bytes_come_out_as_they_went_in() {
    for name in ["-rf", "a b", "new\nline", "*", "\u{e4}"] {
        let attack = Attack::new(&[file(name)]);
        let result = attack.unpack();
        assert!(!result.failed && result.changed, "{name:?}: {result:?}");
        let content = fs::read(attack.path("dest").join(Path::new(name)));
        assert_eq!(content.expect("unpacked"), b"evil", "{name:?}");
        assert!(!attack.unpack().changed, "{name:?}");
    }
}
