//! The fully qualified name of the host, from `/etc/hosts`.
//!
//! The agent is a static program and cannot load the C library's name services, so names that only a name
//! server knows stay short.

/// Finds the full name of `nodename` as `gethostbyaddr` would: name to address, address to its first line,
/// and there the first name with a dot, else the first name.
pub(super) fn fqdn(hosts: &str, nodename: &str) -> String {
    if nodename.contains('.') {
        return nodename.to_owned();
    }
    let entries: Vec<Vec<&str>> = hosts
        .lines()
        .map(words)
        .filter(|entry| entry.len() > 1)
        .collect();
    let address = entries
        .iter()
        .find(|entry| entry[1..].contains(&nodename))
        .map(|entry| entry[0]);
    let names = entries
        .iter()
        .find(|entry| Some(entry[0]) == address)
        .map_or(&[][..], |entry| &entry[1..]);
    let qualified = names.iter().find(|name| name.contains('.'));
    (*qualified.or(names.first()).unwrap_or(&nodename)).to_owned()
}

/// The words of a line without its comment.
fn words(line: &str) -> Vec<&str> {
    line.split('#')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_name_with_a_dot_is_the_full_one() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1 web.example.org web vm # me\n";
        assert_eq!(fqdn(hosts, "vm"), "web.example.org");
    }

    #[test]
    fn an_address_shared_with_localhost_gives_localhost() {
        assert_eq!(
            fqdn("127.0.0.1 localhost\n127.0.0.1 vm\n", "vm"),
            "localhost"
        );
    }

    #[test]
    fn a_name_that_hosts_does_not_know_stays() {
        assert_eq!(fqdn("127.0.0.1 localhost\n", "vm"), "vm");
        assert_eq!(fqdn("", "vm.example.org"), "vm.example.org");
    }

    proptest! {
        #[test]
        fn any_hosts_file_is_survived(hosts in "(?s).*", name in "[a-z.]*") {
            fqdn(&hosts, &name);
        }
    }
}
