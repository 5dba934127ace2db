//! Whether something is there that `creates` or `removes` names.

use std::path::Path;

use glob::{MatchOptions, Pattern};

/// A star does not match a leading dot, as in a shell.
const AS_IN_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Whether a file matches `pattern`, which is relative to `folder`. A dangling link counts, what cannot be read does not.
///
/// The folders are walked here, as those of the `glob` crate skip all hidden names and panic at names that are no UTF-8.
pub(crate) fn exists(pattern: &str, folder: Option<&str>) -> bool {
    let (root, rest) = match pattern.trim_start_matches('/') {
        rest if rest.len() < pattern.len() => ("/", rest),
        rest => (folder.unwrap_or("."), rest),
    };
    matches_below(Path::new(root), rest)
}

fn matches_below(folder: &Path, pattern: &str) -> bool {
    let (name, rest) = match pattern.split_once('/') {
        Some((name, rest)) => (name, Some(rest.trim_start_matches('/'))),
        None => (pattern, None),
    };
    let goes_on = |path: &Path| match rest {
        // A slash at the end asks for a folder.
        Some("") => path.is_dir(),
        Some(rest) => matches_below(path, rest),
        None => path.symlink_metadata().is_ok(),
    };
    let Some(component) = component_pattern(name) else {
        return goes_on(&folder.join(name));
    };
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| {
        component.matches_with(&name.to_string_lossy(), AS_IN_A_SHELL)
            && goes_on(&folder.join(&name))
    })
}

/// A name as a pattern, if it is one. Two stars are no more than one; a bracket that is never closed is a bracket.
fn component_pattern(name: &str) -> Option<Pattern> {
    if !name.contains(['*', '?', '[']) {
        return None;
    }
    let mut single_stars = name.to_owned();
    while single_stars.contains("**") {
        single_stars = single_stars.replace("**", "*");
    }
    Pattern::new(&single_stars).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_and_patterns_are_relative_to_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a[1]b");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(folder.join("sub/x.txt"), "").unwrap();
        fs::write(folder.join(".hidden"), "").unwrap();
        fs::write(folder.join("odd[name"), "").unwrap();
        symlink("nowhere", folder.join("dangling")).unwrap();
        let folder = folder.to_str().unwrap();
        for (pattern, expected) in [
            ("sub", true),
            ("sub/", true),
            ("sub/x.txt/", false),
            ("nope", false),
            ("dangling", true),
            ("sub/*.txt", true),
            ("su?/x.*", true),
            ("s[tu]b", true),
            ("*.txt", false),
            ("**.txt", false),
            ("**/x.txt", true),
            ("*hidden", false),
            (".h*", true),
            ("dang*", true),
            ("odd[name", true),
            ("odd[nope", false),
        ] {
            assert_eq!(exists(pattern, Some(folder)), expected, "{pattern}");
        }
        assert!(exists(
            &format!("{}/sub*", Pattern::escape(folder)),
            Some("/nowhere")
        ));
        assert!(exists("/etc/pass*", None));
    }
}
