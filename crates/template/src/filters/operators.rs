//! Operators and lookups of attributes, as Python has them. Only rewritten templates call these.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::convert::check;
use crate::error::{invalid, undefined};
use crate::filters::items;
use crate::filters::percent::format_percent;
use crate::python::{is_list, is_map, py_str, type_name};

pub(crate) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("\u{1}attribute", attribute);
    environment.add_filter("\u{1}item", item);
    environment.add_filter("\u{1}same", |value: Value| value);
    environment.add_filter("\u{1}changeable", crate::mutable::changeable);
    environment.add_filter("\u{1}each", |value: Value| match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::Number => items(&value).map(Value::from),
        _ => Ok(value),
    });
    environment.add_filter("\u{1}slice", slice);
    environment.add_filter("\u{1}mod", modulo);
    environment.add_filter("\u{1}concat", concat);
    environment.add_filter("\u{1}add", add);
    environment.add_filter("\u{1}div", divide);
    environment.add_filter("\u{1}sub", subtract);
    environment.add_filter("\u{1}in", |item: Value, whole: Value| {
        contains(&whole, &item)
    });
    environment.add_filter("\u{1}notin", |item: Value, whole: Value| {
        contains(&whole, &item).map(|found| !found)
    });
    environment.add_filter("\u{1}lt", |a: Value, b: Value| {
        ordered("<", &a, &b).map(Ordering::is_lt)
    });
    environment.add_filter("\u{1}le", |a: Value, b: Value| {
        ordered("<=", &a, &b).map(Ordering::is_le)
    });
    environment.add_filter("\u{1}gt", |a: Value, b: Value| {
        ordered(">", &a, &b).map(Ordering::is_gt)
    });
    environment.add_filter("\u{1}ge", |a: Value, b: Value| {
        ordered(">=", &a, &b).map(Ordering::is_ge)
    });
}

fn attribute(value: &Value, name: &str) -> Result<Value, Error> {
    defined(value)?;
    if let Some(found) = found(value.get_attr(name)?) {
        return check(found);
    }
    if let Ok(index) = name.parse::<i64>()
        && let Some(found) = found(value.get_item(&Value::from(index))?)
    {
        return check(found);
    }
    Err(undefined(
        name,
        format!(
            "object of type '{}' has no attribute '{name}'",
            type_name(value)
        ),
    ))
}

fn item(value: &Value, key: &Value) -> Result<Value, Error> {
    defined(value)?;
    defined(key)?;
    if let Some(found) = found(value.get_item(key)?) {
        return check(found);
    }
    let shown = if key.kind() == ValueKind::String {
        format!("'{key}'")
    } else {
        py_str(key)
    };
    Err(undefined(
        &py_str(key),
        format!(
            "object of type '{}' has no attribute {shown}",
            type_name(value)
        ),
    ))
}

/// A slice with a step, which may go backwards.
fn slice(value: &Value, start: &Value, stop: &Value, step: &Value) -> Result<Value, Error> {
    defined(value)?;
    let whole = |part: &Value| -> Result<Option<i64>, Error> {
        match part.as_i64() {
            Some(number) => Ok(Some(number)),
            None if part.is_none() => Ok(None),
            None => Err(invalid("slice indices must be integers or null")),
        }
    };
    let (start, stop, step) = (whole(start)?, whole(stop)?, whole(step)?.unwrap_or(1));
    let length = i64::try_from(value.len().unwrap_or(0)).unwrap_or(i64::MAX);
    let (low, high) = if step < 0 {
        (-1, length - 1)
    } else {
        (0, length)
    };
    let place = |at: i64| (if at < 0 { at + length } else { at }).clamp(low, high);
    let (first, end) = if step < 0 { (high, low) } else { (low, high) };
    let mut at = start.map_or(first, place);
    let end = stop.map_or(end, place);
    let all = items(value)?;
    let mut picked = Vec::new();
    match step {
        0 => return Err(invalid("slice step cannot be zero")),
        _ => {
            while (step > 0 && at < end) || (step < 0 && at > end) {
                picked.extend(usize::try_from(at).ok().and_then(|at| all.get(at)).cloned());
                at = at.saturating_add(step);
            }
        }
    }
    Ok(match value.as_str() {
        Some(_) => Value::from(picked.iter().map(py_str).collect::<String>()),
        None if value.is_tuple() => Value::from(minijinja::value::Tuple::from(picked)),
        None => Value::from(picked),
    })
}

fn found(value: Value) -> Option<Value> {
    (!value.is_undefined()).then_some(value)
}

/// Refuses a value that does not exist.
pub(crate) fn defined(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        Err(Error::from(ErrorKind::UndefinedError))
    } else {
        Ok(())
    }
}

fn modulo(left: &Value, right: &Value) -> Result<Value, Error> {
    defined(left)?;
    defined(right)?;
    if let Some(format) = left.as_str() {
        return format_percent(format, right).map(Value::from);
    }
    if let (Ok(a), Ok(b)) = (i128::try_from(left.clone()), i128::try_from(right.clone())) {
        if b == 0 {
            return Err(invalid("integer modulo by zero"));
        }
        return Ok(small(a.checked_rem_euclid(b).map_or(0, |rest| {
            if b < 0 && rest != 0 { rest + b } else { rest }
        })));
    }
    let (a, b) = floats("%", left, right)?;
    if b == 0.0 {
        return Err(invalid("float modulo by zero"));
    }
    let rest = a % b;
    Ok(Value::from(if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }))
}

fn small(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| Value::from(value), Value::from)
}

fn floats(operator: &str, left: &Value, right: &Value) -> Result<(f64, f64), Error> {
    match (f64::try_from(left.clone()), f64::try_from(right.clone())) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        _ => Err(unsupported(operator, left, right)),
    }
}

fn unsupported(operator: &str, left: &Value, right: &Value) -> Error {
    invalid(format!(
        "unsupported operand type(s) for {operator}: '{}' and '{}'",
        type_name(left),
        type_name(right)
    ))
}

fn divide(left: &Value, right: &Value) -> Result<Value, Error> {
    defined(left)?;
    defined(right)?;
    let (a, b) = floats("/", left, right)?;
    if b == 0.0 {
        Err(invalid("division by zero"))
    } else {
        Ok(Value::from(a / b))
    }
}

fn written(value: &Value) -> Result<String, Error> {
    crate::python::try_str(value)
}

fn concat(left: &Value, right: &Value) -> Result<Value, Error> {
    defined(left)?;
    defined(right)?;
    Ok(Value::from(written(left)? + &written(right)?))
}

pub(crate) fn add(left: &Value, right: &Value) -> Result<Value, Error> {
    defined(left)?;
    defined(right)?;
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        return Ok(Value::from([a, b].concat()));
    }
    if is_list(left) && is_list(right) && left.is_tuple() == right.is_tuple() {
        let items = left
            .try_iter()?
            .checked()
            .chain(right.try_iter()?.checked())
            .collect::<Result<Vec<_>, _>>()?;
        return Ok(Value::from(items));
    }
    if let (Ok(a), Ok(b)) = (i128::try_from(left.clone()), i128::try_from(right.clone()))
        && is_whole(left)
        && is_whole(right)
    {
        return a
            .checked_add(b)
            .map(small)
            .ok_or_else(|| invalid("the number is too large"));
    }
    if left.as_str().is_some() {
        return Err(invalid(format!(
            "can only concatenate str (not \"{}\") to str",
            type_name(right)
        )));
    }
    let (a, b) = (python_float(left), python_float(right));
    let (Some(a), Some(b)) = (a, b) else {
        return Err(unsupported("+", left, right));
    };
    Ok(Value::from(a + b))
}

/// A number as a float; true is 1.
fn python_float(value: &Value) -> Option<f64> {
    if value.kind() == ValueKind::Bool {
        return Some(f64::from(u8::from(value.is_true())));
    }
    f64::try_from(value.clone()).ok()
}

fn subtract(left: &Value, right: &Value) -> Result<Value, Error> {
    defined(left)?;
    defined(right)?;
    if let Some(span) = super::dates::between(left, right) {
        return Ok(span);
    }
    if is_whole(left) && is_whole(right) {
        let (a, b) = (
            i128::try_from(left.clone())?,
            i128::try_from(right.clone())?,
        );
        return a
            .checked_sub(b)
            .map(small)
            .ok_or_else(|| invalid("the number is too large"));
    }
    let (a, b) = floats("-", left, right)?;
    Ok(Value::from(a - b))
}

fn is_whole(value: &Value) -> bool {
    value.is_integer() || value.kind() == ValueKind::Bool
}

/// Compares as Python does: only values of like types have an order.
pub(crate) fn ordered(operator: &str, left: &Value, right: &Value) -> Result<Ordering, Error> {
    defined(left)?;
    defined(right)?;
    let is_moment = |value: &Value| value.downcast_object_ref::<super::Moment>().is_some();
    if is_moment(left) && is_moment(right) {
        return Ok(left.cmp(right));
    }
    let number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    let comparable = (number(left) && number(right))
        || (left.as_str().is_some() && right.as_str().is_some())
        || (is_list(left) && is_list(right));
    if !comparable {
        return Err(invalid(format!(
            "'{operator}' not supported between instances of '{}' and '{}'",
            type_name(left),
            type_name(right)
        )));
    }
    let whole = |value: &Value| {
        if value.kind() == ValueKind::Bool {
            Value::from(i64::from(value.is_true()))
        } else {
            value.clone()
        }
    };
    Ok(whole(left).cmp(&whole(right)))
}

/// True where a list holds an item, a mapping a key, or a text another.
pub(crate) fn contains(whole: &Value, part: &Value) -> Result<bool, Error> {
    defined(whole)?;
    defined(part)?;
    if is_map(whole) {
        return Ok(!whole.get_item(part)?.is_undefined());
    }
    if let Some(text) = whole.as_str() {
        let part = part.as_str().ok_or_else(|| {
            invalid(format!(
                "'in <string>' requires string as left operand, not {}",
                type_name(part)
            ))
        })?;
        return Ok(text.contains(part));
    }
    Ok(items(whole)?.contains(part))
}
