//! The shape of the source tree: the crate graph is the table in `docs/ARCHITECTURE.md`, no file lies around that nothing
//! compiles, and the top level holds what it should.

#![expect(
    clippy::expect_used,
    reason = "a tree that cannot be read must fail at once, and say where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What the top level may hold besides names that begin with a dot.
const TOP_LEVEL: [&str; 19] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "build.rs",
    "clippy.toml",
    "contrib",
    "crates",
    "deny.toml",
    "docs",
    "fixtures",
    "rustfmt.toml",
    "rustle.toml.example",
    "src",
    "target",
    "tests",
];

/// The crate that only tests may look at.
const TESTKIT: &str = "testkit";

/// The name of the root package in the table.
const ROOT: &str = "rustle-exec";

type Names = BTreeSet<String>;

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    /// None for what only tests look at.
    layer: Option<u32>,
    looks_at: Names,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a folder holds, sorted.
fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder.as_ref()).expect("a folder");
    let mut paths: Vec<PathBuf> = listed
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().expect("a name");
    name.to_string_lossy().into_owned()
}

/// The folders of all crates, by short name.
fn crate_folders() -> BTreeMap<String, PathBuf> {
    let folders = entries(root().join("crates")).into_iter();
    let mut folders: BTreeMap<String, PathBuf> =
        folders.map(|folder| (name_of(&folder), folder)).collect();
    folders.insert(ROOT.into(), root().to_owned());
    folders
}

/// Our own crates in a section of a manifest, by their short names.
fn own_dependencies(folder: &Path, section: &str) -> Names {
    let manifest: toml::Table = read(folder.join("Cargo.toml"))
        .parse()
        .expect("a manifest is TOML");
    let dependencies = manifest.get(section).and_then(toml::Value::as_table);
    let names = dependencies.into_iter().flat_map(toml::Table::keys);
    names
        .filter_map(|name| name.strip_prefix("rustle-").map(str::to_owned))
        .collect()
}

/// The names between backticks.
fn quoted(cell: &str) -> Names {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The table of crates in `docs/ARCHITECTURE.md`: crate, layer, what it is, looks at.
fn table() -> BTreeMap<String, Row> {
    let text = read(root().join("docs/ARCHITECTURE.md"));
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate | layer |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let rows: BTreeMap<String, Row> = lines.map(row).collect();
    assert!(!rows.is_empty(), "docs/ARCHITECTURE.md has no crate table");
    rows
}

fn row(line: &str) -> (String, Row) {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, layer, _, looks_at] = cells[..] else {
        panic!("not four cells: {line}");
    };
    let name = quoted(name).pop_first().expect("a name in backticks");
    let row = Row {
        layer: layer.parse().ok(),
        looks_at: quoted(looks_at),
    };
    (name, row)
}

#[test]
fn crate_graph_is_the_table_of_the_architecture() {
    let mut table = table();
    for (name, folder) in crate_folders() {
        let described = table.remove(&name).map(|row| row.looks_at);
        let depends = own_dependencies(&folder, "dependencies");
        assert_eq!(
            Some(depends),
            described,
            "`{name}`: its manifest, and its row in docs/ARCHITECTURE.md"
        );
    }
    assert!(table.is_empty(), "rows without a crate: {table:#?}");
}

#[test]
fn crates_look_down_only() {
    let table = table();
    for (name, row) in &table {
        let Some(layer) = row.layer else {
            assert_eq!(name, TESTKIT, "has no layer");
            continue;
        };
        for other in &row.looks_at {
            let below = table.get(other).and_then(|row| row.layer);
            assert!(
                below.is_some_and(|below| below < layer),
                "`{name}` of layer {layer} looks at `{other}` of layer {below:?}"
            );
        }
    }
}

#[test]
fn tests_share_the_testkit_and_nothing_else_does() {
    for (name, folder) in crate_folders() {
        let used = own_dependencies(&folder, "dependencies");
        assert!(!used.contains(TESTKIT), "`{name}` ships the test kit");
    }
}

#[test]
fn every_source_file_is_compiled() {
    let mut lost = Vec::new();
    for folder in crate_folders().into_values() {
        for (part, roots) in [
            ("src", source_roots(&folder)),
            ("tests", test_roots(&folder)),
        ] {
            let mut files = BTreeSet::new();
            gather_sources(&folder.join(part), &mut files);
            let mut reached = BTreeSet::new();
            roots.iter().for_each(|root| reach(root, &mut reached));
            lost.extend(files.difference(&reached).cloned());
        }
    }
    assert!(lost.is_empty(), "nothing compiles these: {lost:#?}");
}

/// The files that the compiler begins with in `src`.
fn source_roots(folder: &Path) -> Vec<PathBuf> {
    let source = folder.join("src");
    let roots = [source.join("lib.rs"), source.join("main.rs")];
    roots.into_iter().filter(|root| root.is_file()).collect()
}

/// The files that the compiler begins with in `tests`.
fn test_roots(folder: &Path) -> Vec<PathBuf> {
    let tests = folder.join("tests");
    if !tests.is_dir() {
        return Vec::new();
    }
    let roots = entries(&tests).into_iter().map(|entry| {
        if entry.is_dir() {
            entry.join("main.rs")
        } else {
            entry
        }
    });
    roots.filter(|root| root.is_file()).collect()
}

fn gather_sources(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    if !folder.is_dir() {
        return;
    }
    for entry in entries(folder) {
        if entry.is_dir() {
            gather_sources(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.insert(entry);
        }
    }
}

/// Follows the `mod` declarations of a file. A `#[path]` is not followed: there is none, and there should not be.
fn reach(file: &Path, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(file.to_owned()) {
        return;
    }
    let stem = file.file_stem().expect("a name").to_string_lossy();
    let beside = file.parent().expect("a folder");
    let is_root = matches!(&*stem, "lib" | "main" | "mod") || name_of(beside) == "tests";
    let inside = if is_root {
        beside.to_owned()
    } else {
        beside.join(&*stem)
    };
    for module in declared_modules(&read(file)) {
        let places = [
            inside.join(format!("{module}.rs")),
            inside.join(&module).join("mod.rs"),
        ];
        if let Some(place) = places.iter().find(|place| place.is_file()) {
            reach(place, reached);
        }
    }
}

/// The modules that a source declares in files of their own: `mod name;`, with any visibility.
fn declared_modules(source: &str) -> Vec<String> {
    let declared = source.lines().filter_map(|line| {
        let line = line.trim().strip_suffix(';')?;
        let (visibility, name) = line.rsplit_once("mod ")?;
        let is_declaration = visibility.is_empty() || visibility.starts_with("pub");
        is_declaration.then(|| name.trim().to_owned())
    });
    declared.collect()
}

#[test]
fn top_level_holds_what_it_should() {
    let strays: Vec<String> = entries(root())
        .iter()
        .map(|path| name_of(path))
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    assert!(strays.is_empty(), "at the top level: {strays:?}");
}

#[test]
fn declarations_are_told_from_other_lines() {
    let source = "mod one;\npub(crate) mod two;\n    pub mod three;\n// mod four;\nmod five {}\nlet mode = 6;";
    assert_eq!(declared_modules(source), ["one", "two", "three"]);
}
