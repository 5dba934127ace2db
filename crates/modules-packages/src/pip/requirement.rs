//! What a task asks of Python packages: names with versions, and whether an installed version will do.

use std::cmp::Ordering;

/// A package as a task names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Requirement {
    /// What pip is told.
    pub(super) text: String,
    /// Its name as it is compared; none for a path or an address.
    name: Option<String>,
    /// Its versions: operator and version.
    versions: Vec<(String, String)>,
}

impl Requirement {
    /// Reads `name[extra]>=1.0,<2; marker`.
    pub(super) fn parse(text: &str) -> Self {
        let plain = text.split(';').next().unwrap_or_default().trim();
        let end = plain
            .find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
            .unwrap_or(plain.len());
        let (name, rest) = plain.split_at(end);
        let rest = match rest.trim_start().strip_prefix('[') {
            Some(extras) => extras.split_once(']').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let rest = rest.trim();
        let versions: Option<Vec<_>> = if rest.is_empty() {
            Some(Vec::new())
        } else {
            rest.trim_matches(['(', ')'])
                .split(',')
                .map(specifier)
                .collect()
        };
        let is_name = !name.is_empty() && versions.is_some();
        Self {
            text: text.to_owned(),
            name: is_name.then(|| normalized(name)),
            versions: versions.unwrap_or_default(),
        }
    }

    /// Whether it says which versions will do.
    pub(super) fn has_versions(&self) -> bool {
        !self.versions.is_empty()
    }

    /// Whether an installed package (`name`, `version`) is what it asks for.
    pub(super) fn is_met_by(&self, name: &str, version: &str) -> bool {
        let is_meant = self.name.as_deref() == Some(normalized(name).as_str());
        is_meant
            && self
                .versions
                .iter()
                .all(|(operator, wanted)| holds(version, operator, wanted))
    }
}

/// Puts versions that were taken for names of their own, since they stood behind a comma, back to their name.
pub(super) fn rejoin(names: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for name in names {
        let name = name.trim();
        match joined.last_mut() {
            Some(last) if name.starts_with(['<', '>', '=', '!', '~']) => {
                last.push(',');
                last.push_str(name);
            }
            // An extra behind a comma: `name[a,b]`.
            Some(last) if last.contains('[') && !last.contains(']') => {
                last.push(',');
                last.push_str(name);
            }
            _ => joined.push(name.to_owned()),
        }
    }
    joined
}

fn specifier(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let operators = ["===", "==", "!=", "~=", ">=", "<=", ">", "<"];
    let operator = operators
        .iter()
        .find(|operator| text.starts_with(**operator))?;
    let version = text[operator.len()..].trim();
    Some(((*operator).to_owned(), version.to_owned()))
}

fn normalized(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        let c = if matches!(c, '_' | '.') {
            '-'
        } else {
            c.to_ascii_lowercase()
        };
        if c != '-' || !out.ends_with('-') {
            out.push(c);
        }
    }
    out
}

/// Whether a version fits one operator and version.
fn holds(version: &str, operator: &str, wanted: &str) -> bool {
    if let Some(prefix) = wanted.strip_suffix(".*") {
        let is_below = version == prefix || version.starts_with(&format!("{prefix}."));
        return is_below == (operator != "!=");
    }
    let order = Version::parse(version).cmp(&Version::parse(wanted));
    match operator {
        "===" => version == wanted,
        "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        ">=" => order != Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        "<" => order == Ordering::Less,
        _ => {
            let series = wanted.rsplit_once('.').map_or(wanted, |(series, _)| series);
            order != Ordering::Less && holds(version, "==", &format!("{series}.*"))
        }
    }
}

/// A version in the order of Python packages: epoch, release, what comes before it (dev, a, b, rc) and after it.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Version {
    epoch: u64,
    release: Vec<u64>,
    /// What the release is: 0 a development version, 1 to 3 a, b, rc, 4 the release itself.
    stage: (u8, u64),
    post: u64,
    /// Whether it is no development version of that, and which.
    dev: (bool, u64),
}

impl Version {
    fn parse(text: &str) -> Self {
        let text = text.trim().trim_start_matches('v').to_lowercase();
        let text = text.split('+').next().unwrap_or_default();
        let (epoch, text) = text.split_once('!').unwrap_or(("0", text));
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (release, rest) = text.split_at(end);
        let mut release: Vec<u64> = release
            .split('.')
            .filter_map(|part| part.parse().ok())
            .collect();
        while release.last() == Some(&0) {
            release.pop();
        }
        let number = |word: &str| -> Option<u64> {
            let (_, after) = rest.split_once(word)?;
            let after = after.trim_start_matches(['.', '-', '_']);
            let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
            Some(digits.parse().unwrap_or(0))
        };
        let dev = number("dev");
        let post = number("post").map_or(0, |number| number + 1);
        let before = rest.split("dev").next().unwrap_or_default();
        let before = before.split("post").next().unwrap_or_default();
        let stages = [
            ("rc", 3),
            ("c", 3),
            ("beta", 2),
            ("b", 2),
            ("alpha", 1),
            ("a", 1),
        ];
        let stage = stages
            .iter()
            .find(|(word, _)| before.contains(word))
            .and_then(|(word, stage)| Some((*stage, number(word)?)));
        let is_bare_dev = dev.is_some() && stage.is_none() && post == 0;
        Self {
            epoch: epoch.parse().unwrap_or(0),
            release,
            stage: stage.unwrap_or(if is_bare_dev { (0, 0) } else { (4, 0) }),
            post,
            dev: (dev.is_none(), dev.unwrap_or(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_decide_whether_a_package_will_do() {
        for (text, version, met) in [
            ("six", "1.16.0", true),
            ("SIX", "1.16.0", true),
            ("six==1.16.0", "1.16.0", true),
            ("six==1.16", "1.16.0", true),
            ("six==1.16.*", "1.16.3", true),
            ("six==1.1.*", "1.16.3", false),
            ("six>=1.0,<1.16", "1.15.0", true),
            ("six>=1.0,<1.16", "1.16.0", false),
            ("six~=1.4", "1.16", true),
            ("six~=1.4.2", "1.5.0", false),
            ("six!=1.16.0", "1.16.0", false),
            ("six[all]>1", "1.1", true),
            ("six<2; python_version > '3'", "1.1", true),
            ("six>=1.0", "1.0rc1", false),
            ("six>=1.0", "1.0.dev3", false),
            ("six>1.0", "1.0.post1", true),
        ] {
            let found = Requirement::parse(text).is_met_by("six", version);
            assert_eq!(found, met, "{text} {version}");
        }
        assert!(!Requirement::parse("/w/six-1.whl").is_met_by("six", "1"));
        assert!(Requirement::parse("a_b.c").is_met_by("A-B-C", "1"));
    }

    #[test]
    fn versions_behind_commas_go_back_to_their_name() {
        let names = ["six<2", ">1", "two[a", "b]"].map(ToOwned::to_owned);
        assert_eq!(rejoin(&names), ["six<2,>1", "two[a,b]"]);
    }
}
