//! What `systemctl show` says of a unit.

use rustle_module::Object;
use serde_json::Value;

/// The properties of a unit, in the order in which `systemctl` lists them.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    /// Each property as text.
    pub(super) properties: Object,
}

impl Unit {
    /// Reads lines such as `Id=ssh.service`. A value in braces may go over several lines.
    pub(super) fn parse(output: &str) -> Self {
        let mut properties = Object::new();
        let mut open: Option<(String, String)> = None;
        for line in output.lines() {
            if let Some((key, mut value)) = open.take() {
                value.push('\n');
                value.push_str(line);
                if line.trim_end().ends_with('}') {
                    properties.insert(key, value.trim().into());
                } else {
                    open = Some((key, value));
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let is_open = key.starts_with("Exec")
                && value.trim_start().starts_with('{')
                && !value.trim_end().ends_with('}');
            if is_open {
                open = Some((key.to_owned(), value.to_owned()));
            } else {
                properties.insert(key.to_owned(), value.trim().into());
            }
        }
        Self { properties }
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str)
    }

    /// Whether there is such a unit, masked or not.
    pub(super) fn is_known(&self) -> bool {
        self.property("LoadState")
            .is_some_and(|state| state != "not-found")
    }

    /// Why it could not be loaded, if that is so.
    pub(super) fn load_error(&self) -> Option<&str> {
        let is_masked = self.property("LoadState") == Some("masked");
        self.property("LoadError")
            .filter(|error| self.is_known() && !is_masked && !error.is_empty())
    }

    /// Whether it runs or is about to; nothing where that is not known.
    pub(super) fn is_running(&self) -> Option<bool> {
        let state = self.property("ActiveState")?;
        Some(matches!(state, "active" | "activating"))
    }

    /// Whether it is on its way to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.property("ActiveState") == Some("deactivating")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_also_over_several_lines() {
        let text = "Id=x.service\nExecStart={ path=/bin/x ; argv[]=/bin/x a\nb ; }\nActiveState=active\nLoadState=loaded\nDescription=a=b\nnoise\n";
        let unit = Unit::parse(text);
        assert_eq!(
            unit.property("ExecStart"),
            Some("{ path=/bin/x ; argv[]=/bin/x a\nb ; }")
        );
        assert_eq!(unit.property("Description"), Some("a=b"));
        assert!(unit.is_known() && unit.is_running() == Some(true) && !unit.is_stopping());
        assert!(!Unit::parse("LoadState=not-found\n").is_known());
    }
}
