//! Which facts texts mention.
//!
//! Texts are read word by word and not parsed, so a name in a comment counts as well. That is never wrong, it only gathers more. What
//! could name a fact in a way that cannot be seen here makes all facts needed.

use std::collections::BTreeSet;

use rustle_types::is_template;
use serde_json::Value;

use super::names::{is_no_fact, is_of_other_module, subset_of};

/// The facts that a plan needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// All of them, or it is not clear which.
    All,
    /// Those of these subsets of `setup`.
    Subsets(BTreeSet<&'static str>),
}

/// The facts that expressions and templates of these values and texts use.
pub(super) fn needed(values: &[Value], texts: &[String]) -> Needed {
    let mut mentions = Mentions::default();
    let is_clear = values.iter().all(|value| mentions.add_value(value))
        && texts.iter().all(|text| mentions.add_text(text));
    if is_clear {
        Needed::Subsets(mentions.subsets)
    } else {
        Needed::All
    }
}

/// What was mentioned so far. What adds to it says whether it is clear what is mentioned.
#[derive(Default)]
struct Mentions {
    subsets: BTreeSet<&'static str>,
}

impl Mentions {
    fn add_value(&mut self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(items) => items.iter().all(|item| self.add_value(item)),
            // What is in it is seen when it is decrypted, as the plan runs.
            Value::Object(fields) if fields.contains_key("__ansible_vault") => false,
            Value::Object(fields) => fields.iter().all(|(name, field)| {
                (!is_template(name) || self.add_text(name)) && self.add_field(name, field)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    fn add_field(&mut self, name: &str, field: &Value) -> bool {
        match (name, field) {
            // `debug` shows the variable whose name comes out.
            ("var", Value::String(text)) if is_template(text) => false,
            ("name" | "task_id" | "handler_id", Value::String(text)) if !is_template(text) => true,
            _ => self.add_value(field),
        }
    }

    fn add_text(&mut self, text: &str) -> bool {
        // Such a line at the beginning of a template changes what its marks are.
        !text.starts_with("#jinja2:") && words(text).all(|word| self.add_word(&word))
    }

    fn add_word(&mut self, word: &Word<'_>) -> bool {
        match word.text {
            "ansible_facts" => {
                member(word.after_subscript()).is_some_and(|(name, _)| self.add_fact(name))
            }
            "hostvars" => variable_of_host(word.after_subscript()),
            "vars" => !word.may_be_all_variables(),
            "varnames" => false,
            "lookup" | "query" | "q" => calls_plain_lookup(word.after),
            "include" | "import" | "extends" | "from" => !word.begins_statement(),
            text => text
                .strip_prefix("ansible_")
                .is_none_or(|name| self.add_known(name) || is_no_fact(name)),
        }
    }

    fn add_fact(&mut self, name: &str) -> bool {
        let name = name.strip_prefix("ansible_").unwrap_or(name);
        self.add_known(name) || is_of_other_module(name)
    }

    fn add_known(&mut self, fact: &str) -> bool {
        let subset = subset_of(fact);
        self.subsets.extend(subset);
        subset.is_some()
    }
}

/// A word of a text, and what is around it.
struct Word<'t> {
    before: &'t str,
    text: &'t str,
    after: &'t str,
}

fn is_of_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_of_word)?;
        let length = text[start..].find(|c| !is_of_word(c));
        at = length.map_or(text.len(), |length| start + length);
        Some(Word {
            before: &text[..start],
            text: &text[start..at],
            after: &text[at..],
        })
    })
}

impl<'t> Word<'t> {
    /// What follows it: where it stands in quotes, what follows the brackets around these.
    fn after_subscript(&self) -> &'t str {
        match self.before.chars().last() {
            Some(quote @ ('\'' | '"')) => self
                .after
                .strip_prefix(quote)
                .and_then(|after| after.trim_start().strip_prefix(']'))
                .unwrap_or_default(),
            _ => self.after,
        }
    }

    /// Whether `vars` may stand for the variable that holds all others, or for the lookup, and not for a folder or a common word.
    fn may_be_all_variables(&self) -> bool {
        if self.before.ends_with('/') || self.after.starts_with('/') {
            return false;
        }
        if self.before.ends_with(['\'', '"', '.']) {
            return true;
        }
        match self.after.trim_start().chars().next() {
            Some('[' | '|' | ')' | '}' | '%' | ',') => true,
            Some('.') => ![".yml", ".yaml", ".json"]
                .iter()
                .any(|ending| self.after.starts_with(ending)),
            _ => self.before.trim_end().ends_with(" in"),
        }
    }

    fn begins_statement(&self) -> bool {
        let before = self.before.trim_end();
        before.trim_end_matches(['-', '+']).ends_with("{%")
    }
}

/// The name of the member that is taken of what stands before, and what follows; none where it is not taken by a literal name.
fn member(after: &str) -> Option<(&str, &str)> {
    let after = after.trim_start();
    if let Some(inside) = after.strip_prefix('[') {
        let (name, rest) = literal(inside)?;
        return Some((name, rest.strip_prefix(']')?));
    }
    let named = after.strip_prefix('.')?.trim_start();
    let length = named.find(|c| !is_of_word(c)).unwrap_or(named.len());
    let (name, rest) = named.split_at(length);
    match rest.trim_start().strip_prefix('(') {
        Some(inside) if name == "get" => {
            literal(inside).filter(|(_, rest)| rest.starts_with([',', ')']))
        }
        Some(_) => None,
        None => Some((name, rest)).filter(|(name, _)| !name.is_empty()),
    }
}

/// A quoted word at the beginning, and what follows.
fn literal(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (word, rest) = text[1..].split_once(quote)?;
    let is_word = !word.is_empty() && word.chars().all(|c| is_of_word(c) || c == '.');
    is_word.then(|| (word, rest.trim_start()))
}

/// Whether what follows `hostvars` picks a variable by a literal name, of whatever host. The name itself is one of the words.
fn variable_of_host(after: &str) -> bool {
    let after = after.trim_start();
    // As an argument of `extract`.
    if let Some(path) = after.strip_prefix(',') {
        let path = path.trim_start();
        return literal(path.strip_prefix('[').unwrap_or(path)).is_some();
    }
    let of_host = match after.strip_prefix('[') {
        Some(inside) => behind_bracket(inside),
        None => member(after).map(|(_, rest)| rest),
    };
    of_host.and_then(member).is_some()
}

/// What follows the bracket that closes the one before `text`.
fn behind_bracket(text: &str) -> Option<&str> {
    let mut depth = 1;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) => quote = Some(open).filter(|open| *open != c),
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[at + 1..]);
        }
    }
    None
}

/// Whether a lookup is named, and is none that reads variables or templates.
fn calls_plain_lookup(after: &str) -> bool {
    let Some(inside) = after.trim_start().strip_prefix('(') else {
        return true;
    };
    literal(inside).is_some_and(|(name, rest)| {
        let name = name.rsplit('.').next().unwrap_or(name);
        rest.starts_with([',', ')']) && !matches!(name, "vars" | "varnames" | "template")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The subsets that a text needs, or `*`.
    fn of_text(text: &str) -> String {
        match needed(&[], &[text.to_owned()]) {
            Needed::All => "*".into(),
            Needed::Subsets(subsets) => subsets.into_iter().collect::<Vec<_>>().join(" "),
        }
    }

    #[test]
    fn literal_names_need_their_subsets() {
        for (text, expected) in [
            ("nothing of ansible.builtin.copy, {{ item }}", ""),
            ("ansible_kernel == '6'", "platform"),
            ("{{ ansible_facts.os_family }}", "distribution"),
            ("{{ ansible_facts['mounts'] | length }}", "hardware"),
            (
                "{{ ansible_facts.get('fqdn', 'x') ~ ansible_env.HOME }}",
                "env platform",
            ),
            (
                "{{ hostvars[groups['db'][0]].ansible_default_ipv4.address }}",
                "network",
            ),
            (
                "{{ hostvars['web1']['ansible_facts']['pkg_mgr'] }}",
                "pkg_mgr",
            ),
            ("{{ hostvars.web1.port }}", ""),
            (
                "{{ groups.all | map('extract', hostvars, ['ansible_lsb', 'id']) }}",
                "lsb",
            ),
            ("{{ it.ansible_facts.ansible_fips }}", "fips"),
            ("{{ ansible_facts.services | length }}", ""),
            ("{{ ansible_host }} {{ ansible_ssh_common_args }}", ""),
            ("{{ ansible_ssh_host_key_rsa_public }}", "ssh_pub_keys"),
            ("{{ lookup('env', 'HOME') }} sets vars of vars/main.yml", ""),
        ] {
            assert_eq!(of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_needs_all() {
        for text in [
            "{{ ansible_facts }}",
            "{{ ansible_facts | to_json }}",
            "{{ ansible_facts[name] }}",
            "{{ ansible_facts['a' ~ b] }}",
            "{{ ansible_facts.items() }}",
            "{{ ansible_facts.get(name) }}",
            "{{ ansible_facts.unheard_of }}",
            "{{ ansible_eth0.mtu }}",
            "{{ hostvars }}",
            "{{ hostvars[host] }}",
            "{{ hostvars[host][name] }}",
            "{{ hostvars[host]['ansible_' ~ name] }}",
            "{{ groups.all | map('extract', hostvars, name) }}",
            "{{ vars[name] }}",
            "{{ vars | dict2items }}",
            "name in vars",
            "{{ lookup('vars', name) }}",
            "{{ query('ansible.builtin.varnames', '.') }}",
            "{{ lookup(name) }}",
            "{{ lookup('template', 'x.j2') }}",
            "{%- include 'x.j2' %}",
            "#jinja2: trim_blocks: False",
        ] {
            assert_eq!(of_text(text), "*", "{text}");
        }
    }

    #[test]
    fn values_are_read_with_all_that_is_in_them() {
        let of = |value: Value| needed(&[value], &[]);
        assert_eq!(
            of(
                json!({"when": ["ansible_system == 'Linux'"], "vars": {"a": [{"b": "{{ ansible_env }}"}]}})
            ),
            Needed::Subsets(BTreeSet::from(["env", "platform"]))
        );
        assert_eq!(
            of(json!({"name": "about ansible_things", "ansible_defined": 1})),
            Needed::Subsets(BTreeSet::new())
        );
        for unclear in [
            json!({"name": "{{ ansible_things }}"}),
            json!({"debug": {"var": "{{ name }}"}}),
            json!({"secret": {"__ansible_vault": "…"}}),
            json!({"{{ ansible_things }}": 1}),
        ] {
            assert_eq!(of(unclear.clone()), Needed::All, "{unclear}");
        }
    }
}
