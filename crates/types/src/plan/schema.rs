//! The JSON Schema of a plan, for other tools.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::ExecutionPlan;
use crate::Object;

impl ExecutionPlan {
    /// The JSON Schema of a plan, made from the types that read one.
    ///
    /// It accepts all that is read here and more: what a template gives, and whether the parts fit together, it cannot say.
    #[must_use]
    pub fn json_schema() -> Value {
        let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = generator.into_root_schema_for::<Self>();
        RecursiveTransform(allow_null).transform(&mut schema);
        schema.insert(
            "title".into(),
            json!("rustle-exec execution plan, version 1"),
        );
        schema.to_value()
    }
}

/// Lets every field be null, which means the same as a missing one.
fn allow_null(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for property in properties.values_mut() {
        let Value::Object(fields) = &mut *property else {
            continue;
        };
        let is_plain = !fields.contains_key("enum") && !fields.contains_key("const");
        if let Some(kind) = fields.get_mut("type").filter(|_| is_plain) {
            add_null_kind(kind);
        } else {
            add_null(fields);
        }
    }
}

/// Adds null to the one kind or the list of kinds of a schema.
fn add_null_kind(kind: &mut Value) {
    match kind {
        Value::Array(kinds) if kinds.iter().any(|kind| kind == "null") => {}
        Value::Array(kinds) => kinds.push(json!("null")),
        one => *one = json!([one.take(), "null"]),
    }
}

/// Lets a schema of several kinds, or of a named one, be null as well; its description stays in front.
fn add_null(fields: &mut Object) {
    if fields.keys().all(|key| key == "description") {
        return;
    }
    let nothing = json!({ "type": "null" });
    if let Some(Value::Array(kinds)) = fields.get_mut("anyOf") {
        if !kinds.contains(&nothing) {
            kinds.push(nothing);
        }
        return;
    }
    let mut inner = std::mem::take(fields);
    if let Some(description) = inner.shift_remove("description") {
        fields.insert("description".into(), description);
    }
    fields.insert("anyOf".into(), json!([inner, nothing]));
}
