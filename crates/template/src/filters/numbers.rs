//! Numbers, truth and sizes.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, text};
use crate::error::invalid;
use crate::python::{py_repr, type_name};

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("int", int),
            ("float", float),
            ("abs", abs),
            ("round", round),
            ("bool", |value, _| Ok(Value::from(to_bool(value)))),
            ("log", log),
            ("pow", pow),
            ("root", root),
            ("human_readable", human_readable),
            ("human_to_bytes", human_to_bytes),
            ("filesizeformat", filesizeformat),
            ("ternary", ternary),
        ],
    );
    environment.add_filter("type_debug", |value: Value| type_name(&value));
}

/// What Ansible takes for true.
pub(crate) fn to_bool(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Bool => value.is_true(),
        ValueKind::String => matches!(
            text(value).to_lowercase().as_str(),
            "yes" | "on" | "true" | "1"
        ),
        ValueKind::Number => f64::try_from(value.clone()).is_ok_and(|number| number == 1.0),
        _ => false,
    }
}

fn parse_whole(body: &str, base: u32) -> Option<i128> {
    let body = body.trim().to_ascii_lowercase();
    let (negative, digits) = match body.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, body.strip_prefix('+').unwrap_or(&body)),
    };
    let prefix = match base {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        _ => "\0",
    };
    let digits = digits.strip_prefix(prefix).unwrap_or(digits);
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), base)
        .ok()
        .filter(|_| !digits.starts_with(['+', '-']))?;
    Some(if negative { -number } else { number })
}

fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

/// A float as Python reads it from text.
fn parse_float(body: &str) -> Option<f64> {
    let body = body.trim();
    let valid = |char: char| char.is_ascii_alphanumeric() || "+-._".contains(char);
    if body.is_empty() || !body.chars().all(valid) {
        return None;
    }
    body.replace('_', "").parse().ok()
}

fn truncated(float: f64) -> Option<Value> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked before"
    )]
    (float.is_finite() && float.abs() < 1e38).then(|| whole(float.trunc() as i128))
}

fn int(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let default = args.get(0, "default").unwrap_or_else(|| Value::from(0));
    let mut wanted = args.whole(1, "base")?.unwrap_or(10);
    if wanted == 0 {
        // The text says itself what it is written in.
        wanted = match text(value).trim_start_matches(['-', '+']).get(..2) {
            Some("0x" | "0X") => 16,
            Some("0o" | "0O") => 8,
            Some("0b" | "0B") => 2,
            _ => 10,
        };
    }
    let base = u32::try_from(wanted)
        .ok()
        .filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| invalid("int() base must be >= 2 and <= 36"))?;
    let found = match value.kind() {
        ValueKind::Bool => Some(Value::from(i64::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => Some(value.clone()),
        ValueKind::Number => f64::try_from(value.clone()).ok().and_then(truncated),
        ValueKind::String => {
            let body = text(value);
            parse_whole(&body, base)
                .map(whole)
                .or_else(|| parse_float(&body).and_then(truncated))
        }
        _ => None,
    };
    Ok(found.unwrap_or(default))
}

fn float(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let default = args.get(0, "default").unwrap_or_else(|| Value::from(0.0));
    let found = match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => parse_float(&text(value)),
        _ => None,
    };
    Ok(found.map_or(default, Value::from))
}

fn number(value: &Value, name: &str) -> Result<f64, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()),
        _ => Err(invalid(format!(
            "{name}() can only be used on numbers: must be real number, not {}",
            type_name(value)
        ))),
    }
}

fn abs(value: &Value, _: &Arguments) -> Result<Value, Error> {
    match i128::try_from(value.clone()) {
        Ok(number) if value.is_integer() || value.kind() == ValueKind::Bool => {
            Ok(whole(number.saturating_abs()))
        }
        _ => Ok(Value::from(number(value, "abs")?.abs())),
    }
}

fn round(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let digits = i32::try_from(args.whole(0, "precision")?.unwrap_or(0))
        .unwrap_or(0)
        .clamp(-300, 300);
    let float = number(value, "round")?;
    let rounded = match args.text_or(1, "method", "common").as_str() {
        "common" if value.is_integer() && digits >= 0 => return Ok(value.clone()),
        "common" => round_half_even(float, digits),
        "ceil" => (float * 10f64.powi(digits)).ceil() / 10f64.powi(digits),
        "floor" => (float * 10f64.powi(digits)).floor() / 10f64.powi(digits),
        _ => return Err(invalid("method must be common, ceil or floor")),
    };
    if value.is_integer() && args.text_or(1, "method", "common") == "common" {
        return Ok(truncated(rounded).unwrap_or_else(|| Value::from(rounded)));
    }
    Ok(Value::from(rounded))
}

fn round_half_even(float: f64, digits: i32) -> f64 {
    match usize::try_from(digits) {
        Ok(digits) => format!("{float:.digits$}").parse().unwrap_or(float),
        Err(_) => (float / 10f64.powi(-digits)).round_ties_even() * 10f64.powi(-digits),
    }
}

fn log(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let float = number(value, "log")?;
    if float <= 0.0 {
        return Err(invalid("log() failed: math domain error"));
    }
    let base = args
        .get(0, "base")
        .map(|base| number(&base, "log"))
        .transpose()?;
    Ok(Value::from(match base {
        None => float.ln(),
        Some(10.0) => float.log10(),
        Some(base) => float.ln() / base.ln(),
    }))
}

fn pow(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let (x, y) = (
        number(value, "pow")?,
        number(&args.required(0, "y")?, "pow")?,
    );
    let power = x.powf(y);
    if power.is_nan() || (x == 0.0 && y < 0.0) {
        return Err(invalid("pow() failed: math domain error"));
    }
    Ok(Value::from(power))
}

fn root(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let float = number(value, "root")?;
    let base = args
        .get(0, "base")
        .map_or(Ok(2.0), |base| number(&base, "root"))?;
    if base == 0.0 || float < 0.0 {
        return Err(invalid("root() failed: math domain error"));
    }
    Ok(Value::from(if base == 2.0 {
        float.sqrt()
    } else {
        float.powf(1.0 / base)
    }))
}

const UNITS: [(char, u32); 8] = [
    ('Y', 80),
    ('Z', 70),
    ('E', 60),
    ('P', 50),
    ('T', 40),
    ('G', 30),
    ('M', 20),
    ('K', 10),
];

fn human_readable(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let bits = args.flag(0, "isbits", false);
    let wanted = args.text(1, "unit").map(|unit| unit.to_uppercase());
    let size = match value.as_str() {
        Some(body) => parse_float(body).ok_or_else(|| {
            invalid(format!(
                "human_readable() can't interpret following string: {body}"
            ))
        })?,
        None => number(value, "human_readable")?,
    };
    let base = if bits { "bits" } else { "Bytes" };
    let unit = UNITS.iter().find(|(letter, power)| match &wanted {
        None => size >= 2f64.powi(i32::try_from(*power).unwrap_or(0)),
        Some(wanted) => wanted.starts_with(*letter),
    });
    let (limit, suffix) = match unit {
        Some((letter, power)) => (
            2f64.powi(i32::try_from(*power).unwrap_or(0)),
            format!("{letter}{}", if bits { 'b' } else { 'B' }),
        ),
        None => (1.0, base.to_owned()),
    };
    Ok(Value::from(format!("{:.2} {suffix}", size / limit)))
}

fn human_to_bytes(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let bits = args.flag(1, "isbits", false);
    let body = text(value);
    let fail = || {
        invalid(format!(
            "human_to_bytes() can't interpret following string: {body}"
        ))
    };
    let trimmed = body.trim();
    let at = trimmed
        .find(|char: char| !(char.is_ascii_digit() || char == '.'))
        .unwrap_or(trimmed.len());
    let (digits, unit) = trimmed.split_at(at);
    let amount: f64 = digits.parse().map_err(|_| fail())?;
    let unit = Some(unit.trim().to_owned())
        .filter(|unit| !unit.is_empty())
        .or_else(|| args.text(0, "default_unit"));
    let Some(unit) = unit else {
        return Ok(truncated(amount.round_ties_even()).unwrap_or_default());
    };
    let letter = unit
        .chars()
        .next()
        .map_or(' ', |letter| letter.to_ascii_uppercase());
    let power = match UNITS.iter().find(|(known, _)| *known == letter) {
        Some((_, power)) => *power,
        None if letter == 'B' => 0,
        None => {
            return Err(invalid(format!(
                "human_to_bytes() failed to convert {body} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
            )));
        }
    };
    if let (1, Some(class)) = (usize::from(unit.len() > 1), unit.chars().nth(1)) {
        let whole_word = unit.to_lowercase();
        let word = if bits { "bit" } else { "byte" };
        let good = if power == 0 {
            whole_word.starts_with(word)
        } else {
            class == if bits { 'b' } else { 'B' } || is_unit_word(&whole_word, word)
        };
        if !good {
            return Err(invalid(format!(
                "human_to_bytes() failed to convert {body}. Value is not a valid string ({word}s expected)"
            )));
        }
    }
    Ok(
        truncated((amount * 2f64.powi(i32::try_from(power).unwrap_or(0))).round_ties_even())
            .unwrap_or_default(),
    )
}

/// True for `megabyte` and the like.
fn is_unit_word(unit: &str, word: &str) -> bool {
    const PREFIXES: [&str; 8] = [
        "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta",
    ];
    unit[1..].starts_with(word)
        || PREFIXES.iter().any(|prefix| {
            unit.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(word))
        })
}

fn filesizeformat(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let binary = args.flag(0, "binary", false);
    let size = match value.as_str() {
        Some(body) => parse_float(body).ok_or_else(|| {
            invalid(format!(
                "could not convert string to float: {}",
                py_repr(value)
            ))
        })?,
        None => number(value, "filesizeformat")?,
    };
    let base = if binary { 1024.0 } else { 1000.0 };
    if size == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if size < base {
        return Ok(Value::from(format!("{} Bytes", size.trunc())));
    }
    let names = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = base;
    for (index, name) in names.iter().enumerate() {
        if size < unit * base || index == names.len() - 1 {
            let name = if binary {
                format!("{}iB", name.to_uppercase())
            } else {
                format!("{name}B")
            };
            return Ok(Value::from(format!("{:.1} {name}", size / unit)));
        }
        unit *= base;
    }
    Ok(Value::from(text(value)))
}

fn ternary(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let (yes, no) = (
        args.required(0, "true_val")?,
        args.required(1, "false_val")?,
    );
    Ok(
        match args.get(2, "none_val").filter(|none| !none.is_none()) {
            Some(none) if value.is_none() => none,
            _ if value.is_true() => yes,
            _ => no,
        },
    )
}
