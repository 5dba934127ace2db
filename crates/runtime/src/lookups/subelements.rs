//! `subelements`: a list of mappings, each with every item of a list that is in it.

use rustle_module::{as_bool, py_str, py_type};
use serde_json::{Value, json};

use super::Found;

/// Pairs of a mapping, without the list, and an item of the list.
pub(super) fn subelements(terms: &[Value]) -> Found {
    let shape =
        "expected a list or a mapping, the name of a list in each of them, and flags if need be";
    let (elements, path, flags) = match terms {
        [elements, Value::String(path)] => (elements, path, None),
        [elements, Value::String(path), flags] => (elements, path, Some(flags)),
        _ => return Err(shape.into()),
    };
    let elements: Vec<&Value> = match elements {
        Value::Array(items) => items.iter().collect(),
        Value::Object(_) if is_skipped(elements) => return Ok(Vec::new()),
        Value::Object(map) => map.values().collect(),
        _ => return Err(shape.into()),
    };
    let skips = flags
        .and_then(|flags| flags.get("skip_missing"))
        .and_then(as_bool)
        .unwrap_or(false);
    let keys: Vec<&str> = path.split('.').collect();
    let mut pairs = Vec::new();
    for element in elements {
        if !element.is_object() {
            return Err(format!(
                "a mapping is needed, and `{}` is of type '{}'",
                py_str(element),
                py_type(element)
            ));
        }
        if is_skipped(element) {
            continue;
        }
        let mut element = element.clone();
        let items = match taken(&mut element, &keys) {
            Ok(items) => items,
            Err(Missing::Key(_)) if skips => continue,
            Err(Missing::Key(reason) | Missing::List(reason)) => return Err(reason),
        };
        pairs.extend(items.into_iter().map(|item| json!([element, item])));
    }
    Ok(pairs)
}

fn is_skipped(value: &Value) -> bool {
    value
        .get("skipped")
        .is_some_and(|skipped| *skipped != Value::Bool(false))
}

enum Missing {
    Key(String),
    List(String),
}

/// Takes the list out of the mapping.
fn taken(element: &mut Value, keys: &[&str]) -> Result<Vec<Value>, Missing> {
    let shown = py_str(element);
    let Some((last, inner)) = keys.split_last() else {
        return Ok(Vec::new());
    };
    let mut map = element;
    for key in inner {
        map = map
            .get_mut(*key)
            .ok_or_else(|| Missing::Key(format!("there is no `{key}` in `{shown}`")))?;
        if !map.is_object() {
            return Err(Missing::Key(format!(
                "`{key}` has to be a mapping, in `{shown}`"
            )));
        }
    }
    let found = map.as_object_mut().and_then(|map| map.shift_remove(*last));
    match found {
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Missing::List(format!(
            "`{last}` has to be a list, in `{shown}`"
        ))),
        None => Err(Missing::Key(format!("there is no `{last}` in `{shown}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mapping_comes_with_each_item_of_its_list() {
        let users = json!([{"n": "a", "k": ["x", "y"]}, {"n": "b", "k": ["z"]}, {"n": "c"}]);
        let pairs =
            subelements(&[users.clone(), json!("k"), json!({"skip_missing": true})]).unwrap();
        assert_eq!(
            pairs,
            [
                json!([{"n": "a"}, "x"]),
                json!([{"n": "a"}, "y"]),
                json!([{"n": "b"}, "z"])
            ]
        );
        assert_eq!(
            subelements(&[users, json!("k")]).unwrap_err(),
            "there is no `k` in `{'n': 'c'}`"
        );
        let deep = json!({"one": {"m": {"k": [1]}}});
        assert_eq!(
            subelements(&[deep, json!("m.k")]).unwrap(),
            [json!([{"m": {}}, 1])]
        );
        assert!(subelements(&[json!([])]).is_err());
    }
}
