//! Users and passwords by host, from a file in the format of `.netrc`.

/// The user and password for a host. The entry `default` stands for all hosts without one.
#[must_use]
pub fn netrc_login(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace);
    let mut is_wanted = false;
    let (mut user, mut password) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if is_wanted && password.is_some() {
                    break;
                }
                is_wanted = word == "default" || words.next() == Some(host);
                (user, password) = (None, None);
            }
            "login" | "user" => user = words.next(),
            "password" => password = words.next(),
            "account" => drop(words.next()),
            _ => {}
        }
    }
    let (user, password) = (user.unwrap_or_default(), password.filter(|_| is_wanted)?);
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_of_the_host_comes_before_the_default() {
        let text = "# own\nmachine a login u password p\nmachine b\n  login v\n  password q\ndefault login d password e\n";
        let login = |host| netrc_login(text, host);
        assert_eq!(login("a"), Some(("u".into(), "p".into())));
        assert_eq!(login("b"), Some(("v".into(), "q".into())));
        assert_eq!(login("c"), Some(("d".into(), "e".into())));
        assert_eq!(netrc_login("machine a login u", "a"), None);
    }
}
