//! Modules called directly, as the cases want them called.

use rustle_module::{Catalogue, DynModule, Mode, ModuleResult, Object};
use rustle_process::split_command;
use serde_json::Value;

use super::{Call, Here, Outcome};

impl Call<'_> {
    /// Check and diff mode of the call.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        Mode {
            check: self.check,
            diff: self.diff,
        }
    }

    /// The arguments as an object; `omit` is left out as the controller does.
    ///
    /// # Panics
    /// When they are text whose quotes do not match.
    #[must_use]
    pub fn object(&self) -> Object {
        match &self.args {
            Value::Object(args) => {
                let mut args = args.clone();
                args.retain(|_, value| value != "{{ omit }}");
                args
            }
            text => {
                let words = split_command(text.as_str().unwrap_or_default()).expect("words");
                let pairs = words.iter().filter_map(|word| word.split_once('='));
                pairs
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect()
            }
        }
    }

    /// Calls the case's module, which is one of the family, on this machine.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn run(&self, family: &[&'static dyn DynModule]) -> Outcome {
        let catalogue = Catalogue::new(&[family]);
        let module = catalogue.find(self.module);
        let module = module.expect("a module of this family");
        let mut here = Here::new(self.mode());
        here.environment.extend(self.env.iter().cloned());
        here.call(module, self.object()).into()
    }
}

impl From<ModuleResult> for Outcome {
    /// The result as a callback sees it: the controller adds the lines of outputs.
    fn from(result: ModuleResult) -> Self {
        let status = if result.failed {
            "failed"
        } else if result.skipped {
            "skipped"
        } else {
            "ok"
        };
        let mut object = result.into_object();
        for key in ["failed", "skipped"] {
            object.remove(key);
        }
        for stream in ["stdout", "stderr"] {
            if let Some(Value::String(text)) = object.get(stream) {
                let lines: Vec<&str> = text.lines().collect();
                let lines = Value::from(lines);
                object.insert(format!("{stream}_lines"), lines);
            }
        }
        Self {
            status,
            result: object.into(),
        }
    }
}
