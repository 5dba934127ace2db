//! Inventories of test servers.

use serde_json::{Map, Value, json};

use crate::sshd::Sshd;

impl Sshd {
    /// Returns the inventory variables by which the server is reached, in the order of Ansible's manual.
    #[must_use]
    pub fn ansible_vars(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("ansible_host", json!("127.0.0.1")),
            ("ansible_port", json!(self.port())),
            ("ansible_user", json!(self.user())),
            ("ansible_ssh_private_key_file", json!(self.client_key())),
            (
                "ansible_ssh_common_args",
                json!(self.common_args().join(" ")),
            ),
        ]
    }

    /// Returns the server's line of an INI inventory, under the name `name`.
    #[must_use]
    pub fn inventory_line(&self, name: &str) -> String {
        let words = self
            .ansible_vars()
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) if text.contains(' ') => format!("{key}='{text}'"),
                Value::String(text) => format!("{key}={text}"),
                other => format!("{key}={other}"),
            });
        std::iter::once(name.to_owned())
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Returns an INI inventory of these hosts, all in the group `hosts`.
#[must_use]
pub fn ini_inventory<'a>(hosts: impl IntoIterator<Item = (&'a str, &'a Sshd)>) -> String {
    let lines = hosts
        .into_iter()
        .map(|(name, host)| host.inventory_line(name) + "\n");
    std::iter::once("[hosts]\n".to_owned())
        .chain(lines)
        .collect()
}

/// Returns an inventory of these hosts in the shape that `ansible-inventory --list` prints.
#[must_use]
pub fn json_inventory<'a>(hosts: impl IntoIterator<Item = (&'a str, &'a Sshd)>) -> Value {
    let vars: Map<String, Value> = hosts
        .into_iter()
        .map(|(name, host)| (name.to_owned(), host.ansible_vars().into_iter().collect()))
        .collect();
    let names: Vec<&String> = vars.keys().collect();
    json!({
        "hosts": { "hosts": names },
        "all": { "children": ["hosts", "ungrouped"] },
        "_meta": { "hostvars": vars },
    })
}
