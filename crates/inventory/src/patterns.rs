//! Host patterns: which hosts a play or a limit means.
//!
//! Unions come first, then intersections (`&`), then exclusions (`!`), in whatever order they are written. Hosts
//! come in the order of the terms, and in inventory order within one.

mod glob;
mod split;

use std::path::Path;
use std::str::FromStr;

use fancy_regex::Regex;
use indexmap::IndexSet;
use rustle_types::HostName;

use crate::error::Warning;
use crate::file_tree::FileTree;
use crate::inventory::Inventory;

/// A pattern that means no hosts, because it is wrong in itself or asks for a host that is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The regular expression after `~` does not parse.
    #[error("the host pattern `{pattern}` is not a regular expression")]
    Regex {
        /// The term.
        pattern: String,
        /// What the regex engine says.
        #[source]
        source: Box<fancy_regex::Error>,
    },
    /// A subscript beyond the hosts that match.
    #[error("the host pattern `{pattern}` asks for host {index} of {count}")]
    Subscript {
        /// The term.
        pattern: String,
        /// The subscript, counted from 0.
        index: i64,
        /// How many hosts match without it.
        count: usize,
    },
    /// The file of an `@file` cannot be read.
    #[error("the file of the host pattern `@{path}` cannot be read")]
    File {
        /// The path.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// A parsed host pattern.
#[derive(Clone, Debug)]
pub struct HostPattern {
    text: String,
    terms: Vec<Term>,
}

/// The hosts that a pattern means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// The hosts, each once.
    pub hosts: Vec<HostName>,
    /// Terms that match nothing.
    pub warnings: Vec<Warning>,
}

impl HostPattern {
    /// Parses a pattern such as `web:&prod:!web3` or `web*,~db\d+`.
    ///
    /// # Errors
    /// When a regular expression in it does not parse.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::from_terms(text.to_owned(), &split::terms(text))
    }

    /// Parses a list of patterns, as a play's `hosts` may be one.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_list<T: AsRef<str>>(patterns: &[T]) -> Result<Self, PatternError> {
        let texts: Vec<&str> = patterns.iter().map(AsRef::as_ref).collect();
        let terms: Vec<String> = texts.iter().flat_map(|text| split::terms(text)).collect();
        Self::from_terms(texts.join(","), &terms)
    }

    /// Parses a limit: a pattern in which `@file` stands for the lines of a file, each a term.
    ///
    /// # Errors
    /// As [`Self::parse`], and when the file cannot be read.
    pub fn parse_limit(text: &str, files: &dyn FileTree) -> Result<Self, PatternError> {
        let mut terms = Vec::new();
        for term in split::terms(text) {
            match term.strip_prefix('@') {
                Some(path) => terms.extend(lines_of(path, files)?),
                None => terms.push(term),
            }
        }
        Self::from_terms(text.to_owned(), &terms)
    }

    fn from_terms(text: String, texts: &[String]) -> Result<Self, PatternError> {
        let mut terms = texts
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<Term>, _>>()?;
        terms.sort_by_key(|term| term.role);
        if terms.first().is_none_or(|term| term.role != Role::Union) && !terms.is_empty() {
            terms.insert(0, "all".parse()?);
        }
        Ok(Self { text, terms })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hosts that the pattern means. A pattern without terms means none.
    ///
    /// # Errors
    /// When a subscript asks for a host beyond those that match, or a regular expression takes too long.
    pub fn resolve(&self, inventory: &Inventory) -> Result<Matches, PatternError> {
        let mut hosts: IndexSet<HostName> = IndexSet::new();
        let mut warnings = Vec::new();
        for term in &self.terms {
            let matched = term.hosts(inventory, &mut warnings)?;
            match term.role {
                Role::Union => hosts.extend(matched),
                Role::Intersection => {
                    let matched: IndexSet<HostName> = matched.into_iter().collect();
                    hosts.retain(|host| matched.contains(host));
                }
                Role::Exclusion => {
                    let matched: IndexSet<HostName> = matched.into_iter().collect();
                    hosts.retain(|host| !matched.contains(host));
                }
            }
        }
        Ok(Matches {
            hosts: hosts.into_iter().collect(),
            warnings,
        })
    }
}

fn lines_of(path: &str, files: &dyn FileTree) -> Result<Vec<String>, PatternError> {
    let unreadable = |source| PatternError::File {
        path: path.to_owned(),
        source,
    };
    let bytes = files.read(Path::new(path)).map_err(unreadable)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

/// What a term does to the hosts; in the order in which terms are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Union,
    Intersection,
    Exclusion,
}

#[derive(Clone, Debug)]
struct Term {
    role: Role,
    /// The term without its `&` or `!`.
    text: String,
    /// The term without its subscript either.
    name: String,
    matcher: Matcher,
    subscript: Option<split::Subscript>,
}

#[derive(Clone, Debug)]
enum Matcher {
    Glob(String),
    Regex(Regex),
}

impl FromStr for Term {
    type Err = PatternError;

    fn from_str(written: &str) -> Result<Self, PatternError> {
        let (role, text) = match written.split_at_checked(1) {
            Some(("&", text)) => (Role::Intersection, text),
            Some(("!", text)) => (Role::Exclusion, text),
            _ => (Role::Union, written),
        };
        let (name, subscript) = if text.starts_with('~') {
            (text, None)
        } else {
            split::subscript(text)
        };
        let matcher = match text.strip_prefix('~') {
            Some(regex) => Matcher::Regex(
                Regex::new(&format!("^(?:{regex})")).map_err(|source| regex_error(text, source))?,
            ),
            None => Matcher::Glob(name.to_owned()),
        };
        Ok(Self {
            role,
            text: text.to_owned(),
            name: name.to_owned(),
            matcher,
            subscript,
        })
    }
}

fn regex_error(pattern: &str, source: fancy_regex::Error) -> PatternError {
    PatternError::Regex {
        pattern: pattern.to_owned(),
        source: Box::new(source),
    }
}

impl Term {
    fn hosts(
        &self,
        inventory: &Inventory,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<HostName>, PatternError> {
        if self.role == Role::Union
            && let Some((host, _)) = inventory.parsed().hosts.get_key_value(&*self.text)
        {
            return Ok(vec![host.clone()]);
        }
        let hosts = self.candidates(inventory, warnings)?;
        match self.subscript {
            Some(subscript) if !hosts.is_empty() => {
                subscript
                    .pick(&hosts)
                    .map_err(|index| PatternError::Subscript {
                        pattern: self.text.clone(),
                        index,
                        count: hosts.len(),
                    })
            }
            _ => Ok(hosts),
        }
    }

    /// The hosts of all groups that match, and the hosts that match themselves where the term could mean hosts.
    fn candidates(
        &self,
        inventory: &Inventory,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<HostName>, PatternError> {
        let mut hosts = Vec::new();
        let mut has_group = false;
        for group in inventory.parsed().groups.keys() {
            if self.is_match(group)? {
                has_group = true;
                hosts.extend(inventory.members(group));
            }
        }
        if !has_group
            || matches!(self.matcher, Matcher::Regex(_))
            || self.name.contains(['.', '?', '*', '['])
        {
            for (name, host) in &inventory.parsed().hosts {
                if !host.implicit && self.is_match(name.as_str())? {
                    hosts.push(name.clone());
                }
            }
        }
        if hosts.is_empty() && HostName::from(&*self.name).is_localhost() {
            hosts.push(localhost_of(inventory, &self.name));
        }
        if hosts.is_empty() && !has_group && self.name != "all" {
            warnings.push(Warning::new(
                "",
                format!(
                    "could not match the host pattern `{}`, ignoring it",
                    self.name
                ),
            ));
        }
        Ok(hosts)
    }

    fn is_match(&self, name: &str) -> Result<bool, PatternError> {
        match &self.matcher {
            Matcher::Glob(glob) => Ok(glob::matches(glob, name)),
            Matcher::Regex(regex) => regex
                .is_match(name)
                .map_err(|source| regex_error(&self.text, source)),
        }
    }
}

/// This machine by any of its names: as the inventory calls it, else as the pattern does.
fn localhost_of(inventory: &Inventory, name: &str) -> HostName {
    let known = inventory
        .parsed()
        .hosts
        .iter()
        .find(|(name, host)| !host.implicit && name.is_localhost());
    known.map_or_else(|| HostName::from(name), |(name, _)| name.clone())
}

#[cfg(test)]
mod tests;
