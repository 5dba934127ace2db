//! Against texts that `ansible-vault` of ansible-core 2.19 wrote (`data/`): password `s3cret`, and `other` for the id `dev`.

use rustle_types::Secret;
use rustle_vault::{VaultError, VaultSecrets, decrypt, encrypt, is_encrypted};

const PLAIN: &str = "db_password: hunter2\nlist: [1, 2]\n";
const OF_DEFAULT: &str = include_str!("data/vars-1.1.yml");
const OF_DEV: &str = include_str!("data/vars-1.2.yml");
const OF_FILTER: &str = include_str!("data/filter.txt");

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

#[test]
fn texts_of_ansible_vault_are_decrypted() {
    assert_eq!(decrypt(OF_DEFAULT, "s3cret").unwrap(), PLAIN.as_bytes());
    assert_eq!(decrypt(OF_DEV, "other").unwrap(), PLAIN.as_bytes());
    assert_eq!(decrypt(OF_FILTER, "s3cret").unwrap(), b"hello");
    assert!(is_encrypted(OF_DEV.as_bytes()) && !is_encrypted(b"plain"));
}

#[test]
fn the_same_salt_gives_the_text_that_ansible_gives() {
    let text = encrypt(b"hello", "s3cret", b"a salt", Some("filter_default")).unwrap();
    assert_eq!(text, OF_FILTER);
    for length in [0, 15, 16, 17, 4000] {
        let plain = vec![7; length];
        let text = encrypt(&plain, "p", b"salt", None).unwrap();
        assert!(text.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
        assert_eq!(decrypt(&text, "p").unwrap(), plain);
    }
}

#[test]
fn a_wrong_password_and_a_changed_text_are_told() {
    assert_eq!(decrypt(OF_DEFAULT, "nope"), Err(VaultError::WrongPassword));
    assert_eq!(decrypt("plain", "nope"), Err(VaultError::NoVault));
    let cut: String = OF_DEFAULT.lines().take(3).collect::<Vec<_>>().join("\n");
    assert!(decrypt(&cut, "s3cret").is_err());
    let cipher = OF_DEFAULT.replace("AES256", "AES");
    assert!(matches!(
        decrypt(&cipher, "s3cret"),
        Err(VaultError::Header { .. })
    ));
    assert!(matches!(
        decrypt("$ANSIBLE_VAULT;1.1;AES256\nzz", "p"),
        Err(VaultError::Damaged { .. })
    ));
}

#[test]
fn every_password_is_tried_and_the_error_names_them() {
    let secrets = VaultSecrets::default()
        .with("default", secret("s3cret"))
        .with("dev", secret("other"));
    assert_eq!(secrets.decrypt(OF_DEV).unwrap(), PLAIN);
    assert_eq!(secrets.decrypt(OF_DEFAULT).unwrap(), PLAIN);
    assert_eq!(secrets.reveal(b"a: 1".to_vec()).unwrap(), b"a: 1");
    let wrong = VaultSecrets::default().with("prod", secret("x"));
    assert_eq!(
        wrong.decrypt(OF_DEV).unwrap_err().to_string(),
        "no vault password fits vault id `dev`; tried prod"
    );
    assert_eq!(
        VaultSecrets::default().decrypt(OF_DEV),
        Err(VaultError::NoPassword)
    );
    assert!(!format!("{secrets:?}").contains("s3cret"));
}
