//! The `$1$` hash of passwords: MD5, a thousand times.

use md5::{Digest, Md5};

const ROUNDS: u32 = 1000;

/// The digest of a password and a salt.
pub(super) fn md5_crypt(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let second = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut first = Md5::new()
        .chain_update(password)
        .chain_update(b"$1$")
        .chain_update(salt);
    for start in (0..password.len()).step_by(16) {
        first.update(&second[..(password.len() - start).min(16)]);
    }
    let mut length = password.len();
    while length > 0 {
        let byte = if length & 1 == 1 { 0 } else { password[0] };
        first.update([byte]);
        length >>= 1;
    }
    let mut digest = first.finalize();
    for round in 0..ROUNDS {
        let mut next = Md5::new();
        let is_odd = round % 2 == 1;
        next.update(if is_odd { password } else { &digest[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if is_odd { &digest[..] } else { password });
        digest = next.finalize();
    }
    digest.into()
}
