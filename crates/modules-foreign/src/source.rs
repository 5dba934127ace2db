//! What a module's file says of itself: its protocol, and what runs it.

use rustle_module::foreign::{ARGS_MARK, Protocol};

/// What stands in modules of the time before Ansible 2.1 where Ansible's own code goes.
const COMMON_MARK: &str = "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>";

/// How much of a file is looked at to tell text from a binary, in bytes.
const LOOKED_AT: usize = 1024;

/// What a module's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// How it takes its arguments.
    pub(crate) protocol: Protocol,
    /// The words behind `#!`; none for a binary.
    pub(crate) interpreter: Vec<String>,
}

/// Reads how the module in `bytes` wants to be run.
///
/// # Errors
/// Why it cannot be run, as what follows its name.
pub(crate) fn read(bytes: &[u8]) -> Result<Source, &'static str> {
    if is_binary(bytes) {
        return Ok(Source {
            protocol: Protocol::JsonFile,
            interpreter: Vec::new(),
        });
    }
    let has = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let interpreter = interpreter(bytes);
    let is_powershell = has("#AnsibleRequires") || has("#Requires -Module");
    if is_powershell || interpreter.first().is_some_and(|word| word == "powershell") {
        return Err("is written for Windows");
    }
    if has(COMMON_MARK) {
        return Err("is written for Ansible before 2.1");
    }
    let protocol = if imports_ansible(bytes) {
        Protocol::JsonOnStdin
    } else if has(ARGS_MARK) {
        Protocol::JsonInText
    } else if has("WANT_JSON") {
        Protocol::JsonFile
    } else {
        Protocol::KeyValueFile
    };
    if protocol == Protocol::JsonOnStdin {
        let interpreter = python_interpreter(bytes);
        return Ok(Source {
            protocol,
            interpreter,
        });
    }
    if interpreter.is_empty() {
        return Err("is missing interpreter line");
    }
    Ok(Source {
        protocol,
        interpreter,
    })
}

/// Whether there is a control character in the beginning that no text has.
fn is_binary(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    start
        .iter()
        .any(|byte| matches!(byte, 0..=6 | 11 | 14..=26 | 28..=31 | 127))
}

/// What runs a Python module; the usual one where it does not say.
pub(crate) fn python_interpreter(bytes: &[u8]) -> Vec<String> {
    let written = interpreter(bytes);
    if written.is_empty() {
        vec!["/usr/bin/python".to_owned()]
    } else {
        written
    }
}

/// The words behind `#!`.
fn interpreter(bytes: &[u8]) -> Vec<String> {
    let line = bytes.split(|byte| *byte == b'\n').next();
    let line = line.and_then(|line| line.strip_prefix(b"#!"));
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    line.split_whitespace().map(str::to_owned).collect()
}

/// Whether a module is a Python one that uses what Ansible has for them.
fn imports_ansible(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let (Some("import" | "from"), Some(what)) = (words.next(), words.next()) else {
            return false;
        };
        what.starts_with("ansible.module_utils")
            || what.starts_with("ansible_collections.") && what.contains(".module_utils")
            || what.starts_with('.') && what.contains("module_utils")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_is_told_by_what_stands_in_the_file() {
        for (text, protocol) in [
            ("#!/bin/sh\n. $1\n", Protocol::KeyValueFile),
            ("#!/usr/bin/perl\n# WANT_JSON\n", Protocol::JsonFile),
            (
                "#!/usr/bin/python\na = '''<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>'''\n",
                Protocol::JsonInText,
            ),
            (
                "#!/usr/bin/python\nif 1:\n    from ansible.module_utils.basic import *\n",
                Protocol::JsonOnStdin,
            ),
            (
                "#!/usr/bin/python\nfrom ..module_utils.x import y  # WANT_JSON\n",
                Protocol::JsonOnStdin,
            ),
            (
                "#!/usr/bin/python\n# uses ansible.module_utils\n",
                Protocol::KeyValueFile,
            ),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().protocol, protocol, "{text}");
        }
        let binary = read(b"\x7fELF\x02\x01\x01\0").unwrap();
        assert_eq!(
            (binary.protocol, binary.interpreter.len()),
            (Protocol::JsonFile, 0)
        );
    }

    #[test]
    fn file_that_nothing_runs_is_refused() {
        assert_eq!(read(b"echo"), Err("is missing interpreter line"));
        assert_eq!(read(b"#!powershell\n"), Err("is written for Windows"));
        let words = read(b"#!/usr/bin/env python3 -u\r\nx").unwrap().interpreter;
        assert_eq!(words, ["/usr/bin/env", "python3", "-u"]);
    }
}
