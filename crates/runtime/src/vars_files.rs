//! `vars_files` of a play: read once each, and picked anew for each task where their names are templates.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustle_template::{Layer, Scope, Trust};
use serde_json::Value;

use crate::world::World;

/// A play's files of variables.
#[derive(Debug)]
pub struct VarsFiles {
    entries: Vec<Value>,
    has_templates: bool,
    read: Mutex<HashMap<PathBuf, Arc<Layer>>>,
}

/// A file, and what is wrong with it.
type Wrong = (PathBuf, String);

impl VarsFiles {
    /// Files by name; of an entry that is a list the first file that is there counts.
    #[must_use]
    pub fn new(entries: Vec<Value>) -> Self {
        Self {
            has_templates: entries.iter().any(|entry| entry.to_string().contains("{{")),
            entries,
            read: Mutex::default(),
        }
    }

    /// Whether all files whose names can be rendered with these variables are there and can be read.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, world: &World, scope: &Scope) -> Result<(), Wrong> {
        self.pick(world, scope).map(|_| ())
    }

    /// What the files hold, one layer a file. A name that cannot be rendered yet may be rendered when facts are known.
    pub(crate) fn layers(&self, world: &World, names: impl Fn() -> Scope) -> Vec<Arc<Layer>> {
        let scope = if self.has_templates {
            names()
        } else {
            Scope::builder().build()
        };
        self.pick(world, &scope).unwrap_or_default()
    }

    fn pick(&self, world: &World, scope: &Scope) -> Result<Vec<Arc<Layer>>, Wrong> {
        let mut layers = Vec::new();
        for entry in &self.entries {
            let names = match entry {
                Value::Array(names) => names.as_slice(),
                single => std::slice::from_ref(single),
            };
            let names = names.iter().filter_map(Value::as_str);
            let rendered: Vec<String> = names
                .filter_map(|name| world.engine.render_text(name, scope).ok())
                .collect();
            let paths: Vec<PathBuf> = rendered
                .iter()
                .map(|name| locate(name, &world.settings.base_dir))
                .collect();
            match (paths.iter().find(|path| path.exists()), paths.first()) {
                (Some(path), _) => layers.push(self.layer(path, world)?),
                (None, Some(path)) => return Err((path.clone(), "there is no such file".into())),
                (None, None) => {}
            }
        }
        Ok(layers)
    }

    fn layer(&self, path: &Path, world: &World) -> Result<Arc<Layer>, Wrong> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layer) = read.get(path) {
            return Ok(Arc::clone(layer));
        }
        let vars = world.library.vars(path);
        let vars = vars.map_err(|reason| (path.to_owned(), reason))?;
        let layer = Layer::new(Arc::new(vars), Trust::Trusted);
        read.insert(path.to_owned(), Arc::clone(&layer));
        Ok(layer)
    }
}

/// A file beside the plan, or in `vars` there.
pub(crate) fn locate(name: &str, base_dir: &Path) -> PathBuf {
    let beside = base_dir.join(name);
    let below = base_dir.join("vars").join(name);
    if !beside.exists() && below.exists() {
        below
    } else {
        beside
    }
}
