//! What a task leaves behind for the rest of the run.

use rustle_module::as_bool;
use rustle_types::Object;
use serde_json::Value;

use crate::program::TaskNode;
use crate::requests::Request;
use crate::result::object;

/// What a task leaves behind. Only the engine applies it.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The name and value of its registered result.
    pub register: Option<(String, Value)>,
    /// Variables that it set for the host.
    pub set_facts: Object,
    /// Facts that it gathered, by their full names.
    pub facts: Object,
    /// Variables that `include_vars` read.
    pub included: Object,
    /// What it asks of the engine, in order.
    pub requests: Vec<Request>,
}

impl Effects {
    /// Takes the `ansible_facts` of a raw result and of its items.
    pub(crate) fn of_result(raw: &Object, node: &TaskNode) -> Self {
        let mut effects = Self::default();
        let module = node.call.short_name();
        let is_cacheable =
            module == "set_fact" && node.call.args.get("cacheable").and_then(as_bool) == Some(true);
        let mut take = |result: &Object| {
            effects.add_facts(result, module);
            if is_cacheable {
                // They count as if they had been gathered, too.
                effects.add_facts(result, "setup");
            }
        };
        match raw.get("results") {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).for_each(take),
            _ => take(raw),
        }
        effects
    }

    /// Adds the facts of one result: where they go depends on who found them.
    pub(crate) fn add_facts(&mut self, result: &Object, module: &str) {
        if let Some(Value::Object(facts)) = result.get("ansible_facts") {
            let into = match module {
                "set_fact" => &mut self.set_facts,
                "include_vars" => &mut self.included,
                _ => &mut self.facts,
            };
            into.extend(facts.clone());
        }
    }

    /// Takes what is known of the host's facts and variables, without what was registered.
    #[must_use]
    pub(crate) fn without_facts(self) -> Self {
        Self {
            register: self.register,
            requests: self.requests,
            ..Self::default()
        }
    }

    /// As one object, for the journal.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let mut fields = Object::new();
        if let Some((name, value)) = &self.register {
            fields.insert(
                "register".into(),
                Value::Object([(name.clone(), value.clone())].into_iter().collect()),
            );
        }
        for (name, vars) in [
            ("set_facts", &self.set_facts),
            ("facts", &self.facts),
            ("included", &self.included),
        ] {
            if !vars.is_empty() {
                fields.insert(
                    name.into(),
                    Value::Object(object(Value::Object(vars.clone()))),
                );
            }
        }
        fields
    }
}
