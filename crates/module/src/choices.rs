//! Whether values are among the accepted ones.

use rustle_types::Object;
use serde_json::Value;

use crate::args::ArgError;
use crate::coerce::as_bool;
use crate::pyrepr::py_str;
use crate::spec::Opt;

/// Checks that a value is one of the accepted ones. A truth value stands for the one word among them that means it, as YAML
/// reads `yes` and `no` as truth values.
pub(crate) fn check_choices(option: &Opt, args: &mut Object) -> Result<(), ArgError> {
    let Some(value) = args
        .get_mut(option.name)
        .filter(|v| !v.is_null() && !option.choices.is_empty())
    else {
        return Ok(());
    };
    let is_list = value.is_array();
    let values: &mut [Value] = match value {
        Value::Array(items) => items,
        single => std::slice::from_mut(single),
    };
    let strange = strange_choices(option, values);
    if strange.is_empty() {
        return Ok(());
    }
    Err(ArgError::Choice {
        name: option.name.into(),
        is_list,
        choices: option.choices.join(", "),
        found: strange.join(", "),
    })
}

/// Which of the (coerced) values are not accepted, as text; words for truth values are put in place.
pub(crate) fn strange_choices(option: &Opt, values: &mut [Value]) -> Vec<String> {
    let mut strange = Vec::new();
    for value in values {
        let text = py_str(value);
        if option.choices.contains(&text.as_str()) {
            continue;
        }
        match word_for(&text, option.choices) {
            Some(word) => *value = Value::String(word.into()),
            None => strange.push(text),
        }
    }
    strange
}

/// The only choice that means what `True` or `False` does.
fn word_for(text: &str, choices: &'static [&'static str]) -> Option<&'static str> {
    let meant = match text {
        "True" => true,
        "False" => false,
        _ => return None,
    };
    let means = |choice: &&&str| as_bool(&Value::String((**choice).into())) == Some(meant);
    let mut words = choices.iter().filter(means);
    let word = words.next()?;
    words.next().is_none().then_some(*word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Type;
    use serde_json::json;

    #[test]
    fn truth_values_become_the_word_that_means_them() {
        let one_word = Opt::new("state", Type::Str).choices(&["yes", "no", "5"]);
        let two_words = Opt::new("state", Type::Str).choices(&["yes", "on"]);
        for (option, given, expected) in [
            (&one_word, json!("False"), json!("no")),
            (&one_word, json!("5"), json!("5")),
            (&one_word, json!(["True", "no"]), json!(["yes", "no"])),
            (&one_word, Value::Null, Value::Null),
        ] {
            let mut args = Object::from_iter([("state".to_owned(), given)]);
            assert_eq!(check_choices(option, &mut args), Ok(()));
            assert_eq!(args["state"], expected);
        }
        let mut args = Object::from_iter([("state".to_owned(), json!("True"))]);
        let error = check_choices(&two_words, &mut args).expect_err("it means two words");
        let expected = "value of state must be one of: yes, on, got: True";
        assert_eq!(error.to_string(), expected);
    }
}
