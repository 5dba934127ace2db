//! Where modules moved to: the `plugin_routing` of Ansible and of its collections.

use std::path::Path;

use serde_json::Value;

/// What a collection says of where its plugins are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routing(Value);

/// What is said of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// It is called so now.
    Moved(String),
    /// It is gone.
    Gone(String),
}

impl Routing {
    /// Reads a file; one that is not there says nothing.
    ///
    /// # Errors
    /// When it is no YAML.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let Ok(text) = std::fs::read_to_string(path) else {
            return Ok(Self::default());
        };
        let read = rustle_inventory::yaml::parse(&text, &path.display().to_string());
        let mut value = read.map_err(|error| error.to_string())?;
        Ok(Self(value["plugin_routing"].take()))
    }

    /// What is said of a plugin of a kind (`modules`, `action`, `module_utils`).
    pub(crate) fn of(&self, kind: &str, name: &str) -> Option<Route> {
        let entry = self.0.get(kind)?.get(name)?;
        if let Some(to) = entry.get("redirect").and_then(Value::as_str) {
            return Some(Route::Moved(to.to_owned()));
        }
        let gone = entry.get("tombstone")?;
        let why = gone.get("warning_text").and_then(Value::as_str);
        Some(Route::Gone(
            why.unwrap_or("it was removed").trim().to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_and_removed_plugins_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runtime.yml");
        let text = "plugin_routing:\n  modules:\n    a: {redirect: x.y.a}\n    b:\n      tombstone: {warning_text: Use c.}\n    c: {deprecation: {}}\n";
        std::fs::write(&path, text).unwrap();
        let routing = Routing::read(&path).unwrap();
        assert_eq!(
            routing.of("modules", "a"),
            Some(Route::Moved("x.y.a".into()))
        );
        assert_eq!(
            routing.of("modules", "b"),
            Some(Route::Gone("Use c.".into()))
        );
        assert_eq!(routing.of("modules", "c"), None);
        assert_eq!(routing.of("action", "a"), None);
        assert_eq!(
            Routing::read(Path::new("/nowhere"))
                .unwrap()
                .of("modules", "a"),
            None
        );
    }
}
