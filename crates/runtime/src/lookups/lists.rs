//! Lookups that only rearrange what they are given.

use rustle_module::{py_str, py_type};
use rustle_template::PythonRandom;
use serde_json::{Value, json};

use super::Found;

fn as_list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    }
}

/// The items, and those of lists among them.
pub(super) fn items(terms: &[Value]) -> Vec<Value> {
    terms.iter().flat_map(as_list).collect()
}

/// The items, and those of all lists in lists.
pub(super) fn flattened(terms: &[Value]) -> Vec<Value> {
    let flat = |term: &Value| match term {
        Value::Array(items) => flattened(items),
        other => vec![other.clone()],
    };
    terms.iter().flat_map(flat).collect()
}

/// The entries of mappings.
pub(super) fn dict(terms: &[Value]) -> Found {
    let mut items = Vec::new();
    for term in terms {
        let Value::Object(map) = term else {
            return Err(format!(
                "a mapping is needed, and `{}` is of type '{}'",
                py_str(term),
                py_type(term)
            ));
        };
        let entries = map
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}));
        items.extend(entries);
    }
    Ok(items)
}

/// The items with their numbers from 0.
pub(super) fn indexed_items(terms: &[Value]) -> Vec<Value> {
    let items = items(terms).into_iter().enumerate();
    items.map(|(index, item)| json!([index, item])).collect()
}

/// The first items of all lists, then the second ones; shorter lists are filled with null.
pub(super) fn together(lists: &[Value]) -> Found {
    if lists.is_empty() {
        return Err("at least one list is needed".into());
    }
    let lists: Vec<Vec<Value>> = lists.iter().map(as_list).collect();
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |index: usize| {
        let row: Vec<Value> = lists
            .iter()
            .map(|list| list.get(index).cloned().unwrap_or(Value::Null))
            .collect();
        Value::Array(items(&row))
    };
    Ok((0..longest).map(row).collect())
}

/// Every combination of one item of each list, the last list turning fastest.
pub(super) fn nested(lists: &[Value]) -> Found {
    let Some((first, others)) = lists.split_first() else {
        return Err("at least one list is needed".into());
    };
    let mut rows: Vec<Vec<Value>> = as_list(first).iter().map(as_list).collect();
    for list in others.iter().map(as_list) {
        let extend = |row: &Vec<Value>| -> Vec<Vec<Value>> {
            let with = |item: &Value| row.iter().cloned().chain(as_list(item)).collect();
            list.iter().map(with).collect()
        };
        rows = rows.iter().flat_map(extend).collect();
    }
    Ok(rows.into_iter().map(Value::Array).collect())
}

/// One of the items.
pub(super) fn random_choice(terms: &[Value]) -> Vec<Value> {
    let chosen = PythonRandom::from_entropy().choose(terms).cloned();
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_combine_and_zip() {
        assert_eq!(
            nested(&[json!(["a", "b"]), json!([1, 2])]).unwrap(),
            [
                json!(["a", 1]),
                json!(["a", 2]),
                json!(["b", 1]),
                json!(["b", 2])
            ]
        );
        assert_eq!(
            nested(&[json!([["a", "b"]]), json!([1])]).unwrap(),
            [json!(["a", "b", 1])]
        );
        assert_eq!(
            together(&[json!([1, 2]), json!(["a"])]).unwrap(),
            [json!([1, "a"]), json!([2, null])]
        );
        assert!(nested(&[]).is_err() && together(&[]).is_err());
    }

    #[test]
    fn items_flatten_one_level_and_flattened_all() {
        let terms = [json!(1), json!([2, [3]])];
        assert_eq!(items(&terms), [json!(1), json!(2), json!([3])]);
        assert_eq!(flattened(&terms), [1, 2, 3]);
        assert_eq!(indexed_items(&[json!(["q"])]), [json!([0, "q"])]);
        assert_eq!(
            dict(&[json!({"a": 1})]).unwrap(),
            [json!({"key": "a", "value": 1})]
        );
        assert!(dict(&[json!([1])]).is_err());
        assert_eq!(random_choice(&[json!(7)]), [7]);
    }
}
