//! Loops: what they go over is in the task, how they go is here.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{Expression, Tmpl};
use crate::Object;
use crate::read::{ReadFields, Reader, plan_object};

plan_object! {
    /// How a loop goes and what it calls its items.
    pub struct LoopControl ("loop control") {
        /// The variable that holds the item; `item` where it is not given.
        loop_var: Option<String>,
        /// The variable that holds the item's place, from 0.
        index_var: Option<String>,
        /// What is shown in place of the item; a template.
        label: Option<Value>,
        /// Seconds to wait between items.
        pause: Option<Tmpl<f64>>,
        /// Whether `ansible_loop` is there.
        extended: Option<Tmpl<bool>>,
        /// Whether `ansible_loop.allitems` is there.
        extended_allitems: Option<Tmpl<bool>>,
        /// Ends the loop after an item where this holds.
        break_when: Option<Expression>,
    }
    flatten {
        /// Fields that are not known.
        extra: Object,
    }
}

/// A loop by a lookup, written `with_<lookup>: <terms>`.
#[derive(Clone, Debug, PartialEq)]
pub struct WithLookup {
    /// The lookup's name: `items`, `dict`, `fileglob` …
    pub lookup: String,
    /// What the lookup is given.
    pub terms: Value,
}

impl ReadFields for Option<WithLookup> {
    fn field_names(names: &mut Vec<&'static str>) {
        names.extend_from_slice(&[
            "with_items",
            "with_dict",
            "with_fileglob",
            "with_sequence",
            "with_subelements",
        ]);
    }

    fn take_fields(object: &mut Object, at: &mut Reader) -> Self {
        let is_lookup = |key: &&String| key.len() > "with_".len() && key.starts_with("with_");
        let keys: Vec<String> = object.keys().filter(is_lookup).cloned().collect();
        let mut lookups = keys.into_iter().filter_map(|key| {
            let terms = object.shift_remove(&key).filter(|terms| !terms.is_null())?;
            Some(WithLookup {
                lookup: key["with_".len()..].to_owned(),
                terms,
            })
        });
        let first = lookups.next();
        if let (Some(first), Some(second)) = (&first, lookups.next()) {
            at.problem(format!(
                "has two loops, `with_{}` and `with_{}`",
                first.lookup, second.lookup
            ));
        }
        first
    }
}

impl Serialize for WithLookup {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(&format!("with_{}", self.lookup), &self.terms)?;
        map.end()
    }
}

impl JsonSchema for WithLookup {
    fn schema_name() -> Cow<'static, str> {
        "WithLookup".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "patternProperties": { "^with_.": true } })
    }
}
