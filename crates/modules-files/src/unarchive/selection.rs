//! Which members are wanted, and what `extra_opts` say of how they are unpacked.

use std::sync::atomic::{AtomicBool, Ordering};

use rustle_module::Failure;

use super::format::Format;
use crate::fnmatch::matches;

/// Which members are wanted, and how.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) is_zip: bool,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) options: TarOptions,
    /// What of `include` was met.
    met: Vec<AtomicBool>,
}

/// What `extra_opts` may ask for, all of it options of `tar`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TarOptions {
    pub(super) strip_components: usize,
    pub(super) no_owner: bool,
    pub(super) numeric_owner: bool,
    pub(super) umask: bool,
    pub(super) touch: bool,
    pub(super) skip_old_files: bool,
    exclude: Vec<String>,
}

impl Selection {
    /// What `include`, `exclude` and `extra_opts` ask for.
    ///
    /// # Errors
    /// When an option of `extra_opts` is not one that is honoured.
    pub(super) fn new(
        format: Format,
        include: &[String],
        exclude: &[String],
        extra_opts: &[String],
    ) -> Result<Self, Failure> {
        let is_zip = format == Format::Zip;
        let mut options = TarOptions::default();
        if is_zip {
            // `unzip` would only write more or less about what it does.
            let loud = |option: &&String| !matches!(option.as_str(), "-o" | "-q" | "-qq");
            if let Some(option) = extra_opts.iter().find(loud) {
                return Err(not_honoured(option, "-o, -q, -qq"));
            }
        } else {
            options = TarOptions::parse(extra_opts)?;
        }
        let mut exclude = exclude.to_vec();
        exclude.append(&mut options.exclude);
        Ok(Self {
            is_zip,
            include: include.to_vec(),
            exclude,
            options,
            met: include.iter().map(|_| AtomicBool::new(false)).collect(),
        })
    }

    /// Whether a member is wanted.
    pub(super) fn has(&self, name: &str) -> bool {
        if self
            .exclude
            .iter()
            .any(|pattern| self.excludes(pattern, name))
        {
            return false;
        }
        if self.include.is_empty() {
            return true;
        }
        let met = self
            .include
            .iter()
            .position(|wanted| self.includes(wanted, name));
        if let Some(at) = met {
            self.met[at].store(true, Ordering::Relaxed);
        }
        met.is_some()
    }

    /// What of `include` no member had.
    pub(super) fn not_met(&self) -> Option<&str> {
        let mut wanted = self.include.iter().zip(&self.met);
        let missing = wanted.find(|(_, met)| !met.load(Ordering::Relaxed));
        missing.map(|(wanted, _)| wanted.as_str())
    }

    fn excludes(&self, pattern: &str, name: &str) -> bool {
        if self.is_zip {
            return matches(pattern, name);
        }
        // As with `tar` a pattern may begin at any folder, and what is in an excluded folder is excluded.
        let pattern = pattern.trim_end_matches('/');
        let name = name.trim_end_matches('/');
        let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
        starts.into_iter().any(|start| {
            let rest = &name[start..];
            let ends = rest.match_indices('/').map(|(at, _)| at);
            ends.chain([rest.len()])
                .any(|end| matches(pattern, &rest[..end]))
        })
    }

    fn includes(&self, wanted: &str, name: &str) -> bool {
        if self.is_zip {
            return matches(wanted, name);
        }
        let (wanted, name) = (wanted.trim_end_matches('/'), name.trim_end_matches('/'));
        name.strip_prefix(wanted)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

const HONOURED: &str = "--strip-components=N, --exclude=PATTERN, --no-same-owner, --same-owner, --numeric-owner, \
     --no-same-permissions, --same-permissions, --touch, --overwrite, --skip-old-files, --verbose";

impl TarOptions {
    fn parse(given: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = given.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            match name {
                "--strip-components" | "--strip" => {
                    let number = value.or_else(|| words.next()).unwrap_or_default();
                    options.strip_components = number.parse().map_err(|_| {
                        Failure::new(format!("`{number}` is no number of elements for {name}"))
                    })?;
                }
                "--exclude" => options
                    .exclude
                    .extend(value.or_else(|| words.next()).map(str::to_owned)),
                "--no-same-owner" | "-o" => options.no_owner = true,
                "--same-owner" => options.no_owner = false,
                "--numeric-owner" => options.numeric_owner = true,
                "--no-same-permissions" => options.umask = true,
                "--same-permissions" | "--preserve-permissions" | "-p" => options.umask = false,
                "--touch" | "-m" => options.touch = true,
                "--skip-old-files" => options.skip_old_files = true,
                "--overwrite" | "--verbose" | "-v" => {}
                _ => return Err(not_honoured(word, HONOURED)),
            }
        }
        Ok(options)
    }
}

fn not_honoured(option: &str, honoured: &str) -> Failure {
    Failure::new(format!(
        "`{option}` of extra_opts is not honoured in this version; these are: {honoured}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let texts = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        Selection::new(Format::Tar, &texts(include), &texts(exclude), &[]).expect("a selection")
    }

    #[test]
    fn exclusions_begin_at_any_folder_and_hold_for_what_is_inside() {
        let wanted = selection(&[], &["sub/b", "*.o", "tmp/"]);
        for (name, has) in [
            ("src/sub/b", false),
            ("sub/bb", true),
            ("src/x.o", false),
            ("src/tmp/x", false),
            ("src/tmpx", true),
        ] {
            assert_eq!(wanted.has(name), has, "{name}");
        }
    }

    #[test]
    fn inclusions_are_members_and_whole_folders() {
        let wanted = selection(&["src/sub", "none"], &[]);
        assert!(wanted.has("src/sub/") && wanted.has("src/sub/b"));
        assert!(!wanted.has("src/subs") && !wanted.has("src/"));
        assert_eq!(wanted.not_met(), Some("none"));
    }

    #[test]
    fn an_option_that_is_not_honoured_is_refused_by_name() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            TarOptions::parse(&words)
        };
        let parsed = parse(&["--strip-components", "2", "-o"]).expect("options");
        assert_eq!((parsed.strip_components, parsed.no_owner), (2, true));
        let error = parse(&["--checkpoint-action=exec=sh"]).expect_err("refused");
        assert!(
            error
                .msg
                .starts_with("`--checkpoint-action=exec=sh` of extra_opts"),
            "{error}"
        );
    }
}
