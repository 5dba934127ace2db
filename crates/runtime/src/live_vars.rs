//! What tasks left behind for a host: variables that come one after the other, and are never copied for it.

use std::sync::Arc;

use rustle_template::{Layer, ScopeBuilder, Trust};
use rustle_types::Object;

/// Variables in layers, later ones above earlier ones.
///
/// A host registers many results, and each may be large, so what is there must not be copied for what is added. What is added is a layer
/// of its own, and layers are joined so that each has at least twice as many variables as the one above it: there are few layers, and a
/// variable is moved few times. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct LiveVars {
    /// Lowest first.
    layers: Vec<Arc<Layer>>,
}

impl LiveVars {
    /// Adds variables above all that are there.
    pub fn extend(&mut self, vars: Object) {
        if vars.is_empty() {
            return;
        }
        let mut top = vars;
        while let Some(below) = self
            .layers
            .pop_if(|below| below.vars().len() < 2 * top.len())
        {
            let mut joined = Layer::into_vars(below);
            joined.extend(top);
            top = joined;
        }
        self.layers
            .push(Layer::new(Arc::new(top), Trust::Untrusted));
    }

    /// Adds them to a scope.
    #[must_use]
    pub fn push_to(&self, scope: ScopeBuilder) -> ScopeBuilder {
        let layers = self.layers.iter().cloned();
        layers.fold(scope, ScopeBuilder::push_shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    proptest::proptest! {
        #[test]
        fn the_last_value_of_a_name_counts_and_layers_stay_few(
            names in proptest::collection::vec(0u8..40, 0..200)
        ) {
            let mut live = LiveVars::default();
            let mut expected = HashMap::new();
            for (value, name) in names.iter().enumerate() {
                live.extend(Object::from_iter([(format!("v{name}"), value.into())]));
                expected.insert(format!("v{name}"), value);
            }
            let scope = live.push_to(rustle_template::Scope::builder()).build();
            let engine = rustle_template::Engine::new();
            for (name, value) in &expected {
                let found = engine.evaluate(name, &scope).unwrap();
                proptest::prop_assert_eq!(found, serde_json::json!(value));
            }
            proptest::prop_assert!(live.layers.len() <= 8);
        }
    }
}
