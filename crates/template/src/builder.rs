//! Puts an engine together: filters, tests, functions, and what it may ask of the world.

use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, UndefinedBehavior};

use crate::Engine;
use crate::compile::Cache;
use crate::convert::check;
use crate::engine::Inner;
use crate::hooks::{Controller, Includes, Lookups, Vault};
use crate::python::try_str;

/// Collects what an [`Engine`] may ask of the world.
#[derive(Debug, Default)]
pub struct EngineBuilder {
    lookups: Option<Arc<dyn Lookups>>,
    vault: Option<Arc<dyn Vault>>,
    includes: Option<Arc<dyn Includes>>,
    controller: Option<Arc<dyn Controller>>,
}

impl EngineBuilder {
    /// Answers `lookup()` and `query()`.
    #[must_use]
    pub fn lookups(mut self, lookups: Arc<dyn Lookups>) -> Self {
        self.lookups = Some(lookups);
        self
    }

    /// Decrypts encrypted values.
    #[must_use]
    pub fn vault(mut self, vault: Arc<dyn Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Supplies templates that other templates include.
    #[must_use]
    pub fn includes(mut self, includes: Arc<dyn Includes>) -> Self {
        self.includes = Some(includes);
        self
    }

    /// Answers what filters and tests ask of the disk and the environment.
    #[must_use]
    pub fn controller(mut self, controller: Arc<dyn Controller>) -> Self {
        self.controller = Some(controller);
        self
    }

    /// The engine.
    #[must_use]
    pub fn build(self) -> Engine {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_recursion_limit(200);
        environment.set_formatter(|out, _, value| {
            let value = check(value.clone())?;
            crate::emitted::note(&value);
            match value.kind() {
                // Only an `if` without `else` gives this; names that are missing have failed before.
                ValueKind::None | ValueKind::Undefined => Ok(()),
                _ => out.write_str(&try_str(&value)?).map_err(Error::from),
            }
        });
        crate::filters::register(&mut environment);
        crate::tests::register(&mut environment);
        crate::places::register(&mut environment, self.controller.as_ref());
        crate::globals::register(&mut environment);
        environment.set_unknown_method_callback(crate::methods::call);
        let inner = Inner {
            environment,
            cache: Cache::default(),
            lookups: self.lookups,
            vault: self.vault,
            includes: self.includes,
        };
        Engine {
            inner: Arc::new(inner),
        }
    }
}
