//! Mappings: merging them, and turning them into lists and back.

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};

use super::arguments::{Arguments, add_all, add_stateful, entries, items, text};
use super::collections::by_path;
use crate::convert::check;
use crate::error::{invalid, undefined};
use crate::python::{is_list, is_map, type_name};

type Pairs = IndexMap<Value, Value>;

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("combine", combine),
            ("dict2items", dict_to_items),
            ("items2dict", items_to_dict),
            ("items", pairs_of),
            ("dictsort", dictsort),
            ("subelements", subelements),
            ("rekey_on_member", rekey_on_member),
            ("attr", |value, args| {
                value.get_attr(&text(&args.required(0, "name")?))
            }),
        ],
    );
    add_stateful(environment, &[("extract", extract)]);
}

fn combine(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let recursive = args.keyword("recursive").is_some_and(|flag| flag.is_true());
    let list_merge = args
        .keyword("list_merge")
        .map_or_else(|| "replace".to_owned(), |mode| text(&mode));
    if ![
        "replace",
        "keep",
        "append",
        "prepend",
        "append_rp",
        "prepend_rp",
    ]
    .contains(&list_merge.as_str())
    {
        return Err(invalid(format!("unknown list_merge `{list_merge}`")));
    }
    if let Some(unknown) = args
        .keywords()
        .iter()
        .find(|name| !["recursive", "list_merge"].contains(&name.as_str()))
    {
        return Err(invalid(format!("combine has no argument `{unknown}`")));
    }
    let mut terms = Vec::new();
    for term in std::iter::once(value).chain(&args.positional) {
        collect_terms(&mut terms, term)?;
    }
    let mut merged = Pairs::new();
    for term in terms {
        merge(&mut merged, entries(&term)?, recursive, &list_merge)?;
    }
    Ok(Value::from_pairs(merged))
}

fn collect_terms(terms: &mut Vec<Value>, term: &Value) -> Result<(), Error> {
    if is_list(term) {
        return items(term)?
            .iter()
            .try_for_each(|inner| collect_terms(terms, inner));
    }
    if term.is_none() {
        return Ok(());
    }
    if !is_map(term) {
        return Err(invalid(format!(
            "combine needs mappings, not a value of type '{}'",
            type_name(term)
        )));
    }
    terms.push(term.clone());
    Ok(())
}

fn merge(
    merged: &mut Pairs,
    upper: Vec<(Value, Value)>,
    recursive: bool,
    list_merge: &str,
) -> Result<(), Error> {
    for (key, value) in upper {
        let Some(lower) = merged.get(&key) else {
            merged.insert(key, value);
            continue;
        };
        let value = if recursive && is_map(lower) && is_map(&value) {
            let mut inner: Pairs = entries(lower)?.into_iter().collect();
            merge(&mut inner, entries(&value)?, recursive, list_merge)?;
            Value::from_pairs(inner)
        } else if is_list(lower) && is_list(&value) {
            merge_lists(lower, &value, list_merge)?
        } else {
            value
        };
        merged.insert(key, value);
    }
    Ok(())
}

fn merge_lists(lower: &Value, upper: &Value, mode: &str) -> Result<Value, Error> {
    let (low, up) = (items(lower)?, items(upper)?);
    let without = |list: &[Value]| {
        list.iter()
            .filter(|item| !up.contains(item))
            .cloned()
            .collect::<Vec<_>>()
    };
    Ok(Value::from(match mode {
        "keep" => low,
        "append" => [low, up].concat(),
        "prepend" => [up, low].concat(),
        "append_rp" => [without(&low), up.clone()].concat(),
        "prepend_rp" => [up.clone(), without(&low)].concat(),
        _ => up,
    }))
}

fn names(args: &Arguments) -> (String, String) {
    (
        args.text_or(0, "key_name", "key"),
        args.text_or(1, "value_name", "value"),
    )
}

fn dict_to_items(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let (key_name, value_name) = names(args);
    let pair =
        |(key, item)| Value::from_pairs([(key_name.clone(), key), (value_name.clone(), item)]);
    Ok(entries(value)?.into_iter().map(pair).collect())
}

fn items_to_dict(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let (key_name, value_name) = names(args);
    if !is_list(value) {
        return Err(invalid(format!(
            "items2dict requires a list, got {} instead.",
            type_name(value)
        )));
    }
    let mut pairs = Pairs::new();
    for item in items(value)? {
        if !is_map(&item) {
            return Err(invalid("items2dict requires a list of dictionaries"));
        }
        pairs.insert(by_path(&item, &key_name)?, by_path(&item, &value_name)?);
    }
    Ok(Value::from_pairs(pairs))
}

fn pairs_of(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let tuple = |(key, item)| Value::from(minijinja::value::Tuple::from([key, item]));
    Ok(entries(value)?.into_iter().map(tuple).collect())
}

fn dictsort(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let case_sensitive = args.flag(0, "case_sensitive", false);
    let by = args.text_or(1, "by", "key");
    if !["key", "value"].contains(&by.as_str()) {
        return Err(invalid(format!(
            "dictsort sorts by `key` or `value`, not by `{by}`"
        )));
    }
    let by_value = by == "value";
    let descending = args.flag(2, "reverse", false);
    let mut pairs = entries(value)?;
    let key = |pair: &(Value, Value)| {
        let key = if by_value { &pair.1 } else { &pair.0 };
        key.as_str()
            .filter(|_| !case_sensitive)
            .map_or_else(|| key.clone(), |body| Value::from(body.to_lowercase()))
    };
    pairs.sort_by(|a, b| {
        if descending {
            key(b).cmp(&key(a))
        } else {
            key(a).cmp(&key(b))
        }
    });
    let tuple = |(key, item)| Value::from(minijinja::value::Tuple::from([key, item]));
    Ok(pairs.into_iter().map(tuple).collect())
}

fn subelements(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let path = args.required(0, "subelements")?;
    let path: Vec<String> = match path.as_str() {
        Some(path) => path.split('.').map(str::to_owned).collect(),
        None => items(&path)?.iter().map(text).collect(),
    };
    let skip_missing = args.flag(1, "skip_missing", false);
    let elements = if is_map(value) {
        entries(value)?.into_iter().map(|(_, item)| item).collect()
    } else {
        items(value)?
    };
    let mut rows = Vec::new();
    for element in elements {
        let Some(found) = descend(&element, &path, skip_missing)? else {
            continue;
        };
        for item in items(&found)? {
            rows.push(Value::from(minijinja::value::Tuple::from([
                element.clone(),
                item,
            ])));
        }
    }
    Ok(Value::from(rows))
}

fn descend(element: &Value, path: &[String], skip_missing: bool) -> Result<Option<Value>, Error> {
    let mut current = element.clone();
    for key in path {
        let next = if is_map(&current) {
            current.get_attr(key)?
        } else {
            return Err(invalid(format!(
                "the key `{key}` should point to a dictionary"
            )));
        };
        if next.is_undefined() {
            return if skip_missing {
                Ok(None)
            } else {
                Err(invalid(format!(
                    "could not find `{key}` key in iterated item"
                )))
            };
        }
        current = check(next)?;
    }
    if is_list(&current) {
        Ok(Some(current))
    } else {
        Err(invalid(format!(
            "the key `{}` should point to a list",
            path.join(".")
        )))
    }
}

fn rekey_on_member(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let member = text(&args.required(0, "key")?);
    let overwrite = args.text_or(1, "duplicates", "error") == "overwrite";
    let elements = if is_map(value) {
        entries(value)?.into_iter().map(|(_, item)| item).collect()
    } else {
        items(value)?
    };
    let mut pairs = Pairs::new();
    for element in elements {
        let key = by_path(&element, &member)?;
        if pairs.insert(key.clone(), element).is_some() && !overwrite {
            return Err(invalid(format!("the key {} is not unique", text(&key))));
        }
    }
    Ok(Value::from_pairs(pairs))
}

fn extract(_: &mut State<'_, '_>, value: &Value, args: &Arguments) -> Result<Value, Error> {
    let container = args.required(0, "container")?;
    let more = match args.get(1, "morekeys") {
        None => Vec::new(),
        Some(keys) if keys.is_none() => Vec::new(),
        Some(keys) if is_list(&keys) => items(&keys)?,
        Some(key) => vec![key],
    };
    let mut current = container;
    for key in std::iter::once(value).chain(&more) {
        let next = current.get_item(key)?;
        if next.is_undefined() {
            let shown = if key.kind() == ValueKind::String {
                format!("'{key}'")
            } else {
                text(key)
            };
            return Err(undefined(
                &text(key),
                format!(
                    "object of type '{}' has no attribute {shown}",
                    type_name(&current)
                ),
            ));
        }
        current = check(next)?;
    }
    Ok(current)
}
