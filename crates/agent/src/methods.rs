//! The programs by which one becomes another user, and how each wants to be called.

use std::fmt::Write as _;

use rustle_process::{Command, split_command};
use rustle_protocol::Become;

/// What the words of a program are in; ours are taken from it where it ends.
const LANGUAGE: &str = "C";

/// A program by which one becomes another user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Sudo,
    Su,
    Doas,
    Runuser,
}

impl Method {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "sudo" => Some(Self::Sudo),
            "su" => Some(Self::Su),
            "doas" => Some(Self::Doas),
            "runuser" => Some(Self::Runuser),
            _ => None,
        }
    }

    /// Whether it takes a password from its terminal only, and not from its stdin.
    pub(crate) const fn asks_at_terminal(self) -> bool {
        matches!(self, Self::Doas)
    }

    /// The command that runs `line` by `sh` as the user. Where `sudo` asks for a password it says `prompt`; the others choose their words.
    pub(crate) fn command(
        self,
        as_user: &Become,
        prompt: &str,
        line: &str,
    ) -> Result<Command, String> {
        let exe = as_user.exe.as_deref().unwrap_or(&as_user.method);
        let words = split_command(exe).map_err(|error| format!("`become_exe`: {error}"))?;
        let Some((program, first)) = words.split_first() else {
            return Err("`become_exe` names no program".into());
        };
        let command = Command::new(program)
            .args(first)
            .env("LC_ALL", LANGUAGE)
            .new_session();
        let user = as_user.user.as_str();
        let asks = as_user.password.is_some();
        Ok(match self {
            Self::Sudo => {
                let flags = sudo_flags(&as_user.flags);
                let line = if by_shell(&flags) {
                    without_dollars(line)
                } else {
                    line.to_owned()
                };
                let command = command.args(flags);
                let command = if asks {
                    command.args(["-S", "-p", prompt])
                } else {
                    command.arg("-n")
                };
                command.args(["-u", user, "--", "/bin/sh", "-c", &line])
            }
            Self::Su | Self::Runuser => {
                // The user comes last: what follows it is not an option for every `su`.
                let flags = as_user.flags.iter().map(|flag| match flag.as_str() {
                    "-" => "-l",
                    other => other,
                });
                command
                    .args(flags)
                    .args(["-s", "/bin/sh", "-c", line, user])
            }
            Self::Doas => {
                let flags = as_user.flags.iter().filter(|flag| *flag != "-n");
                let command = command.args(flags);
                let command = if asks { command } else { command.arg("-n") };
                command.args(["-u", user, "/bin/sh", "-c", line])
            }
        })
    }
}

/// The user's flags for sudo, in place of the usual `-H`. Whether it may ask, and where it reads the answer, is decided here, so flags
/// about that are left out.
fn sudo_flags(flags: &[String]) -> Vec<String> {
    if flags.is_empty() {
        return vec!["-H".into()];
    }
    let without_arguments =
        |letters: &str| letters.chars().all(|c| "ABbEeHiKklNnPSsVv".contains(c));
    flags
        .iter()
        .filter(|flag| !matches!(flag.as_str(), "--non-interactive" | "--stdin"))
        .filter_map(|flag| match flag.strip_prefix('-') {
            Some(letters) if !letters.is_empty() && without_arguments(letters) => {
                let rest = letters.replace(['n', 'S'], "");
                (!rest.is_empty()).then(|| format!("-{rest}"))
            }
            _ => Some(flag.clone()),
        })
        .collect()
}

/// Whether sudo hands its command to the user's shell as a text. It quotes everything in it but dollars.
fn by_shell(flags: &[String]) -> bool {
    flags.iter().any(|flag| match flag.strip_prefix('-') {
        Some("-login" | "-shell") => true,
        Some(letters) => !letters.starts_with('-') && letters.contains(['i', 's']),
        None => false,
    })
}

/// A line that does the same, and in which no shell before `sh` finds anything to replace.
fn without_dollars(line: &str) -> String {
    let told = line.chars().fold(String::new(), |mut told, c| {
        match c {
            '$' | '\'' | '"' | '`' | '\\' | '%' => {
                // Writing to a String cannot fail.
                let _ = write!(told, "\\0{:03o}", u32::from(c));
            }
            _ => told.push(c),
        }
        told
    });
    format!("eval \"`printf %b '{told}'`\"")
}

/// The line as the other user runs it. What a program that keeps the environment would keep of the first user's (whose folders these are) is
/// forgotten, and the language is what it was.
pub(crate) fn surrounded(line: &str, has_terminal: bool) -> String {
    let language = std::env::var("LC_ALL").ok().filter(|name| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-@".contains(c))
    });
    let language = language.map_or_else(
        || "unset LC_ALL".to_owned(),
        |name| format!("LC_ALL={name}; export LC_ALL"),
    );
    let own = "unset XDG_CACHE_HOME XDG_RUNTIME_DIR; LOGNAME=$(id -un 2>/dev/null || echo $LOGNAME); USER=$LOGNAME; export LOGNAME USER";
    // Whoever leads the session cannot leave its terminal, so the shell stays, and its child goes.
    let (line, end) = match line.strip_prefix("exec ") {
        Some(line) if has_terminal => (line, "; exit $?"),
        _ => (line, ""),
    };
    format!("{language}; {own}; {line}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(method: &str, flags: &[&str], password: Option<&str>) -> String {
        let as_user = Become {
            method: method.into(),
            user: "app".into(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            exe: None,
            password: password.map(str::to_owned),
            timeout_ms: None,
        };
        let command = Method::named(method)
            .expect("it is known")
            .command(&as_user, "PROMPT", "LINE");
        format!("{:?}", command.expect("it can be called"))
    }

    #[test]
    fn flags_of_the_user_replace_the_usual_ones_and_cannot_stop_the_password() {
        assert!(shown("sudo", &[], None).contains(r#"["-H", "-n", "-u", "app", "--""#));
        let asked = shown("sudo", &["-HSn", "-E", "-g", "Sn", "-n"], Some("x"));
        assert!(
            asked.contains(r#"["-H", "-E", "-g", "Sn", "-S", "-p", "PROMPT", "-u""#),
            "{asked}"
        );
    }

    #[test]
    fn passwords_are_in_no_argument() {
        for method in ["sudo", "su", "doas", "runuser"] {
            assert!(!shown(method, &[], Some("s3cret")).contains("s3cret"));
        }
    }

    #[test]
    fn line_for_a_shell_between_has_no_dollars_and_does_the_same() {
        let line = r#"a="x y"; exec /bin/sh -c 'echo "<$1>" \\n' sh "$a""#;
        let told = without_dollars(line);
        assert!(!told.contains('$'));
        assert_eq!(
            told.replace("\\0044", "$")
                .replace("\\0047", "'")
                .replace("\\0042", "\"")
                .replace("\\0134", "\\"),
            format!("eval \"`printf %b '{line}'`\"")
        );
        assert!(by_shell(&["-Hi".into()]) && !by_shell(&["-H".into(), "--set-home".into()]));
    }

    #[test]
    fn su_is_told_the_user_last() {
        let told = shown("su", &["-"], None);
        assert!(
            told.contains(r#"["-l", "-s", "/bin/sh", "-c", "LINE", "app"]"#),
            "{told}"
        );
    }
}
