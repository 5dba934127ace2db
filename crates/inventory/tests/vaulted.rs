//! Encrypted files of variables.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use rustle_inventory::{InventorySource, VaultedFiles, load};
use rustle_types::Secret;
use rustle_vault::{VaultSecrets, encrypt};

fn write(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn secrets(password: &str) -> VaultSecrets {
    VaultSecrets::default().with("default", Secret::new(password.into()))
}

#[test]
fn encrypted_files_are_read_with_the_password_and_named_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let vars = encrypt(b"db_password: hunter2\n", "pw", b"salt", None).unwrap();
    write(folder.path(), "hosts", "[db]\ndb1\n");
    write(folder.path(), "group_vars/db.yml", &vars);
    let sources = [InventorySource::Path(folder.path().join("hosts"))];
    let read = |secrets| load(&sources, None, &VaultedFiles::new(Arc::new(secrets)));

    let loaded = read(secrets("pw")).unwrap();
    assert_eq!(
        loaded.inventory.groups["db"].file_vars["db_password"],
        "hunter2"
    );

    let error = read(secrets("other")).unwrap_err();
    assert!(error.to_string().contains("group_vars/db.yml"), "{error}");
    let without = read(VaultSecrets::default()).unwrap_err();
    assert!(without.to_string().contains("encrypted"), "{without}");
}
