//! What Ansible's own modules did, done again.

use rustle_module::{Catalogue, ModuleResult};
use rustle_modules_files::FAMILY;
use rustle_testkit::golden::{Call, Golden, Here, Outcome};
use serde_json::Value;

use crate::support::controller;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");

/// Calls a module that is all on the host.
fn run(call: &Call<'_>) -> Outcome {
    if call.args.to_string().contains("{{ nope") {
        return ModuleResult::failure("templates are rendered by the controller").into();
    }
    call.run(FAMILY)
}

/// Calls `copy` with what the controller makes of its arguments, or of those of `template`.
fn run_copy(call: &Call<'_>) -> Outcome {
    let mut here = Here::new(call.mode());
    let catalogue = Catalogue::new(&[FAMILY]);
    let copy = catalogue.find("copy").expect("a module of this family");
    match controller::prepare(&mut here, call, call.object()) {
        Ok(args) => here.call(copy, args),
        Err(msg) => ModuleResult::failure(msg),
    }
    .into()
}

fn sort_files(mut outcome: Outcome) -> Outcome {
    if let Some(files) = outcome
        .result
        .get_mut("files")
        .and_then(Value::as_array_mut)
    {
        files.sort_by_key(|file| file["path"].as_str().map(ToOwned::to_owned));
    }
    outcome
}

/// Cases of `copy` that differ on purpose, or by how the recordings were made.
const COPY_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-copy-validate-missing",
        "content is staged beside its destination, and `cmd` names it there",
    ),
    (
        "x-copy-dir-onefile-sub",
        "Ansible says unchanged although it copied a file",
    ),
    (
        "x-copy-dir-fileondir",
        "Ansible's check mode says changed where the run says unchanged",
    ),
    (
        "x-copy-dir-dirlink-nofollow",
        "which link comes last depends on the controller's file system",
    ),
    (
        "x-copy-dir-to-file",
        "which file comes first depends on the controller's file system",
    ),
    ("x-rcopy-dir-slash-exist", LINKS),
    ("x-rcopy-dir-destslash", LINKS),
    ("x-rcopy-dir-owner-exist", LINKS),
    ("x-rcopy-dir-mode-exist", LINKS),
    ("x-rcopy-dir-sub-exist", LINKS),
];

const LINKS: &str =
    "Ansible leaves links out when it copies into a folder that exists, and says changed for ever";

const FILE_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "args-kv-bad",
        "text without `=` is refused by the controller",
    ),
    (
        "args-template-undefined",
        "templates are rendered by the controller",
    ),
    (
        "x-file-hard-relative",
        "is relative to the working folder, which is not the scratch folder here",
    ),
];

const LINEINFILE_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-lif-after-lastline-nonl",
        "Ansible glues the new line to a last line without an end",
    ),
    (
        "x-lif-validate-missing",
        "content is staged beside its destination, and `cmd` names it there",
    ),
    (
        "x-lif-nonutf8",
        "Ansible fails to show what is not UTF-8 after it has changed the file",
    ),
];

const TEMPLATE_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "template-undefined",
        "templates are rendered by the controller",
    ),
    (
        "template-validate-fail",
        "the rendered text was not recorded, as the real run failed",
    ),
];

const STAGED: &str = "content is staged beside its destination, and `cmd` names it there";

const REPLACE_EXCEPTIONS: &[(&str, &str)] = &[("x-rep-validate-missing", STAGED)];

const SLURP_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-slurp-parent-file",
    "Ansible's message has `{source}` in place of the path",
)];

const FIND_EXCEPTIONS: &[(&str, &str)] = &[(
    "x-find-loop",
    "a link that leads back to a folder above it is listed, but not followed for ever",
)];

#[test]
fn replace_does_what_ansible_does() {
    Golden::load(FOLDER, &["replace", "replace-more"]).check(REPLACE_EXCEPTIONS, run);
}

#[test]
fn blockinfile_does_what_ansible_does() {
    Golden::load(FOLDER, &["blockinfile", "blockinfile-more"]).check(&[], run);
}

#[test]
fn slurp_does_what_ansible_does() {
    Golden::load(FOLDER, &["slurp", "slurp-more"]).check(SLURP_EXCEPTIONS, run);
}

#[test]
fn tempfile_does_what_ansible_does() {
    Golden::load(FOLDER, &["tempfile", "tempfile-more"]).check(&[], run);
}

#[test]
fn find_does_what_ansible_does() {
    let run = |call: &Call<'_>| sort_files(run(call));
    Golden::load(FOLDER, &["find", "find-more"]).check(FIND_EXCEPTIONS, run);
}

const ASSEMBLE_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "assemble-local",
        "fragments of the controller are sent by `copy`",
    ),
    (
        "x-asm-dest-noparent",
        "content is staged beside its destination, which is not there",
    ),
];

const INI_FILE_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "x-ini-no-section-no-option-absent",
        "Ansible removes the head of the first section in place of what is before it",
    ),
    (
        "x-ini-novalue-value",
        "Ansible adds the option without a value once more on the second run",
    ),
];

const ARCHIVE_EXCEPTIONS: &[(&str, &str)] = &[
    ("archive-dest-folder", "the message says what is wrong"),
    ("archive-dest-noparent", NO_FOLDER),
    ("archive-dest-noparent-single", NO_FOLDER),
    (
        "archive-remove-several-gz",
        "Ansible leaves a link behind whose target it has just removed, and packs it again",
    ),
    (
        "archive-remove-several-zip",
        "Ansible leaves a link behind whose target it has just removed, and fails at it",
    ),
    (
        "archive-remove-link-to-folder",
        "Ansible removes what the link leads to, and then fails at the link",
    ),
    ("archive-single-brokenlink", HALF),
    ("archive-zip-links", HALF),
];

const HALF: &str = "what cannot be packed leaves no half archive behind";

const COMMAND: &str = "`cmd` has `--` in front of the path";

#[test]
fn acl_does_what_ansible_does() {
    let exceptions = [
        ("acl-default-file", COMMAND),
        ("acl-bad-user", COMMAND),
        ("acl-bad-permissions", COMMAND),
        ("acl-no-permissions", COMMAND),
        (
            "acl-link-nofollow",
            "a link has no list, so nothing changes; Ansible says changed for ever",
        ),
        ("acl-nfsv4", "the message says that it is not supported"),
    ];
    Golden::load(FOLDER, &["acl"]).check(&exceptions, run);
}

const NO_FOLDER: &str =
    "an archive is written beside its destination, and the message names the folder";

#[test]
fn archive_does_what_ansible_does() {
    let run = |call: &Call<'_>| {
        let mut outcome = run(call);
        for key in ["archived", "expanded_paths"] {
            let list = outcome.result.get_mut(key).and_then(Value::as_array_mut);
            let list = list.into_iter();
            list.for_each(|list| list.sort_by_key(|path| path.as_str().map(ToOwned::to_owned)));
        }
        outcome
    };
    Golden::load(FOLDER, &["archive"]).check(ARCHIVE_EXCEPTIONS, run);
}

#[test]
fn assemble_does_what_ansible_does() {
    Golden::load(FOLDER, &["assemble", "assemble-more"]).check(ASSEMBLE_EXCEPTIONS, run);
}

#[test]
fn ini_file_does_what_ansible_does() {
    Golden::load(FOLDER, &["ini_file", "ini_file-more"]).check(INI_FILE_EXCEPTIONS, run);
}

#[test]
fn file_does_what_ansible_does() {
    Golden::load(FOLDER, &["file", "file-more"]).check(FILE_EXCEPTIONS, run);
}

#[test]
fn copy_does_what_ansible_does() {
    Golden::load(FOLDER, &["copy", "copy-more"]).check(COPY_EXCEPTIONS, run_copy);
}

#[test]
fn template_puts_what_was_rendered_where_ansible_does() {
    Golden::load(FOLDER, &["template", "template-more"]).check(TEMPLATE_EXCEPTIONS, run_copy);
}

#[test]
fn lineinfile_does_what_ansible_does() {
    Golden::load(FOLDER, &["lineinfile", "lineinfile-more"]).check(LINEINFILE_EXCEPTIONS, run);
}

/// `unarchive` of archives that are on the host.
const UNARCHIVE_EXCEPTIONS: &[(&str, &str)] = &[
    ("unarchive-tgz", "the controller sends the archive"),
    (
        "unarchive-not-archive",
        "archives are read here, so no program says why it cannot",
    ),
];

#[test]
fn unarchive_does_what_ansible_does() {
    Golden::load(FOLDER, &["unarchive"]).check(UNARCHIVE_EXCEPTIONS, run);
}

#[test]
fn known_hosts_does_what_ansible_does() {
    Golden::load(FOLDER, &["known_hosts"]).check(&[], run);
}

#[test]
fn get_url_does_what_ansible_does() {
    Golden::load(FOLDER, &["get_url"]).check(GET_URL_EXCEPTIONS, run);
}

#[test]
fn uri_does_what_ansible_does() {
    Golden::load(FOLDER, &["uri"]).check(URI_EXCEPTIONS, run);
}

const GET_URL_EXCEPTIONS: &[(&str, &str)] = &[];

const URI_EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn stat_does_what_ansible_does() {
    Golden::load(FOLDER, &["stat", "stat-more"]).check(&[], run);
}
