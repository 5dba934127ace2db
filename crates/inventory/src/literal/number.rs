//! Python's numbers.

use serde_json::{Number, Value};

/// The value of a number as it is written, after its sign; `None` where it is none, or none that JSON has.
pub(super) fn number(token: &str, sign: &str) -> Option<Value> {
    if token == "..." {
        return sign.is_empty().then(|| Value::String(token.to_owned()));
    }
    let lower = token.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let digits = plain_digits(digits.strip_prefix('_').unwrap_or(digits), radix)?;
            let magnitude = u128::from_str_radix(&digits, radix).ok()?;
            return Some(whole(sign, &magnitude.to_string()));
        }
    }
    if let Some(digits) = plain_digits(&lower, 10) {
        let is_octal_like = digits.starts_with('0') && digits.bytes().any(|byte| byte != b'0');
        let trimmed = digits.trim_start_matches('0');
        return (!is_octal_like)
            .then(|| whole(sign, if trimmed.is_empty() { "0" } else { trimmed }));
    }
    float(sign, &lower)
}

/// A whole number; one beyond 64 bits keeps its digits as text.
fn whole(sign: &str, digits: &str) -> Value {
    let text = format!("{sign}{digits}");
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    text.parse::<u64>()
        .map_or_else(|_| Value::String(text), Value::from)
}

fn float(sign: &str, lower: &str) -> Option<Value> {
    let (mantissa, exponent) = lower
        .split_once('e')
        .map_or((lower, None), |(m, e)| (m, Some(e)));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_part = |part: &str| part.is_empty() || plain_digits(part, 10).is_some();
    let is_exponent = exponent
        .is_none_or(|e| plain_digits(e.strip_prefix(['+', '-']).unwrap_or(e), 10).is_some());
    if (before.is_empty() && after.is_empty())
        || !is_part(before)
        || !is_part(after)
        || !is_exponent
    {
        return None;
    }
    let number: f64 = format!("{sign}{lower}").replace('_', "").parse().ok()?;
    Number::from_f64(number).map(Value::Number)
}

/// Digits without their underscores, which may only stand between digits.
fn plain_digits(text: &str, radix: u32) -> Option<String> {
    let is_fine = text
        .split('_')
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_digit(radix)));
    is_fine.then(|| text.replace('_', ""))
}
