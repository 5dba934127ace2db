//! Filters that apply a filter or a test to each item.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::arguments::{Arguments, Stateful, add_stateful, items, text};
use crate::convert::check;
use crate::error::invalid;
use crate::rewrite::plugin_name;

/// Tests that are given a missing attribute as such.
const OF_UNDEFINED: &[&str] = &["defined", "undefined"];

pub(crate) fn register(environment: &mut Environment<'static>) {
    let filters: &[(&'static str, Stateful)] = &[
        ("map", map),
        ("select", |state, value, args| {
            pick(state, value, args, true, false)
        }),
        ("reject", |state, value, args| {
            pick(state, value, args, false, false)
        }),
        ("selectattr", |state, value, args| {
            pick(state, value, args, true, true)
        }),
        ("rejectattr", |state, value, args| {
            pick(state, value, args, false, true)
        }),
        ("groupby", groupby),
    ];
    add_stateful(environment, filters);
}

/// The value at an attribute path, undefined where a part of it is missing.
fn at_path(value: &Value, path: &Value) -> Result<Value, Error> {
    let Some(path) = path.as_str() else {
        return value.get_item(path).and_then(check);
    };
    match super::collections::by_path(value, path) {
        Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(Value::UNDEFINED),
        other => other,
    }
}

/// The items of a list, which may be undefined ones.
fn raw_items(value: &Value) -> Result<Vec<Value>, Error> {
    if value.kind() == ValueKind::Map {
        items(value)
    } else {
        value.try_iter()?.map(check).collect()
    }
}

/// The arguments that are passed on: all after the first `skip`, and the named ones.
fn passed(first: Value, args: &Arguments, skip: usize) -> Vec<Value> {
    let mut values = vec![first];
    values.extend(args.positional.iter().skip(skip).cloned());
    let named: Vec<(String, Value)> = args
        .keywords()
        .into_iter()
        .map(|name| (name.clone(), args.keyword(&name).unwrap_or_default()))
        .collect();
    if !named.is_empty() {
        values.push(Value::from(
            named.into_iter().collect::<minijinja::value::Kwargs>(),
        ));
    }
    values
}

fn map(state: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let list = raw_items(value)?;
    if args.positional.is_empty() {
        let Some(path) = args.keyword("attribute") else {
            return Err(invalid("map requires a filter argument"));
        };
        let default = args.keyword("default");
        let found = |item: &Value| {
            let found = at_path(item, &path)?;
            match &default {
                Some(default) if found.is_undefined() => Ok(default.clone()),
                None if found.is_undefined() => super::collections::by_path(item, &text(&path)),
                _ => Ok(found),
            }
        };
        return list
            .iter()
            .map(found)
            .collect::<Result<Vec<_>, Error>>()
            .map(Value::from);
    }
    let name = plugin_name(&text(&args.positional[0]));
    let mut mapped = Vec::with_capacity(list.len());
    for item in list {
        mapped.push(state.apply_filter(name, &passed(item, args, 1))?);
    }
    Ok(Value::from(mapped))
}

fn pick(
    state: &mut State<'_, '_>,
    value: &Value,
    args: &Arguments,
    wanted: bool,
    by_attribute: bool,
) -> Result<Value, Error> {
    let path = by_attribute
        .then(|| args.required(0, "attribute"))
        .transpose()?;
    let at = usize::from(by_attribute);
    let test = args.positional.get(at).map(|name| plugin_name(&text(name)));
    let mut kept = Vec::new();
    for item in raw_items(value)? {
        let subject = path
            .as_ref()
            .map_or_else(|| Ok(item.clone()), |path| at_path(&item, path))?;
        if let Some(path) = path.as_ref().filter(|_| {
            subject.is_undefined() && !test.is_some_and(|test| OF_UNDEFINED.contains(&test))
        }) {
            return super::collections::by_path(&item, &text(path));
        }
        let holds = match test {
            Some(test) => state.perform_test(test, &passed(subject, args, at + 1))?,
            None => {
                super::operators::defined(&subject)?;
                subject.is_true()
            }
        };
        if holds == wanted {
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

/// One of the groups that `groupby` makes: a pair whose parts have names too.
#[derive(Debug)]
pub(crate) struct Group {
    key: Value,
    members: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), key.as_usize()) {
            (Some("grouper"), _) | (_, Some(0)) => Some(self.key.clone()),
            (Some("list"), _) | (_, Some(1)) => Some(self.members.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}

/// What is told where groups are stored: they lose the names of their parts.
pub(crate) const GROUPS_BECOME_LISTS: &str =
    "Type 'GroupTuple' is unsupported in variable storage, converting to 'list'.";

/// Whether a value is a group or a list of groups, as `groupby` gives it.
pub(crate) fn holds_groups(value: &Value) -> bool {
    let is_group = |value: &Value| value.downcast_object_ref::<Group>().is_some();
    is_group(value)
        || value.kind() == ValueKind::Seq
            && value
                .get_item_by_index(0)
                .is_ok_and(|first| is_group(&first))
}

fn groupby(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let path = args.required(0, "attribute")?;
    let default = args.get(1, "default");
    let case_sensitive = args.flag(2, "case_sensitive", false);
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for item in items(value)? {
        let mut key = at_path(&item, &path)?;
        if key.is_undefined() {
            key = default
                .clone()
                .map_or_else(|| super::collections::by_path(&item, &text(&path)), Ok)?;
        }
        let folded = key
            .as_str()
            .filter(|_| !case_sensitive)
            .map_or_else(|| key.clone(), |body| Value::from(body.to_lowercase()));
        match groups.iter_mut().find(|(known, ..)| *known == folded) {
            Some((.., members)) => members.push(item),
            None => groups.push((folded, key, vec![item])),
        }
    }
    super::collections::sort_keyed(&mut groups, |group| &group.0)?;
    Ok(groups
        .into_iter()
        .map(|(_, key, members)| {
            Value::from_object(Group {
                key,
                members: Value::from(members),
            })
        })
        .collect())
}
