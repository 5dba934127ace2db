//! Tables of what is mounted, in the forms that systems have for them.

use rustle_module::Object;
use serde_json::Value;

/// An entry, with the text that it was read from.
pub(super) struct Entry {
    /// The facts of it that are in the table.
    pub(super) facts: Object,
    /// The text.
    pub(super) text: String,
}

impl Entry {
    fn new(facts: impl IntoIterator<Item = (&'static str, Value)>, text: &str) -> Self {
        let facts = facts.into_iter().filter(|(_, value)| !value.is_null());
        Self {
            facts: facts.map(|(key, value)| (key.to_owned(), value)).collect(),
            text: text.to_owned(),
        }
    }

    /// One of the facts that are texts.
    pub(super) fn text_of(&self, key: &str) -> &str {
        self.facts
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Reads a file; nothing where it has a line that fits none of the forms.
pub(super) fn of_file(text: &str) -> Option<Vec<Entry>> {
    let lines = || lines(text).filter(|line| !line.starts_with('#'));
    let all = |form: fn(&str) -> Option<Entry>| lines().map(form).collect::<Option<Vec<Entry>>>();
    all(fstab).or_else(|| all(vfstab)).or_else(|| stanzas(text))
}

/// Reads what `mount` prints. Where a line is not of the form that Linux has, those are read that are of BSD's.
pub(super) fn of_program(text: &str) -> Vec<Entry> {
    let linux = text.lines().map(mounted).collect::<Option<Vec<Entry>>>();
    linux.unwrap_or_else(|| text.lines().filter_map(mounted_on_bsd).collect())
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// `device mount fstype options [dump [passno]]`
fn fstab(line: &str) -> Option<Entry> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [device, mount, fstype, options, ref rest @ ..] = fields[..] else {
        return None;
    };
    let number = |at: usize| match rest.get(at) {
        None => Some(Value::Null),
        Some(field) => field.parse::<i64>().ok().map(Value::from),
    };
    let facts = [
        ("device", unescaped(device).into()),
        ("mount", unescaped(mount).into()),
        ("fstype", fstype.into()),
        ("options", options.into()),
        ("dump", number(0)?),
        ("passno", number(1)?),
    ];
    Some(Entry::new(facts, line))
}

/// `device device-to-check mount fstype passno at-boot options`, as Solaris has it.
fn vfstab(line: &str) -> Option<Entry> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [device, check, mount, fstype, passno, at_boot, options] = fields[..] else {
        return None;
    };
    let number = match passno {
        "-" => passno.into(),
        number => number.parse::<i64>().ok()?.into(),
    };
    let facts = [
        ("device", device.into()),
        ("device_to_fsck", check.into()),
        ("mount", mount.into()),
        ("fstype", fstype.into()),
        ("passno", number),
        ("mount_at_boot", at_boot.into()),
        ("options", options.into()),
    ];
    Some(Entry::new(facts, line))
}

/// `mount:` and below it `name = value`, as AIX has it.
fn stanzas(text: &str) -> Option<Vec<Entry>> {
    let mut stanzas: Vec<(&str, Object, Vec<&str>)> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if line.trim().is_empty() || line.starts_with('*') {
            continue;
        }
        if let Some(mount) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            stanzas.push((mount, Object::new(), vec![line]));
            continue;
        }
        let (key, value) = line.split_once('=')?;
        let (_, attributes, lines) = stanzas.last_mut()?;
        attributes.insert(key.trim().to_owned(), value.trim().into());
        lines.push(line);
    }
    let entries = stanzas.into_iter().map(|(mount, attributes, lines)| {
        let value = |key: &str| attributes.get(key).and_then(Value::as_str);
        let device = value("dev").unwrap_or("unknown");
        let device = match value("nodename") {
            Some(node) => format!("{node}:{device}"),
            None => device.to_owned(),
        };
        let fstype = value("vfs").unwrap_or("unknown").to_owned();
        let facts = [
            ("mount", mount.into()),
            ("device", device.into()),
            ("fstype", fstype.into()),
            ("attributes", attributes.into()),
        ];
        Entry::new(facts, &lines.join("\n"))
    });
    Some(entries.collect())
}

/// `device on mount type fstype (options)`
fn mounted(line: &str) -> Option<Entry> {
    let (place, options) = line.strip_suffix(')')?.rsplit_once(" (")?;
    let (place, fstype) = place.split_once(" type ")?;
    place_of(line, place, fstype, options)
}

/// `device on mount (fstype, options)`
fn mounted_on_bsd(line: &str) -> Option<Entry> {
    let (place, options) = line.strip_suffix(')')?.rsplit_once(" (")?;
    let (fstype, options) = options.split_once(", ")?;
    place_of(line, place, fstype, options)
}

fn place_of(line: &str, place: &str, fstype: &str, options: &str) -> Option<Entry> {
    let (device, mount) = place.split_once(" on ")?;
    if [device, mount, fstype]
        .iter()
        .any(|word| word.contains(' '))
    {
        return None;
    }
    let facts = [
        ("device", device.into()),
        ("mount", mount.into()),
        ("fstype", fstype.into()),
        ("options", options.into()),
    ];
    Some(Entry::new(facts, line))
}

/// Takes octal escapes out of a field; each stands for a character.
fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let digits = rest
            .get(1..4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
        let taken = match code.and_then(char::from_u32) {
            Some(c) => {
                text.push(c);
                4
            }
            None => {
                text.push('\\');
                1
            }
        };
        rest = &rest[taken..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_a_strange_line_is_none() {
        let good = "# c\n\n/dev/a /m\\040n ext4 rw 0 1\nb /b nfs ro\n";
        let entries = of_file(good).expect("a table");
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].text_of("mount"), "/m n");
        assert!(of_file(&format!("{good}strange\n")).is_none());
        assert!(of_program("/dev/q on /q type ext4 (rw)\nodd\n").is_empty());
        let bsd = of_program("/dev/d on / (apfs, local, journaled)\nmap -x on /net (autofs, a)");
        assert_eq!(bsd.len(), 1);
        assert_eq!(bsd[0].text_of("fstype"), "apfs");
    }

    #[test]
    fn any_field_is_survived() {
        for field in ["\\", "\\04", "\\999", "a\\777é", "é\\é\\040"] {
            let _text = unescaped(field);
        }
        assert_eq!(unescaped("a\\134b\\011"), "a\\b\t");
    }
}
