//! Plain scalars by the rules of YAML 1.1 as PyYAML has them.

use serde_json::{Number, Value};

/// The value of a plain scalar.
pub(super) fn resolve(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    boolean(text)
        .map(Value::Bool)
        .or_else(|| integer(text))
        .or_else(|| float(text))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

pub(super) fn integer(text: &str) -> Option<Value> {
    let (sign, body) = split_sign(text);
    let digits = |part: &str| part.replace('_', "");
    let magnitude = if let Some(bits) = body.strip_prefix("0b") {
        u128::from_str_radix(
            &only(bits, |c| matches!(c, '0' | '1' | '_')).map(digits)?,
            2,
        )
        .ok()
    } else if let Some(hex) = body.strip_prefix("0x") {
        u128::from_str_radix(
            &only(hex, |c| c.is_ascii_hexdigit() || c == '_').map(digits)?,
            16,
        )
        .ok()
    } else if body == "0" {
        Some(0)
    } else if let Some(octal) = body.strip_prefix('0') {
        u128::from_str_radix(
            &only(octal, |c| matches!(c, '0'..='7' | '_')).map(digits)?,
            8,
        )
        .ok()
    } else if body.starts_with(|c: char| c.is_ascii_digit()) {
        match body.split_once(':') {
            Some((first, rest)) => sexagesimal(first, rest),
            None => digits(only(body, |c| c.is_ascii_digit() || c == '_')?)
                .parse()
                .ok(),
        }
    } else {
        return None;
    };
    whole(sign, magnitude?)
}

pub(super) fn float(text: &str) -> Option<Value> {
    let (sign, body) = split_sign(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        // JSON has no such numbers.
        return Some(Value::String(text.to_owned()));
    }
    let (before, after) = body.split_once('.')?;
    if let Some((first, rest)) = before.split_once(':') {
        only(after, |c| c.is_ascii_digit() || c == '_')
            .or_else(|| after.is_empty().then_some(""))?;
        let seconds = sexagesimal(first, rest)?.to_string();
        return number(&format!("{sign}{seconds}.{after}"));
    }
    let has_whole = !before.is_empty();
    if has_whole && !(before.starts_with(|c: char| c.is_ascii_digit()) && is_digits(before)) {
        return None;
    }
    let (fraction, exponent) = match after.find(['e', 'E']) {
        Some(at) => (&after[..at], Some(&after[at + 1..])),
        None => (after, None),
    };
    // `1e5` and `1.0e5` are text in YAML 1.1: the exponent needs its sign.
    let is_exponent = exponent.is_none_or(|e| {
        e.starts_with(['+', '-']) && e.len() > 1 && e[1..].bytes().all(|b| b.is_ascii_digit())
    });
    let is_fraction =
        is_digits(fraction) && (has_whole || fraction.starts_with(|c: char| c.is_ascii_digit()));
    if !is_exponent || !is_fraction || (!has_whole && body.len() != text.len()) {
        return None;
    }
    number(text)
}

fn number(text: &str) -> Option<Value> {
    let number: f64 = text.replace('_', "").parse().ok()?;
    Some(Number::from_f64(number).map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

/// `1:30` is 90: digits to the base of 60.
fn sexagesimal(first: &str, rest: &str) -> Option<u128> {
    if first.is_empty() || !first.starts_with(|c: char| c.is_ascii_digit()) || !is_digits(first) {
        return None;
    }
    rest.split(':')
        .try_fold(first.replace('_', "").parse::<u128>().ok()?, |sum, part| {
            let digit: u128 = only(part, |c| c.is_ascii_digit())
                .filter(|part| part.len() <= 2)?
                .parse()
                .ok()?;
            if digit >= 60 {
                None
            } else {
                sum.checked_mul(60)?.checked_add(digit)
            }
        })
}

/// A whole number; `None` beyond 64 bits, where the text stays.
fn whole(sign: &str, magnitude: u128) -> Option<Value> {
    if sign == "-" {
        return i64::try_from(-i128::try_from(magnitude).ok()?)
            .ok()
            .map(Value::from);
    }
    u64::try_from(magnitude).ok().map(Value::from)
}

fn split_sign(text: &str) -> (&str, &str) {
    let sign = usize::from(text.starts_with(['+', '-']));
    text.split_at(sign)
}

fn is_digits(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || c == '_')
}

fn only(text: &str, is_allowed: impl Fn(char) -> bool) -> Option<&str> {
    (!text.is_empty() && text.chars().all(is_allowed)).then_some(text)
}
