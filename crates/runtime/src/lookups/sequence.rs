//! `sequence`: numbers as text.

use rustle_module::py_str;
use rustle_types::Object;
use serde_json::Value;

/// The most items that one sequence may have.
const LIMIT: i64 = 1_000_000;

/// The items of a sequence given as `start=1 end=5 stride=2 format=host%02d`, `count=4`, `5` or `2-10/2:host%02d`; or by options.
pub(super) fn sequence(terms: &[Value], options: &Object) -> Result<Vec<Value>, String> {
    let mut base = Sequence::default();
    for (name, value) in options {
        base.set(name, &py_str(value))
            .ok_or_else(|| format!("`{name}` cannot be `{}`", py_str(value)))?;
    }
    if terms.is_empty() {
        return Ok(texts(base.numbers("its options")?));
    }
    let mut items = Vec::new();
    for term in terms {
        let text = py_str(term);
        let sequence = base.clone().parse(&text).ok_or_else(|| {
            format!(
                "cannot read `{text}`; expected such as `start=1 end=5 stride=2 format=host%02d`"
            )
        })?;
        items.extend(texts(sequence.numbers(&text)?));
    }
    Ok(items)
}

fn texts(numbers: Vec<String>) -> Vec<Value> {
    numbers.into_iter().map(Value::String).collect()
}

#[derive(Clone)]
struct Sequence {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            start: 1,
            end: None,
            count: None,
            stride: 1,
            format: "%d".into(),
        }
    }
}

impl Sequence {
    fn parse(mut self, text: &str) -> Option<Self> {
        if !text.contains('=') {
            return self.parse_short(text);
        }
        for word in text.split_whitespace() {
            let (key, value) = word.split_once('=')?;
            self.set(key, value)?;
        }
        Some(self)
    }

    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "start" => self.start = number(value)?,
            "end" => self.end = Some(number(value)?),
            "count" => self.count = Some(number(value)?),
            "stride" => self.stride = number(value)?,
            "format" => value.clone_into(&mut self.format),
            _ => return None,
        }
        Some(())
    }

    /// `[start-]end[/stride][:format]`
    fn parse_short(mut self, text: &str) -> Option<Self> {
        let (range, format) = text
            .split_once(':')
            .map_or((text, None), |(range, format)| (range, Some(format)));
        let (range, stride) = range
            .split_once('/')
            .map_or((range, None), |(range, stride)| (range, Some(stride)));
        match range.split_once('-').filter(|(start, _)| !start.is_empty()) {
            Some((start, end)) => (self.start, self.end) = (number(start)?, Some(number(end)?)),
            None => self.end = Some(number(range)?),
        }
        if let Some(stride) = stride {
            self.stride = number(stride)?;
        }
        if let Some(format) = format {
            format.clone_into(&mut self.format);
        }
        Some(self)
    }

    fn numbers(&self, text: &str) -> Result<Vec<String>, String> {
        let wrong = |why: &str| format!("the sequence of `{text}` {why}");
        let end = match (self.end, self.count) {
            (Some(_), Some(_)) => return Err(wrong("has both a count and an end")),
            (Some(end), None) => end,
            (None, Some(0)) => return Ok(Vec::new()),
            (None, Some(count)) => self
                .stride
                .checked_mul(count - 1)
                .and_then(|length| self.start.checked_add(length))
                .ok_or_else(|| wrong("is too long"))?,
            (None, None) => return Err(wrong("has neither a count nor an end")),
        };
        if self.stride == 0 {
            return Ok(Vec::new());
        }
        if (end > self.start && self.stride < 0) || (end < self.start && self.stride > 0) {
            return Err(wrong("goes the other way than its stride"));
        }
        let steps = end.saturating_sub(self.start).saturating_div(self.stride);
        if !(0..LIMIT).contains(&steps) {
            return Err(wrong(&format!("has more than {LIMIT} items")));
        }
        (0..=steps)
            .map(|step| {
                self.show(self.start + step * self.stride)
                    .ok_or_else(|| wrong("has a bad format"))
            })
            .collect()
    }

    /// One number by a format with a single `%d`, `%x` or `%o`, which may have a width and leading zeros.
    fn show(&self, number: i64) -> Option<String> {
        let (before, rest) = self.format.split_once('%')?;
        let kind = rest.find(|c: char| !c.is_ascii_digit())?;
        let (width, tail) = rest.split_at(kind);
        let (fill, width) = (
            width.starts_with('0'),
            if width.is_empty() {
                0
            } else {
                width.parse::<usize>().ok()?
            },
        );
        let digits = match tail.chars().next()? {
            'd' | 'i' | 's' => number.to_string(),
            'x' => format!("{number:x}"),
            'X' => format!("{number:X}"),
            'o' => format!("{number:o}"),
            _ => return None,
        };
        let width = width.min(1000);
        let shown = if fill {
            format!("{digits:0>width$}")
        } else {
            format!("{digits:>width$}")
        };
        Some(format!("{before}{shown}{}", &tail[1..]))
    }
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.trim().parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sequences_count_as_they_are_told() {
        for (text, expected) in [
            ("5", json!(["1", "2", "3", "4", "5"])),
            ("2-10/4:h%02d", json!(["h02", "h06", "h10"])),
            ("start=0x0f00 count=2 format=%04x", json!(["0f00", "0f01"])),
            ("start=3 end=1 stride=-1", json!(["3", "2", "1"])),
            ("count=0", json!([])),
        ] {
            assert_eq!(
                Value::Array(sequence(&[json!(text)], &Object::new()).unwrap()),
                expected,
                "{text}"
            );
        }
        let options = json!({"start": 1, "end": 3, "format": "n%d"});
        let options = options.as_object().unwrap();
        assert_eq!(sequence(&[], options).unwrap(), ["n1", "n2", "n3"]);
        for wrong in [
            "",
            "a",
            "start=3 end=1",
            "end=9999999999",
            "count=2 end=2",
            "start=1 end=2 format=%q",
        ] {
            assert!(
                sequence(&[json!(wrong)], &Object::new()).is_err(),
                "{wrong}"
            );
        }
    }
}
