//! What a task names: a package, its architecture, and which version of it.

use std::fmt;

use crate::glob;

/// Which version of a package is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Pin {
    /// This one, or one that matches this pattern.
    Equal(String),
    /// This one or a newer one.
    AtLeast(String),
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(version) => write!(f, "={version}"),
            Self::AtLeast(version) => write!(f, ">={version}"),
        }
    }
}

/// A package as a task names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// Its name, with an architecture behind a colon where one is asked for.
    pub(super) name: String,
    /// Which version of it.
    pub(super) pin: Option<Pin>,
}

impl Wanted {
    /// Reads `name`, `name=version` or `name>=version`.
    pub(super) fn parse(text: &str) -> Self {
        let (name, pin) = match text.split_once('=') {
            None => (text, None),
            Some((name, version)) => match name.strip_suffix('>') {
                Some(name) => (name, Some(Pin::AtLeast(version.to_owned()))),
                None => (name, Some(Pin::Equal(version.to_owned()))),
            },
        };
        Self {
            name: name.to_owned(),
            pin,
        }
    }

    /// The packages that are meant, where the name is a pattern; the wanted one itself where it is none.
    pub(super) fn expand(&self, names: &[String]) -> Vec<Self> {
        if !glob::is_pattern(&self.name) {
            return vec![self.clone()];
        }
        let matching = names.iter().filter(|name| glob::matches(&self.name, name));
        let mut matching: Vec<Self> = matching
            .map(|name| Self {
                name: name.clone(),
                pin: self.pin.clone(),
            })
            .collect();
        matching.sort_by(|one, other| one.name.cmp(&other.name));
        matching
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_an_architecture_and_a_version() {
        for (text, name, pin) in [
            ("nginx", "nginx", None),
            ("nginx=1.2*", "nginx", Some(Pin::Equal("1.2*".into()))),
            ("nginx>=1:1.2", "nginx", Some(Pin::AtLeast("1:1.2".into()))),
            ("libc6:i386=2", "libc6:i386", Some(Pin::Equal("2".into()))),
        ] {
            let wanted = Wanted::parse(text);
            assert_eq!((wanted.name.as_str(), wanted.pin), (name, pin), "{text}");
        }
    }

    #[test]
    fn patterns_stand_for_all_names_that_match() {
        let names = ["python3-b", "python3-a", "perl"].map(ToOwned::to_owned);
        let found = Wanted::parse("python3-*").expand(&names);
        let found: Vec<&str> = found.iter().map(|wanted| wanted.name.as_str()).collect();
        assert_eq!(found, ["python3-a", "python3-b"]);
        assert_eq!(Wanted::parse("g++").expand(&names).len(), 1);
        assert!(Wanted::parse("nosuch*").expand(&names).is_empty());
    }
}
