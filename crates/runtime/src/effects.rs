//! What a task leaves behind for the rest of the run.

use rustle_module::as_bool;
use rustle_types::Object;
use serde_json::Value;

use crate::program::TaskNode;
use crate::requests::Request;

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
    /// In the journal: the task asked something of the engine, and has to be asked again for it.
    pub(crate) const ASKS: &str = "asks";

    /// In the journal: the task left something behind that is secret and not told.
    pub(crate) const HIDDEN: &str = "hidden";

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

    /// What is left of it where the task failed: its registered result, and what it brought in.
    #[must_use]
    pub(crate) fn of_failure(self) -> Self {
        let mut left = self.without_facts();
        let stays = |request: &Request| matches!(request, Request::Include(_) | Request::Meta(_));
        left.requests.retain(stays);
        left
    }

    /// As one object, for the journal.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let mut fields = Object::new();
        if let Some((name, value)) = &self.register {
            let value = [(name.clone(), value.clone())].into_iter().collect();
            fields.insert("register".into(), Value::Object(value));
        }
        for (name, vars) in [
            ("set_facts", &self.set_facts),
            ("facts", &self.facts),
            ("included", &self.included),
        ] {
            if !vars.is_empty() {
                fields.insert(name.into(), Value::Object(vars.clone()));
            }
        }
        if !self.requests.is_empty() {
            fields.insert(Self::ASKS.into(), Value::Bool(true));
        }
        fields
    }

    /// As one object that tells no value.
    pub(crate) fn to_secret_object(&self) -> Object {
        let mut fields = Object::new();
        let is_asked = !self.requests.is_empty();
        let vars = [&self.set_facts, &self.facts, &self.included];
        if self.register.is_some() || vars.into_iter().any(|vars| !vars.is_empty()) {
            fields.insert(Self::HIDDEN.into(), Value::Bool(true));
        }
        if is_asked {
            fields.insert(Self::ASKS.into(), Value::Bool(true));
        }
        fields
    }

    /// What the journal tells, but for what was asked of the engine.
    pub(crate) fn from_object(mut fields: Object) -> Self {
        let mut take = |name: &str| match fields.shift_remove(name) {
            Some(Value::Object(vars)) => vars,
            _ => Object::new(),
        };
        Self {
            register: take("register").into_iter().next(),
            set_facts: take("set_facts"),
            facts: take("facts"),
            included: take("included"),
            requests: Vec::new(),
        }
    }
}
