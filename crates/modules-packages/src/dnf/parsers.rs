//! What `dnf`, `yum` and `dnf5` print.

use serde_json::{Value, json};

/// Reads the packages of a transaction: below lines such as `Installing:`, one a line with its columns.
pub(super) fn parse_transaction(stdout: &str) -> Vec<String> {
    let mut results = Vec::new();
    let mut heading = None;
    for line in stdout.lines() {
        if let Some(word) = line.trim_end().strip_suffix(':').and_then(section) {
            heading = Some(word);
            continue;
        }
        if line.starts_with("Transaction Summary") || line.trim().is_empty() {
            heading = None;
            continue;
        }
        let Some(word) = heading else {
            continue;
        };
        let columns: Vec<&str> = line.split_whitespace().collect();
        if let (true, &[name, arch, version, ..]) = (line.starts_with(' '), columns.as_slice())
            && version.contains('-')
        {
            results.push(format!("{word}: {name}-{version}.{arch}"));
        }
    }
    results
}

/// What a heading of a transaction's table says is done.
fn section(heading: &str) -> Option<&'static str> {
    Some(match heading {
        "Installing"
        | "Installing dependencies"
        | "Installing weak dependencies"
        | "Reinstalling" => "Installed",
        "Upgrading" => "Upgraded",
        "Removing"
        | "Removing dependent packages"
        | "Removing unused dependencies"
        | "Removing unused" => "Removed",
        "Downgrading" => "Downgraded",
        _ => return None,
    })
}

/// Reads a list of packages, one a line with its fields.
pub(super) fn parse_list(stdout: &str) -> Vec<Value> {
    let lines = stdout.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split('|').collect();
        let &[name, epoch, version, release, arch, repo] = fields.as_slice() else {
            return None;
        };
        let is_installed = repo == "@System" || repo.is_empty();
        Some(json!({
            "name": name,
            "arch": arch,
            "epoch": epoch,
            "release": release,
            "version": version,
            "repo": repo,
            "nevra": format!("{epoch}:{name}-{version}-{release}.{arch}"),
            "envra": format!("{epoch}:{name}-{version}-{release}.{arch}"),
            "yumstate": if is_installed { "installed" } else { "available" },
        }))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DNF4: &str = "Last metadata expiration check: 0:01:12 ago.
Dependencies resolved.
================================================================================
 Package          Architecture  Version               Repository           Size
================================================================================
Installing:
 httpd            x86_64        2.4.57-5.el9          appstream            47 k
Installing dependencies:
 apr              x86_64        1.7.0-12.el9_3        appstream           123 k
Removing:
 sl               x86_64        5.02-1.el9            @epel                33 k

Transaction Summary
================================================================================
Install  2 Packages
Operation aborted.
";

    #[test]
    fn transactions_are_read_from_their_table() {
        let expected = [
            "Installed: httpd-2.4.57-5.el9.x86_64",
            "Installed: apr-1.7.0-12.el9_3.x86_64",
            "Removed: sl-5.02-1.el9.x86_64",
        ];
        assert_eq!(parse_transaction(DNF4), expected);
        assert!(
            parse_transaction("Dependencies resolved.\nNothing to do.\nComplete!\n").is_empty()
        );
    }

    #[test]
    fn lists_have_their_fields() {
        let list = parse_list("bash|0|5.1.8|6.el9|x86_64|@System\n");
        assert_eq!(list[0]["nevra"], "0:bash-5.1.8-6.el9.x86_64");
        assert_eq!(list[0]["yumstate"], "installed");
    }
}
