//! Python's `%` formatting.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use crate::error::invalid;
use crate::python::{is_map, py_repr, py_str, type_name};

/// One `%…` of a format.
#[derive(Debug, Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The widest that a field may be, against formats that ask for gigabytes.
const MAX_WIDTH: usize = 10_000;

/// What `format % argument` gives.
pub(crate) fn format_percent(format: &str, argument: &Value) -> Result<String, Error> {
    let mut arguments: Vec<Value> = if argument.is_tuple() {
        argument.try_iter()?.collect()
    } else {
        vec![argument.clone()]
    };
    arguments.reverse();
    let mut out = String::with_capacity(format.len());
    let mut chars = format.chars().peekable();
    let mut named = false;
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let mut key = None;
        if chars.peek() == Some(&'(') {
            chars.next();
            key = Some(
                chars
                    .by_ref()
                    .take_while(|next| *next != ')')
                    .collect::<String>(),
            );
        }
        let mut next = || {
            arguments
                .pop()
                .ok_or_else(|| invalid("not enough arguments for format string"))
        };
        let spec = read_spec(&mut chars, &mut next)?;
        let conversion = chars.next().ok_or_else(|| invalid("incomplete format"))?;
        if conversion == '%' {
            out.push('%');
            continue;
        }
        let value = match key {
            Some(key) => {
                named = true;
                if !is_map(argument) {
                    return Err(invalid("format requires a mapping"));
                }
                let value = argument.get_attr(&key)?;
                if value.is_undefined() {
                    return Err(invalid(format!(
                        "the format's key `{key}` is not in the mapping"
                    )));
                }
                value
            }
            None => next()?,
        };
        out.push_str(&convert(&spec, conversion, &value)?);
    }
    if !arguments.is_empty() && !named && !is_map(argument) {
        return Err(invalid(
            "not all arguments converted during string formatting",
        ));
    }
    Ok(out)
}

fn read_spec(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    next: &mut impl FnMut() -> Result<Value, Error>,
) -> Result<Spec, Error> {
    let mut spec = Spec::default();
    while let Some(flag) = chars.peek() {
        match flag {
            '-' => spec.left = true,
            '+' => spec.plus = true,
            ' ' => spec.space = true,
            '0' => spec.zero = true,
            '#' => spec.alternate = true,
            _ => break,
        }
        chars.next();
    }
    spec.width = read_number(chars, next)?.unwrap_or(0);
    if chars.peek() == Some(&'.') {
        chars.next();
        spec.precision = Some(read_number(chars, next)?.unwrap_or(0));
    }
    while matches!(chars.peek(), Some('h' | 'l' | 'L')) {
        chars.next();
    }
    Ok(spec)
}

fn read_number(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    next: &mut impl FnMut() -> Result<Value, Error>,
) -> Result<Option<usize>, Error> {
    if chars.peek() == Some(&'*') {
        chars.next();
        let given = next()?;
        return given
            .as_usize()
            .map(|number| Some(number.min(MAX_WIDTH)))
            .ok_or_else(|| invalid("* wants int"));
    }
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
        chars.next();
        number = Some((number.unwrap_or(0) * 10 + digit as usize).min(MAX_WIDTH));
    }
    Ok(number)
}

fn convert(spec: &Spec, conversion: char, value: &Value) -> Result<String, Error> {
    match conversion {
        's' | 'r' | 'a' | 'c' => Ok(pad(spec, textual(spec, conversion, value), false)),
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let number = integer(value, conversion)?;
            let text = based(spec, conversion, number.unsigned_abs());
            Ok(pad(spec, signed(spec, number < 0, &text), true))
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let number = f64::try_from(value.clone())
                .map_err(|_| invalid(format!("must be real number, not {}", type_name(value))))?;
            let text = float_text(spec, conversion, number.abs());
            let text = if conversion.is_ascii_uppercase() {
                text.to_uppercase()
            } else {
                text
            };
            let negative = number.is_sign_negative() && !number.is_nan();
            Ok(pad(spec, signed(spec, negative, &text), true))
        }
        other => Err(invalid(format!("unsupported format character '{other}'"))),
    }
}

fn textual(spec: &Spec, conversion: char, value: &Value) -> String {
    let code = || {
        value
            .as_i64()
            .and_then(|code| u32::try_from(code).ok())
            .and_then(char::from_u32)
    };
    let text = match conversion {
        's' => py_str(value),
        'c' => return code().map_or_else(|| py_str(value), String::from),
        _ => py_repr(value),
    };
    match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    }
}

/// A whole number in the base of the conversion.
fn based(spec: &Spec, conversion: char, number: u128) -> String {
    let (text, prefix) = match conversion {
        'x' => (format!("{number:x}"), "0x"),
        'X' => (format!("{number:X}"), "0X"),
        'o' => (format!("{number:o}"), "0o"),
        _ => (number.to_string(), ""),
    };
    let prefix = if spec.alternate { prefix } else { "" };
    format!("{prefix}{}", digits(spec, text))
}

fn integer(value: &Value, conversion: char) -> Result<i128, Error> {
    if let Ok(number) = i128::try_from(value.clone()) {
        return Ok(number);
    }
    match f64::try_from(value.clone()) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, which is as good as any answer here"
        )]
        Ok(float)
            if float.is_finite()
                && value.kind() == ValueKind::Number
                && "diu".contains(conversion) =>
        {
            Ok(float.trunc() as i128)
        }
        _ => Err(invalid(format!(
            "%{conversion} format: a real number is required, not {}",
            type_name(value)
        ))),
    }
}

fn digits(spec: &Spec, text: String) -> String {
    let least = spec.precision.unwrap_or(0);
    if text.len() < least {
        format!("{text:0>least$}")
    } else {
        text
    }
}

fn float_text(spec: &Spec, conversion: char, number: f64) -> String {
    let precision = spec.precision.unwrap_or(6);
    if !number.is_finite() {
        return if number.is_nan() { "nan" } else { "inf" }.to_owned();
    }
    match conversion.to_ascii_lowercase() {
        'f' => format!("{number:.precision$}"),
        'e' => scientific(number, precision),
        _ => general(number, precision.max(1), spec.alternate),
    }
}

fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let rounded = scientific(number, precision - 1);
    let exponent: i64 = rounded
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let wanted = i64::try_from(precision).unwrap_or(i64::MAX);
    let text = if exponent < -4 || exponent >= wanted {
        rounded
    } else {
        let decimals = usize::try_from(wanted - 1 - exponent).unwrap_or(0);
        format!("{number:.decimals$}")
    };
    if keep_zeros {
        return text;
    }
    let (mantissa, exponent) = text
        .split_once('e')
        .map_or((text.as_str(), None), |(m, e)| (m, Some(e)));
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    exponent.map_or_else(
        || mantissa.to_owned(),
        |exponent| format!("{mantissa}e{exponent}"),
    )
}

fn signed(spec: &Spec, negative: bool, text: &str) -> String {
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    format!("{sign}{text}")
}

fn pad(spec: &Spec, text: String, number: bool) -> String {
    let length = text.chars().count();
    if length >= spec.width {
        return text;
    }
    let missing = spec.width - length;
    if spec.left {
        text + &" ".repeat(missing)
    } else if spec.zero && number {
        let at = usize::from(text.starts_with(['-', '+', ' ']));
        format!("{}{}{}", &text[..at], "0".repeat(missing), &text[at..])
    } else {
        " ".repeat(missing) + &text
    }
}
