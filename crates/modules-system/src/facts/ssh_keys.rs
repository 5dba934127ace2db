//! The public host keys of the ssh server.

use super::{Facts, Root, insert};

/// Gathers `ssh_host_key_*_public` and their types, from the first folder that has keys.
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = Facts::new();
    for folder in ["/etc/ssh", "/etc/openssh", "/etc"] {
        for algorithm in ["dsa", "rsa", "ecdsa", "ed25519"] {
            let Some(text) = root.text(format!("{folder}/ssh_host_{algorithm}_key.pub")) else {
                continue;
            };
            let mut words = text.split_whitespace();
            if let (Some(kind), Some(key)) = (words.next(), words.next()) {
                insert(&mut facts, &format!("ssh_host_key_{algorithm}_public"), key);
                insert(
                    &mut facts,
                    &format!("ssh_host_key_{algorithm}_public_keytype"),
                    kind,
                );
            }
        }
        if !facts.is_empty() {
            break;
        }
    }
    facts
}
