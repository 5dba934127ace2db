//! File modes as tasks write them: numbers, octal text, and clauses such as `u=rwX,go-w`.

use rustle_module::Failure;
use serde_json::Value;

/// What a mode is applied to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// Its present permissions.
    pub(crate) mode: u32,
    /// Whether it is a folder, so that `X` means `x`.
    pub(crate) is_dir: bool,
}

/// The mode that `wanted` asks for. The umask is asked for only by clauses that name nobody. It may hold more than permissions: what is out of range is cut only by the kernel.
///
/// # Errors
/// When it is neither a number nor text that can be read as a mode.
pub(crate) fn resolve(
    wanted: &Value,
    subject: Subject,
    umask: fn() -> u32,
) -> Result<i64, Failure> {
    let details = match wanted {
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            return Ok(number.as_i64().unwrap_or(i64::MAX));
        }
        Value::Bool(truth) => return Ok(i64::from(*truth)),
        Value::String(text) => match parse_octal(text) {
            Some(mode) => return Ok(mode),
            None => match apply_clauses(text, subject, umask) {
                Ok(mode) => return Ok(i64::from(mode)),
                Err(clause) => format!("bad symbolic permission for mode: {clause}"),
            },
        },
        Value::Number(_) => "'float' object has no attribute 'split'".into(),
        Value::Array(_) => "'list' object has no attribute 'split'".into(),
        Value::Object(_) => "'dict' object has no attribute 'split'".into(),
        Value::Null => "'NoneType' object has no attribute 'split'".into(),
    };
    Err(Failure::new("mode must be in octal or symbolic form").with("details", details))
}

/// Reads octal digits as Python's `int(text, 8)` does: with white space around, a sign, and `0o` in front.
fn parse_octal(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits
        .strip_prefix("0o")
        .or_else(|| digits.strip_prefix("0O"))
        .unwrap_or(digits);
    let is_octal = !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = is_octal.then(|| i64::from_str_radix(digits, 8).ok())??;
    Some(sign * mode)
}

/// Applies the clauses one after the other, each to the outcome of the one before. The error is the clause that cannot be read.
fn apply_clauses(text: &str, subject: Subject, umask: fn() -> u32) -> Result<u32, &str> {
    text.split(',').try_fold(subject.mode, |mode, clause| {
        apply_clause(clause, mode, subject, umask).ok_or(clause)
    })
}

/// Applies one clause: who, and then an operator with its permissions, once or several times (`u+x-w`).
fn apply_clause(clause: &str, mode: u32, subject: Subject, umask: fn() -> u32) -> Option<u32> {
    let end_of_who = clause.find(['+', '-', '=']).unwrap_or(clause.len());
    let (who, mut rest) = clause.split_at(end_of_who);
    let mask = if who.is_empty() { umask() } else { 0 };
    let who = if who.is_empty() || who == "a" {
        "ugo"
    } else {
        who
    };
    if !who.chars().all(|c| "ugo".contains(c)) {
        return None;
    }
    let mut mode = mode;
    while let Some(operator) = rest.chars().next() {
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |at| at + 1);
        let (permissions, after) = (&rest[1..end], &rest[end..]);
        if !permissions.chars().all(|c| "rwxXstugo".contains(c)) {
            return None;
        }
        for class in who.chars() {
            let bits = permissions
                .chars()
                .fold(0, |bits, p| bits | bits_of(class, p, mode, subject, mask));
            mode = match operator {
                '+' => mode | bits,
                '-' => mode & !bits,
                _ => (mode & !all_bits(class)) | bits,
            };
        }
        rest = after;
    }
    Some(mode)
}

/// How far the `rwx` of a class is shifted.
const fn shift(class: char) -> u32 {
    match class {
        'u' => 6,
        'g' => 3,
        _ => 0,
    }
}

/// All bits of a class, with its special one.
const fn all_bits(class: char) -> u32 {
    let special = match class {
        'u' => 0o4000,
        'g' => 0o2000,
        _ => 0o1000,
    };
    (0o7 << shift(class)) | special
}

/// The bits that one letter stands for in a class. `mask` is the umask where the clause names nobody.
const fn bits_of(class: char, letter: char, mode: u32, subject: Subject, mask: u32) -> u32 {
    let plain = match letter {
        'r' => 0o4 << shift(class),
        'w' => 0o2 << shift(class),
        'x' => 0o1 << shift(class),
        'X' if subject.is_dir || subject.mode & 0o111 != 0 => 0o1 << shift(class),
        _ => 0,
    };
    match letter {
        'r' | 'w' | 'x' | 'X' => plain & !mask,
        's' => all_bits(class) & 0o6000,
        't' => all_bits(class) & 0o1000,
        other => ((mode >> shift(other)) & 0o7) << shift(class),
    }
}

#[cfg(test)]
mod tests {
    use rustle_module::path_info::show_mode;

    use super::*;
    use serde_json::json;

    fn mode_of(wanted: &Value, mode: u32, is_dir: bool) -> Option<String> {
        let subject = Subject { mode, is_dir };
        resolve(wanted, subject, || 0o022).ok().map(show_mode)
    }

    #[test]
    fn clauses_see_the_outcome_of_the_ones_before() {
        for (clauses, before, after) in [
            ("g=u,o=g", 0o740, "0777"),
            ("u=rw,g=u,o=g", 0o750, "0666"),
            ("u+x-w", 0o644, "0544"),
            ("a=rX", 0o741, "0555"),
            ("u-x,a+X", 0o755, "0755"),
            ("a+X", 0o640, "0640"),
            ("+w", 0o444, "0644"),
            ("=rw", 0o755, "0644"),
            ("=", 0o755, "0000"),
            ("ug=s", 0o755, "06005"),
            ("g=st", 0o755, "02705"),
            ("u+s,g+s,+t", 0o755, "07755"),
            ("o+t", 0o755, "01755"),
            ("u+t,o+s", 0o755, "0755"),
            ("g-u", 0o770, "0700"),
            ("u=o", 0o604, "0404"),
        ] {
            assert_eq!(
                mode_of(&json!(clauses), before, false).as_deref(),
                Some(after),
                "{clauses}"
            );
        }
        assert_eq!(
            mode_of(&json!("u=rwX"), 0o600, true).as_deref(),
            Some("0700")
        );
    }

    #[test]
    fn numbers_and_octal_text_are_modes() {
        for (wanted, shown) in [
            (json!("0o640"), "0640"),
            (json!(" 0644 "), "0644"),
            (json!("64"), "0064"),
            (json!("1777"), "01777"),
            (json!("777777"), "0777777"),
            (json!(420), "0644"),
            (json!(644), "01204"),
            (json!(-1), "0-01"),
            (json!(true), "0001"),
        ] {
            assert_eq!(
                mode_of(&wanted, 0, false).as_deref(),
                Some(shown),
                "{wanted}"
            );
        }
    }

    #[test]
    fn what_is_no_mode_is_named() {
        for (wanted, details) in [
            (json!("rwx"), "bad symbolic permission for mode: rwx"),
            (json!("u+r,u+q"), "bad symbolic permission for mode: u+q"),
            (json!("99"), "bad symbolic permission for mode: 99"),
            (json!([1]), "'list' object has no attribute 'split'"),
        ] {
            let subject = Subject {
                mode: 0o644,
                is_dir: false,
            };
            let failure = resolve(&wanted, subject, || 0o022).expect_err("no mode");
            assert_eq!(failure.result["details"], details);
        }
    }
}
