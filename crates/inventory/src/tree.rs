//! YAML inventories: groups as mappings of `hosts`, `children` and `vars`.

use rustle_types::Object;
use serde_json::Value;

use crate::address;
use crate::draft::Draft;
use crate::error::InventoryErrorKind as Kind;

const SECTION: &str = "a mapping (`name:` lines)";
/// Groups inside of groups beyond this are a mistake.
const DEEPEST: usize = 100;

/// What is wrong, and the keys that lead to it.
pub(crate) struct Misfit {
    pub(crate) path: Vec<String>,
    pub(crate) kind: Kind,
}

/// Reads the top-level groups of a YAML inventory into a draft.
pub(crate) fn read(document: &Object, draft: &mut Draft) -> Result<(), Misfit> {
    if let Some(plugin) = document.get("plugin").and_then(Value::as_str) {
        let kind = Kind::PluginConfiguration {
            plugin: plugin.to_owned(),
        };
        return Err(Misfit {
            path: vec!["plugin".to_owned()],
            kind,
        });
    }
    let mut reader = Reader {
        draft,
        path: Vec::new(),
    };
    document
        .iter()
        .try_for_each(|(name, group)| reader.at(name, |reader| reader.group(name, group).map(drop)))
}

/// Says what a value is, for errors.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => format!("the text `{}`", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

struct Reader<'d> {
    draft: &'d mut Draft,
    path: Vec<String>,
}

impl Reader<'_> {
    fn at<T>(
        &mut self,
        key: &str,
        work: impl FnOnce(&mut Self) -> Result<T, Misfit>,
    ) -> Result<T, Misfit> {
        self.path.push(key.to_owned());
        let done = work(self)?;
        self.path.pop();
        Ok(done)
    }

    fn misfit(&self, kind: Kind) -> Misfit {
        Misfit {
            path: self.path.clone(),
            kind,
        }
    }

    fn shape(&self, expected: &'static str, found: &Value) -> Misfit {
        self.misfit(Kind::Shape {
            path: self.path.join("."),
            expected,
            found: describe(found),
        })
    }

    fn warn(&mut self, message: &str) {
        let path = self.path.join(".");
        self.draft.warn(format!("{path}: {message}"));
    }

    /// Reads a group; whether it is one.
    fn group(&mut self, name: &str, group: &Value) -> Result<bool, Misfit> {
        let empty = Object::new();
        let sections = match group {
            Value::Null => &empty,
            Value::Object(sections) => sections,
            _ => {
                self.warn("skipped, for it is no group");
                return Ok(false);
            }
        };
        if self.path.len() > DEEPEST * 2 {
            return Err(self.shape("groups nested less than 100 deep", group));
        }
        self.draft
            .add_group(name)
            .map_err(|kind| self.misfit(kind))?;
        for (key, section) in sections {
            self.at(key, |reader| reader.section(name, key, section))?;
        }
        Ok(true)
    }

    fn section(&mut self, group: &str, key: &str, section: &Value) -> Result<(), Misfit> {
        let single;
        let entries = match section {
            Value::Null => return Ok(()),
            Value::Object(entries) => entries,
            Value::String(name) if matches!(key, "hosts" | "children" | "vars") => {
                single = Object::from_iter([(name.clone(), Value::Null)]);
                &single
            }
            _ if matches!(key, "hosts" | "children" | "vars") => {
                return Err(self.shape(SECTION, section));
            }
            _ => {
                self.warn("skipped, for a group has only `hosts`, `children` and `vars`");
                return Ok(());
            }
        };
        match key {
            "vars" => self.vars(group, entries),
            "children" => self.children(group, entries),
            "hosts" => self.hosts(group, entries),
            _ => {
                self.warn("skipped, for a group has only `hosts`, `children` and `vars`");
                Ok(())
            }
        }
    }

    fn vars(&mut self, group: &str, vars: &Object) -> Result<(), Misfit> {
        vars.iter().try_for_each(|(key, value)| {
            self.draft
                .set_group_var(group, key, value.clone())
                .map_err(|kind| self.misfit(kind))
        })
    }

    fn children(&mut self, group: &str, children: &Object) -> Result<(), Misfit> {
        children.iter().try_for_each(|(name, child)| {
            self.at(name, |reader| {
                if reader.group(name, child)? {
                    reader
                        .draft
                        .add_child(group, name)
                        .map_err(|kind| reader.misfit(kind))?;
                }
                Ok(())
            })
        })
    }

    fn hosts(&mut self, group: &str, hosts: &Object) -> Result<(), Misfit> {
        hosts.iter().try_for_each(|(pattern, vars)| {
            self.at(pattern, |reader| reader.host(group, pattern, vars))
        })
    }

    fn host(&mut self, group: &str, pattern: &str, vars: &Value) -> Result<(), Misfit> {
        let empty = Object::new();
        let vars = match vars {
            Value::Null => &empty,
            Value::Object(vars) => vars,
            other => return Err(self.shape("the host's variables as a mapping", other)),
        };
        let (hosts, port) = address::hosts_of(pattern).map_err(|problem| {
            self.misfit(Kind::Range {
                pattern: pattern.to_owned(),
                problem,
            })
        })?;
        for host in hosts {
            self.draft
                .add_host(&host, group, port)
                .map_err(|kind| self.misfit(kind))?;
            for (key, value) in vars {
                self.draft.set_host_var(&host, key, value.clone());
            }
        }
        Ok(())
    }
}
