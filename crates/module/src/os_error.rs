//! Errors of the operating system in the words that Ansible's results use.

use std::io;

/// `[Errno 2] No such file or directory: b'/x'`, as Python writes it.
#[must_use]
pub fn describe(error: &io::Error, path: &str) -> String {
    format!("{}: b'{path}'", describe_bare(error))
}

/// `[Errno 2] No such file or directory`, or the error's own text where there is no number.
#[must_use]
pub fn describe_bare(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {}", text_of(error)),
        None => error.to_string(),
    }
}

/// What the error is, without its number.
#[must_use]
pub fn text_of(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_python_writes_them() {
        let error = io::Error::from_raw_os_error(20);
        assert_eq!(
            describe(&error, "f/d"),
            "[Errno 20] Not a directory: b'f/d'"
        );
        assert_eq!(describe_bare(&io::Error::other("odd")), "odd");
    }
}
