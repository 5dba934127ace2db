//! What `set_stats` leaves: numbers add up, lists and texts follow each other, mappings are joined.

use rustle_types::{JsonValue as Value, Object};

/// Adds what belongs to a host, or to `_run`.
pub(super) fn add(stats: &mut Object, whose: &str, data: &Object, aggregates: bool) {
    let entry = stats
        .entry(whose)
        .or_insert_with(|| Value::Object(Object::new()));
    let Value::Object(known) = entry else { return };
    for (name, value) in data {
        let sum = match known.get(name).filter(|_| aggregates) {
            Some(old) => sum(old, value),
            None => value.clone(),
        };
        known.insert(name.clone(), sum);
    }
}

/// Both together; of two values that do not go together the new one.
fn sum(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.saturating_add(b).into(),
            _ => (a.as_f64().unwrap_or(0.0) + b.as_f64().unwrap_or(0.0)).into(),
        },
        (Value::String(a), Value::String(b)) => format!("{a}{b}").into(),
        (Value::Array(a), Value::Array(b)) => a.iter().chain(b).cloned().collect(),
        (Value::Object(a), Value::Object(b)) => {
            let mut joined = a.clone();
            joined.extend(b.clone());
            Value::Object(joined)
        }
        (_, new) => new.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(steps: &[(&str, &str, bool)]) -> Value {
        let mut stats = Object::new();
        for (whose, data, aggregates) in steps {
            let data: Object = serde_json::from_str(data).unwrap();
            add(&mut stats, whose, &data, *aggregates);
        }
        Value::Object(stats)
    }

    #[test]
    fn stats_add_up_unless_they_are_told_not_to() {
        let all = stats(&[
            ("_run", r#"{"n": 1, "l": ["a"], "t": "x"}"#, true),
            ("_run", r#"{"n": 2, "l": ["b"], "t": "y"}"#, true),
            ("web1", r#"{"n": 5}"#, true),
            ("web1", r#"{"n": 7}"#, false),
        ]);
        let expected = r#"{"_run": {"n": 3, "l": ["a", "b"], "t": "xy"}, "web1": {"n": 7}}"#;
        assert_eq!(all, serde_json::from_str::<Value>(expected).unwrap());
    }
}
