//! Names that nobody can guess.

use std::fs::File;
use std::io::{self, Read};

/// The characters of such a name.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";

/// The characters that it ends in, so that it can be told from a word.
const DIGITS: &[u8] = b"0123456789";

/// Eight characters that nobody can guess, a digit at the end.
///
/// # Errors
/// When the kernel gives no random bytes.
pub fn random_name() -> io::Result<String> {
    let mut numbers = [[0; 8]; 8];
    let mut random = File::open("/dev/urandom")?;
    for number in &mut numbers {
        random.read_exact(number)?;
    }
    let pick = |(at, number): (usize, [u8; 8])| {
        let from = if at < 7 { LETTERS } else { DIGITS };
        let length = u64::try_from(from.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(u64::from_ne_bytes(number) % length);
        char::from(from[index.unwrap_or_default()])
    };
    Ok(numbers.into_iter().enumerate().map(pick).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_have_eight_letters() {
        let (one, other) = (random_name(), random_name());
        let (one, other) = (one.expect("random"), other.expect("random"));
        assert_ne!(one, other);
        assert_eq!(one.len(), 8);
    }
}
