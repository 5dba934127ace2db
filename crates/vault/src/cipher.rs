//! AES256 vaults: a key by PBKDF2, AES in counter mode, an HMAC over what is encrypted.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::VaultError;
use crate::envelope::{Envelope, from_hex, to_hex};

/// How many bytes of salt a new vault should have.
pub const SALT_LENGTH: usize = 32;

const ROUNDS: u32 = 10_000;
const KEY: usize = 32;
const NONCE: usize = 16;
/// The length in bytes to whose multiples a plain text is filled up.
const BLOCK: usize = 16;

/// Decrypts a text, whatever the label in its header.
///
/// # Errors
/// When the text is no vault or damaged, or the password is another one.
pub fn decrypt(text: &str, password: &str) -> Result<Vec<u8>, VaultError> {
    open(&Envelope::open(text)?.body, password)
}

/// Encrypts bytes. The label goes into the header, unless it is `default`.
///
/// # Errors
/// When the salt is empty.
pub fn encrypt(
    plain: &[u8],
    password: &str,
    salt: &[u8],
    label: Option<&str>,
) -> Result<String, VaultError> {
    if salt.is_empty() {
        return Err(VaultError::EmptySalt);
    }
    let keys = Keys::derive(password, salt);
    let mut data = plain.to_vec();
    let fill = BLOCK - data.len() % BLOCK;
    data.extend(std::iter::repeat_n(
        u8::try_from(fill).unwrap_or_default(),
        fill,
    ));
    keys.apply(&mut data);
    let seal = keys.seal(&data).finalize().into_bytes();
    let parts = [to_hex(salt), to_hex(&seal), to_hex(&data)].join("\n");
    Ok(Envelope::close(label, parts.as_bytes()))
}

/// Decrypts the body of an envelope.
pub(crate) fn open(body: &[u8], password: &str) -> Result<Vec<u8>, VaultError> {
    let mut parts = body.splitn(3, |byte| *byte == b'\n').map(from_hex);
    let mut next = || {
        parts.next().unwrap_or(Err(VaultError::Damaged {
            what: "a part of it is missing",
        }))
    };
    let (salt, seal, mut data) = (next()?, next()?, next()?);
    let keys = Keys::derive(password, &salt);
    keys.seal(&data)
        .verify_slice(&seal)
        .map_err(|_| VaultError::WrongPassword)?;
    keys.apply(&mut data);
    let fill = usize::from(data.last().copied().unwrap_or_default());
    let is_filled = (1..=BLOCK).contains(&fill)
        && data
            .iter()
            .rev()
            .take(fill)
            .all(|byte| usize::from(*byte) == fill);
    if !is_filled || data.len() < fill {
        return Err(VaultError::Damaged {
            what: "its end is not filled up",
        });
    }
    data.truncate(data.len() - fill);
    Ok(data)
}

/// What a password and a salt come to.
struct Keys([u8; KEY + KEY + NONCE]);

impl Keys {
    fn derive(password: &str, salt: &[u8]) -> Self {
        Self(pbkdf2::pbkdf2_hmac_array::<Sha256, { KEY + KEY + NONCE }>(
            password.as_bytes(),
            salt,
            ROUNDS,
        ))
    }

    /// Encrypts or decrypts in place: in counter mode both are the same.
    fn apply(&self, data: &mut [u8]) {
        let (mut key, mut nonce) = ([0; KEY], [0; NONCE]);
        key.copy_from_slice(&self.0[..KEY]);
        nonce.copy_from_slice(&self.0[KEY + KEY..]);
        Ctr128BE::<Aes256>::new(&key.into(), &nonce.into()).apply_keystream(data);
    }

    fn seal(&self, data: &[u8]) -> Hmac<Sha256> {
        // HMAC fills short keys with zeros itself; a whole block is what can be given without a length to check.
        let mut block = [0; 64];
        block[..KEY].copy_from_slice(&self.0[KEY..KEY + KEY]);
        let mut seal = Hmac::<Sha256>::new(&block.into());
        seal.update(data);
        seal
    }
}
