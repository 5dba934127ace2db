//! The packages that dpkg knows, and how their versions compare.

use std::cmp::Ordering;

use rustle_module::tool::Tool;
use rustle_module::{Failure, Target};

/// A package that dpkg knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    /// Its name.
    pub(crate) name: String,
    /// Its architecture, or `all`.
    pub(crate) architecture: String,
    /// Its version.
    pub(crate) version: String,
    /// Whether it is installed; otherwise files of it are left.
    pub(crate) is_installed: bool,
    /// Its section (`admin`, `non-free/libs`).
    pub(crate) section: String,
}

/// All packages that dpkg knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    packages: Vec<Known>,
}

const FORMAT: &str =
    "${Package}\\t${Architecture}\\t${db:Status-Status}\\t${Version}\\t${Section}\\n";

impl Database {
    /// Asks dpkg.
    ///
    /// # Errors
    /// When it is not there or fails.
    pub(crate) async fn read(target: &dyn Target) -> Result<Self, Failure> {
        let tool = Tool::find(target, "dpkg-query")?;
        let ran = tool.run(["-W", "-f", FORMAT]).await?;
        if ran.is_success() {
            return Ok(Self::parse(&ran.stdout));
        }
        Err(Failure::new(format!("dpkg-query failed: {}", ran.stderr.trim())).with("rc", ran.rc))
    }

    fn parse(text: &str) -> Self {
        let packages = text.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[name, architecture, status, version, section] = fields.as_slice() else {
                return None;
            };
            let is_gone = matches!(status, "not-installed" | "");
            (!is_gone).then(|| Known {
                name: name.to_owned(),
                architecture: architecture.to_owned(),
                version: version.to_owned(),
                is_installed: status != "config-files",
                section: section.to_owned(),
            })
        });
        Self {
            packages: packages.collect(),
        }
    }

    /// The package called `name`, which may name its architecture (`libc6:i386`); one that is installed wins over one of which
    /// only files are left.
    pub(crate) fn find(&self, name: &str) -> Option<&Known> {
        let (name, architecture) = split_architecture(name);
        let fits = |known: &&Known| {
            known.name == name
                && architecture.is_none_or(|wanted| {
                    known.architecture == wanted || known.architecture == "all"
                })
        };
        let mut fitting = self.packages.iter().filter(fits);
        let first = fitting.clone().next();
        fitting.find(|known| known.is_installed).or(first)
    }

    /// All packages that are installed.
    pub(crate) fn installed(&self) -> impl Iterator<Item = &Known> {
        self.packages.iter().filter(|known| known.is_installed)
    }
}

/// A name and the architecture behind its colon.
pub(crate) fn split_architecture(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((name, "any")) => (name, None),
        Some((name, architecture)) => (name, Some(architecture)),
        None => (name, None),
    }
}

/// Compares versions as dpkg does: epoch, upstream version, revision of the package.
pub(crate) fn compare_versions(one: &str, other: &str) -> Ordering {
    let (epoch, one) = split_epoch(one);
    let (other_epoch, other) = split_epoch(other);
    let split = |version: &str| {
        let (upstream, revision) = version.rsplit_once('-').unwrap_or((version, ""));
        (upstream.to_owned(), revision.to_owned())
    };
    let ((upstream, revision), (other_upstream, other_revision)) = (split(one), split(other));
    epoch
        .cmp(&other_epoch)
        .then_with(|| compare_parts(&upstream, &other_upstream))
        .then_with(|| compare_parts(&revision, &other_revision))
}

fn split_epoch(version: &str) -> (u64, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, version),
    }
}

/// Compares alternating runs of other characters and of digits.
fn compare_parts(mut one: &str, mut other: &str) -> Ordering {
    while !one.is_empty() || !other.is_empty() {
        let (word, rest) = split_run(one, |c| !c.is_ascii_digit());
        let (other_word, other_rest) = split_run(other, |c| !c.is_ascii_digit());
        let (digits, rest) = split_run(rest, |c| c.is_ascii_digit());
        let (other_digits, other_rest) = split_run(other_rest, |c| c.is_ascii_digit());
        let order =
            compare_words(word, other_word).then_with(|| compare_numbers(digits, other_digits));
        if order != Ordering::Equal {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
    Ordering::Equal
}

fn split_run(text: &str, is_in: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_in(c)).unwrap_or(text.len()))
}

/// Letters come before everything else, and a tilde before even the end.
fn compare_words(one: &str, other: &str) -> Ordering {
    let rank = |c: Option<char>| match c {
        Some('~') => (0, '~'),
        None => (1, ' '),
        Some(c) if c.is_ascii_alphabetic() => (2, c),
        Some(c) => (3, c),
    };
    let (mut one, mut other) = (one.chars(), other.chars());
    loop {
        let (c, d) = (one.next(), other.next());
        let order = rank(c).cmp(&rank(d));
        if order != Ordering::Equal || c.is_none() {
            return order;
        }
    }
}

/// Compares numbers of any length.
pub(crate) fn compare_numbers(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "adduser\tall\tinstalled\t3.134\tadmin\n\
        exim4-daemon-light\tamd64\tinstalled\t4.96-15\tmail\n\
        libc6\tamd64\tinstalled\t2.36-9\tlibs\n\
        libc6\ti386\tconfig-files\t2.31-1\tlibs\n\
        gone\tamd64\tnot-installed\t\t\n";

    #[test]
    fn packages_are_found_by_name_and_architecture() {
        let database = Database::parse(OUTPUT);
        assert_eq!(database.installed().count(), 3);
        let version = |name: &str| database.find(name).map(|known| known.version.as_str());
        assert_eq!(version("libc6"), Some("2.36-9"));
        assert_eq!(version("libc6:i386"), Some("2.31-1"));
        assert_eq!(version("adduser:amd64"), Some("3.134"));
        assert_eq!(version("gone"), None);
    }

    #[test]
    fn versions_compare_as_dpkg_compares_them() {
        for (smaller, greater) in [
            ("1.2", "1.10"),
            ("1.0~rc1", "1.0"),
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0-1+b1"),
            ("9.9", "1:0.1"),
            ("1.0a", "1.0+"),
            ("2.9-1", "2.10-3"),
            ("1.0-1~bpo1", "1.0-1"),
        ] {
            assert_eq!(
                compare_versions(smaller, greater),
                Ordering::Less,
                "{smaller} {greater}"
            );
            assert_eq!(
                compare_versions(greater, smaller),
                Ordering::Greater,
                "{smaller} {greater}"
            );
        }
        assert_eq!(compare_versions("1.01-0", "1.1-0"), Ordering::Equal);
        assert_eq!(compare_versions("0:1.1", "1.1"), Ordering::Equal);
    }
}
