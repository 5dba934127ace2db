//! Differences in the shapes that Ansible shows.

use rustle_module::Object;
use serde_json::{Value, json};

/// Files above this size are not shown in differences.
pub(crate) const MAX_SIZE: u64 = 104_448;

/// A difference of properties: the same keys before and after.
#[derive(Clone, Debug, Default)]
pub(crate) struct BeforeAfter {
    before: Object,
    after: Object,
}

impl BeforeAfter {
    /// A difference about `path`, so far without one.
    pub(crate) fn of_path(path: &str) -> Self {
        let mut diff = Self::default();
        diff.set("path", path, path);
        diff
    }

    /// Sets a property's two values.
    pub(crate) fn set(&mut self, key: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.before.insert(key.into(), before.into());
        self.after.insert(key.into(), after.into());
    }

    /// Sets a property that was there only before.
    pub(crate) fn set_before(&mut self, key: &str, before: impl Into<Value>) {
        self.before.insert(key.into(), before.into());
    }

    /// Adds what another difference has.
    pub(crate) fn extend(&mut self, other: Self) {
        self.before.extend(other.before);
        self.after.extend(other.after);
    }

    /// The difference as results carry it.
    pub(crate) fn into_value(self) -> Value {
        json!({"before": self.before, "after": self.after})
    }

    /// The two sides with a header each, as modules that edit text add it to the difference of the text.
    pub(crate) fn with_headers(self, header: &str) -> Value {
        let Self {
            mut before,
            mut after,
        } = self;
        let has_entries = !before.is_empty();
        let mut value = Object::new();
        if has_entries {
            before.remove("path");
            after.remove("path");
            value.insert("before".into(), before.into());
            value.insert("after".into(), after.into());
        }
        value.insert("before_header".into(), header.into());
        value.insert("after_header".into(), header.into());
        value.into()
    }
}

/// Text as differences show it: what is not UTF-8 is replaced.
pub(crate) fn show_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether content counts as binary, and is not shown.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes.contains(&0)
}
