//! How the host resolves names.

use serde_json::{Map, Value, json};

use super::{Facts, Root, insert};

/// Gathers `dns` from resolv.conf.
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = Facts::new();
    insert(
        &mut facts,
        "dns",
        parse(&root.text("/etc/resolv.conf").unwrap_or_default()),
    );
    facts
}

/// Name servers add up; of the other settings the last line counts.
fn parse(text: &str) -> Map<String, Value> {
    let mut dns = Map::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(keyword) = words.next() else {
            continue;
        };
        match keyword {
            "nameserver" => {
                let servers = dns.entry(keyword_key(keyword)).or_insert_with(|| json!([]));
                if let Value::Array(servers) = servers {
                    servers.extend(words.map(Value::from));
                }
            }
            "domain" => {
                if let Some(domain) = words.next() {
                    insert(&mut dns, keyword, domain);
                }
            }
            "search" | "sortlist" => insert(&mut dns, keyword, words.collect::<Vec<_>>()),
            "options" => {
                let options: Map<String, Value> = words.map(option).collect();
                insert(&mut dns, keyword, options);
            }
            _ => {}
        }
    }
    dns
}

fn keyword_key(keyword: &str) -> String {
    format!("{keyword}s")
}

/// `ndots:2` has the text `2`, `rotate` is true.
fn option(word: &str) -> (String, Value) {
    match word.split_once(':') {
        Some((key, value)) => (key.to_owned(), json!(value)),
        None => (word.to_owned(), json!(true)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn resolv_conf_is_read() {
        let text = "# c\n; d\ndomain ex.com\nsearch a.b c.d\nsortlist 10.0.0.0/8 192.168.1.0\noptions ndots:2 rotate\nnameserver 1.1.1.1\nnameserver 2.2.2.2 3.3.3.3\n";
        let expected = json!({
            "domain": "ex.com", "search": ["a.b", "c.d"], "sortlist": ["10.0.0.0/8", "192.168.1.0"],
            "options": {"ndots": "2", "rotate": true}, "nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"],
        });
        assert_eq!(Value::Object(parse(text)), expected);
    }

    proptest! {
        #[test]
        fn any_resolv_conf_is_survived(text in "(?s).*", words in "(nameserver|options|search|domain|[ :\n#a])*") {
            parse(&text);
            parse(&words);
        }
    }
}
