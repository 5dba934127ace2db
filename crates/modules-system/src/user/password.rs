//! Passwords: what counts as a hash, and setting one.

use rustle_module::{Failure, Target};

use rustle_module::tool::{Ran, Tool};

/// What the user is told of a password that is none of the known hashes.
pub(super) const NOT_HASHED: &str = "The input password appears not to have been hashed. The 'password' argument must be encrypted for this module to work properly.";

/// Whether a password seems to be the password itself, not its hash. Those that disable an account are none.
pub(super) fn seems_plain(password: &str) -> bool {
    if ["*", "!", "*************"].contains(&password) {
        return false;
    }
    if password.contains([':', '*', '!']) {
        return true;
    }
    let fields: Vec<&str> = password.split('$').collect();
    if fields.len() < 3 {
        return true;
    }
    let hash = fields[fields.len() - 1];
    let is_strange = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '/' | '=');
    let length = match fields[1] {
        "1" => Some(22),
        "5" => Some(43),
        "6" => Some(86),
        _ => None,
    };
    hash.contains(is_strange) || length.is_some_and(|length| hash.len() != length)
}

/// Sets the hash of a user's password, which `chpasswd` reads by stdin.
///
/// # Errors
/// When it cannot be in a line of its own, or `chpasswd` cannot be run.
pub(super) async fn set(target: &dyn Target, name: &str, hash: &str) -> Result<Ran, Failure> {
    if hash.contains(['\n', ':']) || name.contains(['\n', ':']) {
        let msg = "a password's hash (and a user's name) cannot have a colon or a line feed";
        return Err(Failure::new(msg));
    }
    let tool = Tool::find(target, "chpasswd")?;
    let command = tool.command(["-e"]).stdin(format!("{name}:{hash}\n"));
    tool.run_command(command).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_told_from_passwords() {
        let sha512 = format!("$6$salt${}", "a".repeat(86));
        for (password, expected) in [
            ("*", false),
            ("!", false),
            ("secret", true),
            ("a:b", true),
            ("$6$salt$short", true),
            ("$y$j9T$salt$hash./", false),
            ("$6$salt$é", true),
            (sha512.as_str(), false),
        ] {
            assert_eq!(seems_plain(password), expected, "{password}");
        }
    }
}
