//! Values of settings as they are shown: in the words that set them.

use std::path::PathBuf;
use std::time::Duration;

use rustle_report::{ColorChoice, ProgressMode};
use rustle_types::GatherMode;
use tracing::Level;

/// A value that can be shown.
pub(super) trait Shown {
    /// Its text.
    fn shown(&self) -> String;
}

impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for usize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for Duration {
    fn shown(&self) -> String {
        format!("{} s", self.as_secs_f64())
    }
}

impl Shown for Level {
    fn shown(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

impl Shown for GatherMode {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for ProgressMode {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for ColorChoice {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref()
            .map_or_else(|| "none".to_owned(), Shown::shown)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        if self.is_empty() {
            "none".into()
        } else {
            self.iter().map(Shown::shown).collect::<Vec<_>>().join(", ")
        }
    }
}
