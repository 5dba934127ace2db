use std::io;
use std::path::Path;

use rustle_types::HostName;
use serde_json::json;

use super::HostPattern;
use crate::{FileKind, FileTree, Inventory, from_value};

/// What ansible-core 2.19.14 gives for the same inventory.
const CASES: [(&str, &str); 38] = [
    ("all", "web1 web2 web3 h2 h3 h4 h1"),
    ("*", "web1 web2 web3 h2 h3 h4 h1"),
    ("web:db", "h1 h2 h4"),
    ("db,web", "h4 h1 h2"),
    ("db h1", "h4 h1"),
    ("east:&west", "h2"),
    ("west:!h2", "h3"),
    ("!h2:west", "h3"),
    ("&west:east", "h2"),
    ("east:west:&web:!h1", "h2"),
    ("!web", "web1 web2 web3 h3 h4"),
    ("h[1:3]*,!h2", "h1 h3"),
    ("h?", "h1 h2 h3 h4"),
    ("~h[34]", "h3 h4"),
    (r"~(h1|web\d)$", "web1 web2 web3 h1"),
    ("~we", "h1 h2 h3 web1 web2 web3"),
    ("all[1]", "web2"),
    ("all[-1]", "h1"),
    ("all[1:3]", "web2 web3 h2"),
    ("all[1-3]", "web2 web3 h2"),
    ("all[4:]", "h3 h4 h1"),
    ("all[2:0]", "web3"),
    ("all[10:12]", ""),
    ("web[0]", "h1"),
    ("web[0]:db", "h1 h4"),
    ("web*", "h1 h2 web1 web2 web3"),
    ("web?", "web1 web2 web3"),
    ("web[0:1]", "h1 h2"),
    ("nobody", ""),
    ("nobody:h1", "h1"),
    ("localhost", "localhost"),
    ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    ("all:localhost", "web1 web2 web3 h2 h3 h4 h1 localhost"),
    ("ungrouped", "web1 web2 web3"),
    ("h1:h1:web", "h1 h2"),
    ("", ""),
    ("we[a-b]", "h1 h2"),
];

fn inventory() -> Inventory {
    let value = json!({
        "all": {"children": {"ungrouped": {"hosts": {"web[1:3]": null}}, "east": {"children": {"web": {"hosts": {"h1": {}, "h2": {}}}}},
            "west": {"hosts": {"h2": null, "h3": null}}, "db": {"hosts": {"h4": null}}}},
    });
    Inventory::new(from_value(&value, "t").unwrap().inventory).unwrap()
}

fn resolved(pattern: &str) -> String {
    let matches = HostPattern::parse(pattern)
        .unwrap()
        .resolve(&inventory())
        .unwrap();
    matches
        .hosts
        .iter()
        .map(HostName::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn patterns_mean_what_they_mean_to_ansible() {
    for (pattern, hosts) in CASES {
        assert_eq!(resolved(pattern), hosts, "{pattern}");
    }
}

#[test]
fn terms_that_match_nothing_are_told() {
    let matches = HostPattern::parse("nobody:h1:!nix")
        .unwrap()
        .resolve(&inventory())
        .unwrap();
    let told: Vec<String> = matches.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    could not match the host pattern `nobody`, ignoring it
    could not match the host pattern `nix`, ignoring it
    ");
}

#[test]
fn wrong_patterns_are_errors() {
    insta::assert_snapshot!(HostPattern::parse("~web(").unwrap_err(), @"the host pattern `~web(` is not a regular expression");
    insta::assert_snapshot!(HostPattern::parse("web[7]").unwrap().resolve(&inventory()).unwrap_err(), @"the host pattern `web[7]` asks for host 7 of 2");
    insta::assert_snapshot!(HostPattern::parse_limit("@gone", &OneFile).unwrap_err(), @"the file of the host pattern `@gone` cannot be read");
}

#[test]
fn lists_are_unions_of_patterns() {
    let pattern = HostPattern::parse_list(&["db", "h1", "!h4"]).unwrap();
    assert_eq!(pattern.resolve(&inventory()).unwrap().hosts, ["h1".into()]);
    assert_eq!(pattern.as_str(), "db,h1,!h4");
}

#[test]
fn addresses_are_one_term() {
    for pattern in ["2001:db8::1", "::1", "host:22"] {
        assert_eq!(super::split::terms(pattern), [pattern]);
    }
    assert_eq!(super::split::terms("a:b[0:1]:!c"), ["a", "b[0:1]", "!c"]);
}

#[test]
fn a_limit_may_be_in_a_file() {
    let pattern = HostPattern::parse_limit("@limit:!h2", &OneFile).unwrap();
    assert_eq!(
        pattern.resolve(&inventory()).unwrap().hosts,
        ["h3".into(), "h4".into()]
    );
}

struct OneFile;

impl FileTree for OneFile {
    fn kind(&self, _: &Path) -> io::Result<Option<FileKind>> {
        Ok(Some(FileKind::File { executable: false }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == Path::new("limit") {
            Ok(b"west\n\n h4 \n".to_vec())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn names(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}
