//! Hashes of passwords in the form of `crypt(3)`, with the defaults of passlib, which Ansible uses.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, text};
use super::md5_crypt::md5_crypt;
use crate::error::invalid;
use crate::python_random::PythonRandom;

const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(environment, &[("password_hash", password_hash)]);
}

fn password_hash(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let kind = args.text_or(0, "hashtype", "sha512");
    let salt = args.text(1, "salt").filter(|salt| !salt.is_empty());
    let size = args.whole(2, "salt_size")?.filter(|size| *size != 0);
    let rounds = args.whole(3, "rounds")?.filter(|rounds| *rounds != 0);
    let settings = HashSettings {
        salt,
        salt_size: size
            .map(usize::try_from)
            .transpose()
            .map_err(|_| invalid("`salt_size` is negative"))?,
        rounds: rounds
            .map(u32::try_from)
            .transpose()
            .map_err(|_| invalid("`rounds` is out of range"))?,
        ident: args.text(4, "ident").filter(|ident| !ident.is_empty()),
    };
    hash_password(&text(value), &kind, &settings)
        .map(Value::from)
        .map_err(invalid)
}

/// How a password is hashed.
#[derive(Clone, Debug, Default)]
pub struct HashSettings {
    /// The salt; by chance where there is none.
    pub salt: Option<String>,
    /// How long a salt by chance is.
    pub salt_size: Option<usize>,
    /// How often it is hashed, or for bcrypt the power of two of that.
    pub rounds: Option<u32>,
    /// The variant of bcrypt.
    pub ident: Option<String>,
}

/// One way to hash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Md5,
    Bcrypt,
    Sha256,
    Sha512,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "md5" | "md5_crypt" => Self::Md5,
            "blowfish" | "bcrypt" => Self::Bcrypt,
            "sha256" | "sha256_crypt" => Self::Sha256,
            "sha512" | "sha512_crypt" => Self::Sha512,
            _ => return None,
        })
    }

    const fn salt_length(self) -> usize {
        match self {
            Self::Md5 => 8,
            Self::Bcrypt => 22,
            Self::Sha256 | Self::Sha512 => 16,
        }
    }

    fn salt(self, settings: &HashSettings) -> Result<String, String> {
        let longest = self.salt_length();
        let Some(salt) = &settings.salt else {
            let length = settings.salt_size.unwrap_or(longest);
            if length > longest {
                return Err(format!("a salt has at most {longest} characters here"));
            }
            return Ok(random_salt(length));
        };
        let is_exact = self == Self::Bcrypt;
        if salt.len() > longest || (is_exact && salt.len() != longest) {
            let limit = if is_exact { "exactly" } else { "at most" };
            return Err(format!(
                "a salt has {limit} {longest} characters here, and there are {}",
                salt.len()
            ));
        }
        if !salt.bytes().all(|byte| DIGITS.contains(&byte)) {
            return Err("a salt has letters, digits, `.` and `/` only".into());
        }
        Ok(salt.clone())
    }
}

/// A salt of letters, digits, `.` and `/`, by chance.
fn random_salt(length: usize) -> String {
    let mut random = PythonRandom::from_entropy();
    (0..length)
        .filter_map(|_| random.choose(DIGITS).copied().map(char::from))
        .collect()
}

/// Hashes a password with `md5`, `blowfish`, `sha256` or `sha512`.
///
/// # Errors
///
/// Why it cannot be hashed so, for people.
pub fn hash_password(
    password: &str,
    kind: &str,
    settings: &HashSettings,
) -> Result<String, String> {
    let kind = Kind::of(kind).ok_or_else(|| {
        format!("hash `{kind}` is not known; there are md5, blowfish, sha256 and sha512")
    })?;
    let salt = kind.salt(settings)?;
    let secret = password.as_bytes();
    match kind {
        Kind::Md5 => {
            let digest = md5_crypt(secret, salt.as_bytes());
            Ok(format!("$1${salt}${}", digits(&digest, &MD5_ORDER)))
        }
        Kind::Bcrypt => bcrypt(secret, &salt, settings),
        Kind::Sha256 => {
            let (rounds, shown) = sha_rounds(settings, 535_000)?;
            let digest = sha_crypt::sha256_crypt(secret, salt.as_bytes(), rounds);
            Ok(format!(
                "$5${shown}{salt}${}",
                digits(&digest, &turning(10, 31, 30))
            ))
        }
        Kind::Sha512 => {
            let (rounds, shown) = sha_rounds(settings, 656_000)?;
            let digest = sha_crypt::sha512_crypt(secret, salt.as_bytes(), rounds);
            Ok(format!(
                "$6${shown}{salt}${}",
                digits(&digest, &turning(21, 63, 63))
            ))
        }
    }
}

fn sha_rounds(settings: &HashSettings, usual: u32) -> Result<(sha_crypt::Params, String), String> {
    let rounds = settings.rounds.unwrap_or(usual);
    let params = sha_crypt::Params::new(rounds)
        .map_err(|_| "rounds have to be from 1000 to 999999999".to_owned())?;
    let shown = if rounds == sha_crypt::Params::RECOMMENDED_ROUNDS {
        String::new()
    } else {
        format!("rounds={rounds}$")
    };
    Ok((params, shown))
}

fn bcrypt(secret: &[u8], salt: &str, settings: &HashSettings) -> Result<String, String> {
    // The last character of a salt has four bits that mean nothing.
    let reader = GeneralPurpose::new(
        &BCRYPT,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::RequireNone)
            .with_decode_allow_trailing_bits(true),
    );
    let bytes: [u8; 16] = reader
        .decode(salt)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("the salt is none of bcrypt")?;
    let version = match settings
        .ident
        .as_deref()
        .map(|ident| ident.trim_matches('$'))
    {
        None | Some("2b") => bcrypt::Version::TwoB,
        Some("2a") => bcrypt::Version::TwoA,
        Some("2y") => bcrypt::Version::TwoY,
        Some(other) => {
            return Err(format!(
                "ident `{other}` is not known; there are 2a, 2b and 2y"
            ));
        }
    };
    bcrypt::hash_with_salt(secret, settings.rounds.unwrap_or(12), bytes)
        .map(|parts| parts.format_for_version(version))
        .map_err(|error| error.to_string())
}

/// The order in which the bytes of an MD5 digest are written, three to four characters.
const MD5_ORDER: [[Option<usize>; 3]; 6] = [
    [Some(0), Some(6), Some(12)],
    [Some(1), Some(7), Some(13)],
    [Some(2), Some(8), Some(14)],
    [Some(3), Some(9), Some(15)],
    [Some(4), Some(10), Some(5)],
    [None, None, Some(11)],
];

/// The order for SHA digests: three places a third apart, each group turned by one against the last.
fn turning(third: usize, middle: usize, last: usize) -> Vec<[Option<usize>; 3]> {
    let is_sha256 = third == 10;
    let mut groups: Vec<[Option<usize>; 3]> = (0..third)
        .map(|row| {
            let places = [row, row + third, row + 2 * third].map(Some);
            let mut turned = places;
            let by = if is_sha256 {
                (3 - row % 3) % 3
            } else {
                row % 3
            };
            turned.rotate_left(by);
            turned
        })
        .collect();
    groups.push(if is_sha256 {
        [None, Some(middle), Some(last)]
    } else {
        [None, None, Some(last)]
    });
    groups
}

fn digits(digest: &[u8], order: &[[Option<usize>; 3]]) -> String {
    let byte = |place: Option<usize>| place.map_or(0, |place| u32::from(digest[place]));
    let mut out = String::new();
    for group in order {
        let mut word = byte(group[0]) << 16 | byte(group[1]) << 8 | byte(group[2]);
        let length = group.iter().flatten().count() + 1;
        for _ in 0..length {
            out.push(char::from(DIGITS[(word & 63) as usize]));
            word >>= 6;
        }
    }
    out
}
