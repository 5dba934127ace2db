//! Chance, and with a seed the chance that Python has with it.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, items};
use crate::error::invalid;
use crate::python::{py_str, type_name};
use crate::python_random::PythonRandom;

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(environment, &[("random", random), ("shuffle", shuffle)]);
}

fn seeded(seed: Option<&Value>) -> Result<PythonRandom, Error> {
    match seed.filter(|seed| !seed.is_none()) {
        None => Ok(PythonRandom::from_entropy()),
        Some(seed) => match (seed.kind(), i64::try_from(seed.clone())) {
            (ValueKind::String, _) => Ok(PythonRandom::from_text(&py_str(seed))),
            (ValueKind::Bool, _) => Ok(PythonRandom::from_number(i64::from(seed.is_true()))),
            (ValueKind::Number, Ok(number)) if seed.is_integer() => {
                Ok(PythonRandom::from_number(number))
            }
            _ => Err(invalid(format!(
                "a seed has to be text or a whole number, not {}",
                type_name(seed)
            ))),
        },
    }
}

fn random(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let (start, step) = (args.whole(0, "start")?, args.whole(1, "step")?);
    let mut random = seeded(args.get(2, "seed").as_ref())?;
    if value.kind() == ValueKind::Number && value.is_integer() {
        let end = i64::try_from(value.clone()).map_err(|_| invalid("the number is too large"))?;
        let (start, step) = (
            start.unwrap_or_default(),
            step.filter(|step| *step != 0).unwrap_or(1),
        );
        let width = i128::from(end) - i128::from(start);
        let count = u64::try_from(
            (width + i128::from(step) - i128::from(step.signum())) / i128::from(step),
        )
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| {
            invalid(format!(
                "there is no number from {start} to {end} by {step}"
            ))
        })?;
        let drawn = i128::from(start) + i128::from(step) * i128::from(random.below(count));
        return Ok(Value::from(i64::try_from(drawn).unwrap_or(start)));
    }
    if matches!(
        value.kind(),
        ValueKind::Number | ValueKind::Bool | ValueKind::None
    ) {
        return Err(invalid(
            "random can only be used on lists and whole numbers",
        ));
    }
    if start.is_some_and(|start| start != 0) || step.is_some_and(|step| step != 0) {
        return Err(invalid(
            "start and step can only be used with whole numbers",
        ));
    }
    let items = items(value)?;
    random
        .choose(&items)
        .cloned()
        .ok_or_else(|| invalid("random of an empty list"))
}

fn shuffle(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let Ok(mut items) = items(value) else {
        return Ok(value.clone());
    };
    let seed = args.get(0, "seed").filter(Value::is_true);
    seeded(seed.as_ref())?.shuffle(&mut items);
    Ok(Value::from(items))
}
