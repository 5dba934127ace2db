//! `config`: settings of Ansible that plans ask for.

use serde_json::{Value, json};

use super::Found;

/// What Ansible has where nothing sets it, for the settings that mean the same here.
pub(super) fn config(names: &[String]) -> Found {
    let value = |name: &String| {
        let known: Option<Value> = match name.as_str() {
            "DEFAULT_BECOME" => Some(json!(false)),
            "DEFAULT_BECOME_METHOD" => Some(json!("sudo")),
            "DEFAULT_BECOME_USER" => Some(json!("root")),
            "DEFAULT_TRANSPORT" => Some(json!("ssh")),
            "DEFAULT_REMOTE_PORT" | "DEFAULT_REMOTE_USER" => Some(Value::Null),
            "DEFAULT_HASH_BEHAVIOUR" => Some(json!("replace")),
            "DEFAULT_JINJA2_NATIVE" => Some(json!(true)),
            "DEFAULT_VAULT_IDENTITY" => Some(json!("default")),
            _ => None,
        };
        known.ok_or_else(|| {
            format!("the setting `{name}` is not available: there is no ansible.cfg here")
        })
    };
    names.iter().map(value).collect()
}
