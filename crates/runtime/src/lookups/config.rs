//! `config`: settings of Ansible that plans ask for.

use rustle_template::LookupCall;
use serde_json::{Value, json};

use super::{Found, text_option, texts};

/// The values of settings: of this run where it has such a thing, else what Ansible has where nothing sets it.
pub(super) fn config(call: &LookupCall<'_>) -> Found {
    for option in ["plugin_type", "plugin_name", "show_origin"] {
        if call
            .options
            .get(option)
            .is_some_and(|given| !given.is_null())
        {
            return Err(format!(
                "the option `{option}` is not available: there are no plugins and no ansible.cfg here"
            ));
        }
    }
    let skips = match text_option(call, "on_missing", "error").as_str() {
        "error" => false,
        "skip" | "warn" => true,
        other => {
            return Err(format!(
                "`on_missing` has to be error, warn or skip, not `{other}`"
            ));
        }
    };
    let mut found = Vec::new();
    for name in texts(&call.terms) {
        match of_run(&name, call).or_else(|| usual(&name)) {
            Some(value) => found.push(value),
            None if skips => {}
            None => {
                return Err(format!(
                    "the setting `{name}` is not known; there is no ansible.cfg here, and `on_missing='skip'` passes it by"
                ));
            }
        }
    }
    Ok(found)
}

/// What this run has for a setting.
fn of_run(name: &str, call: &LookupCall<'_>) -> Option<Value> {
    let var = match name {
        "DEFAULT_FORKS" => "ansible_forks",
        "DEFAULT_HOST_LIST" => "ansible_inventory_sources",
        "DIFF_ALWAYS" => "ansible_diff_mode",
        _ => return None,
    };
    call.engine.evaluate(var, call.scope).ok()
}

/// What Ansible has where nothing sets it, for the settings that mean the same here.
fn usual(name: &str) -> Option<Value> {
    let flag = |flags: &[&str], value: bool| flags.contains(&name).then_some(Value::Bool(value));
    let null = || UNSET.contains(&name).then_some(Value::Null);
    null()
        .or_else(|| flag(OFF, false))
        .or_else(|| flag(ON, true))
        .or_else(|| folders(name))
        .or_else(|| text_or_number(name))
}

/// Settings without a value.
const UNSET: &[&str] = &[
    "CACHE_PLUGIN_CONNECTION",
    "CONFIG_FILE",
    "DEFAULT_BECOME_EXE",
    "DEFAULT_LOG_PATH",
    "DEFAULT_PRIVATE_KEY_FILE",
    "DEFAULT_REMOTE_PORT",
    "DEFAULT_REMOTE_USER",
    "DEFAULT_VAULT_PASSWORD_FILE",
    "PLAYBOOK_DIR",
    "RETRY_FILES_SAVE_PATH",
];

/// Settings that are off.
const OFF: &[&str] = &[
    "ANSIBLE_NOCOLOR",
    "ANSIBLE_PIPELINING",
    "ANY_ERRORS_FATAL",
    "DEFAULT_ASK_PASS",
    "DEFAULT_ASK_VAULT_PASS",
    "DEFAULT_BECOME",
    "DEFAULT_BECOME_ASK_PASS",
    "DEFAULT_DEBUG",
    "DEFAULT_FORCE_HANDLERS",
    "DEFAULT_KEEP_REMOTE_FILES",
    "DEFAULT_NO_LOG",
    "RETRY_FILES_ENABLED",
    "SHOW_CUSTOM_STATS",
];

/// Settings that are on.
const ON: &[&str] = &[
    "DEFAULT_JINJA2_NATIVE",
    "DEFAULT_UNDEFINED_VAR_BEHAVIOR",
    "DISPLAY_SKIPPED_HOSTS",
    "ERROR_ON_MISSING_HANDLER",
    "HOST_KEY_CHECKING",
    "INJECT_FACTS_AS_VARS",
];

fn folders(name: &str) -> Option<Value> {
    let home = std::env::var("HOME").unwrap_or_else(|_| "/root".into());
    let of = |what: &str| {
        vec![
            format!("{home}/.ansible/{what}"),
            format!("/usr/share/ansible/{what}"),
        ]
    };
    Some(match name {
        "ANSIBLE_HOME" => json!(format!("{home}/.ansible")),
        "CALLBACKS_ENABLED" | "DEFAULT_VAULT_IDENTITY_LIST" | "TAGS_RUN" | "TAGS_SKIP" => json!([]),
        "COLLECTIONS_PATHS" => json!(of("collections")),
        "DEFAULT_ROLES_PATH" => {
            let mut folders = of("roles");
            folders.push("/etc/ansible/roles".into());
            json!(folders)
        }
        _ => return None,
    })
}

fn text_or_number(name: &str) -> Option<Value> {
    Some(match name {
        "CACHE_PLUGIN" => json!("memory"),
        "CACHE_PLUGIN_TIMEOUT" => json!(86_400),
        "DEFAULT_BECOME_FLAGS" => json!(""),
        "DEFAULT_BECOME_METHOD" => json!("sudo"),
        "DEFAULT_BECOME_USER" => json!("root"),
        "DEFAULT_EXECUTABLE" => json!("/bin/sh"),
        "DEFAULT_GATHERING" => json!("implicit"),
        "DEFAULT_HASH_BEHAVIOUR" => json!("replace"),
        "DEFAULT_MANAGED_STR" => json!("Ansible managed"),
        "DEFAULT_POLL_INTERVAL" => json!(15),
        "DEFAULT_STRATEGY" => json!("linear"),
        "DEFAULT_TIMEOUT" => json!(10),
        "DEFAULT_TRANSPORT" => json!("ssh"),
        "DEFAULT_VAULT_IDENTITY" => json!("default"),
        "DUPLICATE_YAML_DICT_KEY" => json!("warn"),
        "MAX_FILE_SIZE_FOR_DIFF" => json!(104_448),
        _ => return None,
    })
}
