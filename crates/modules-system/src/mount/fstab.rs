//! The table of file systems.

/// An entry, its fields as the table has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) src: String,
    pub(super) name: String,
    pub(super) fstype: String,
    pub(super) opts: String,
    pub(super) dump: String,
    pub(super) passno: String,
}

impl Entry {
    /// Reads a line; comments and what is no entry give nothing.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if line.trim_start().starts_with('#') || !(4..=6).contains(&fields.len()) {
            return None;
        }
        let field = |at: usize| (*fields.get(at).unwrap_or(&"0")).to_owned();
        Some(Self {
            src: field(0),
            name: field(1),
            fstype: field(2),
            opts: field(3),
            dump: field(4),
            passno: field(5),
        })
    }

    fn render(&self) -> String {
        let Self {
            src,
            name,
            fstype,
            opts,
            dump,
            passno,
        } = self;
        format!("{src} {name} {fstype} {opts} {dump} {passno}\n")
    }
}

/// A text as a field of the table.
pub(super) fn escape(text: &str) -> String {
    text.replace(' ', "\\040")
        .replace('\t', "\\011")
        .replace('\n', "\\012")
}

/// Makes the entry be there, once or wherever its mount point is; nothing where it is there already.
pub(super) fn set(text: &str, entry: &Entry) -> Option<String> {
    let mut is_there = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let present = Entry::parse(line).filter(|present| {
            let is_other_swap =
                entry.fstype == "swap" && present.name == "none" && present.src != entry.src;
            present.name == entry.name && !is_other_swap
        });
        is_there |= present.is_some();
        lines.push(match present {
            Some(present) if present != *entry => entry.render(),
            _ => format!("{line}\n"),
        });
    }
    if !is_there {
        lines.push(entry.render());
    }
    let new = lines.concat();
    // A last line without an end is no difference.
    let is_same = new.lines().eq(text.lines());
    (!is_same).then_some(new)
}

/// Takes the entries of a mount point out; nothing where there are none. Swap has no mount point, and goes by `src` if that is given.
pub(super) fn unset(text: &str, name: &str, src: Option<&str>) -> Option<String> {
    let is_meant = |line: &&str| {
        Entry::parse(line).is_some_and(|entry| {
            let is_other_swap = entry.name == "none"
                && entry.fstype == "swap"
                && src.is_some_and(|src| src != entry.src);
            entry.name == name && !is_other_swap
        })
    };
    let kept: Vec<&str> = text.lines().filter(|line| !is_meant(line)).collect();
    let is_changed = kept.len() != text.lines().count();
    is_changed.then(|| kept.into_iter().map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(src: &str, name: &str) -> Entry {
        Entry {
            src: src.into(),
            name: escape(name),
            fstype: "ext4".into(),
            opts: "defaults".into(),
            dump: "0".into(),
            passno: "0".into(),
        }
    }

    #[test]
    fn an_entry_is_set_where_its_mount_point_is() {
        let text = "# c\n/dev/a /m\text4 defaults\n/dev/b /n ext4\n";
        assert_eq!(set(text, &entry("/dev/a", "/m")), None);
        let expected = "# c\n/dev/c /m ext4 defaults 0 0\n/dev/b /n ext4\n";
        assert_eq!(set(text, &entry("/dev/c", "/m")).as_deref(), Some(expected));
        let added = set("x", &entry("/dev/a", "/m n"));
        let expected = "x\n/dev/a /m\\040n ext4 defaults 0 0\n";
        assert_eq!(added.as_deref(), Some(expected));
        assert_eq!(set("/dev/a /m ext4 defaults", &entry("/dev/a", "/m")), None);
    }

    #[test]
    fn swap_goes_by_its_device() {
        let text = "/dev/a none swap sw 0 0\n/dev/b none swap sw 0 0\n";
        let one = unset(text, "none", Some("/dev/b"));
        assert_eq!(one.as_deref(), Some("/dev/a none swap sw 0 0\n"));
        assert_eq!(unset(text, "none", None).as_deref(), Some(""));
        assert_eq!(unset(text, "/m", None), None);
        let third = Entry {
            fstype: "swap".into(),
            ..entry("/dev/c", "none")
        };
        let set = set(text, &third).expect("it is added");
        assert!(set.starts_with(text) && set.lines().count() == 3);
    }
}
