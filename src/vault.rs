//! The passwords of vaults: from files, from programs, from whoever sits at the terminal.

use std::path::Path;

use rustle_types::Secret;
use rustle_vault::{SecretOrigin, VaultSecrets, VaultSource, password_of};

use crate::cli::VaultOptions;
use crate::errors::CliError;
use crate::{password_file, prompt};

/// What its passwords are called.
const WHAT: &str = "vault password";

/// Reads, runs or asks for every password that the options name.
///
/// # Errors
/// When one cannot be had.
pub(crate) async fn secrets(options: &VaultOptions) -> Result<VaultSecrets, CliError> {
    let mut secrets = VaultSecrets::default();
    for source in sources(options) {
        let password = match &source.origin {
            SecretOrigin::Prompt => ask(&source.label)?,
            SecretOrigin::File(path) => from_file(&source, path).await?,
        };
        secrets = secrets.with(source.label, password);
    }
    Ok(secrets)
}

fn sources(options: &VaultOptions) -> Vec<VaultSource> {
    let ids = options.vault_id.iter().map(|id| VaultSource::from_id(id));
    let files = options.vault_password_file.iter().cloned();
    let asked = options.ask_vault_pass.then(VaultSource::from_prompt);
    ids.chain(files.map(VaultSource::from_password_file))
        .chain(asked)
        .collect()
}

fn ask(label: &str) -> Result<Secret, CliError> {
    let what = match label {
        "default" => "vault password".to_owned(),
        label => format!("vault password of `{label}`"),
    };
    let given = prompt::password(&what)?;
    password_of(given.expose().as_bytes(), "the terminal").map_err(|error| CliError::Password {
        what: WHAT,
        origin: "the terminal".into(),
        reason: error.to_string(),
    })
}

/// The password in a file, or in the output of one that may be executed.
async fn from_file(source: &VaultSource, path: &Path) -> Result<Secret, CliError> {
    let content = password_file::content(WHAT, path, |program| source.client_arguments(program));
    password_of(&content.await?, &path.display().to_string()).map_err(|error| CliError::Password {
        what: WHAT,
        origin: format!("`{}`", path.display()),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn passwords_come_from_files_and_from_programs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pass");
        std::fs::write(&file, "s3cret\n").unwrap();
        let program = folder.path().join("ring-client");
        std::fs::write(&program, "#!/bin/sh\necho \"of $2\"\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let vaulted = rustle_vault::encrypt(b"x", "of dev", b"salt", Some("dev")).unwrap();
        let options = |ids: &[String]| VaultOptions {
            vault_id: ids.to_vec(),
            vault_password_file: vec![file.clone()],
            ask_vault_pass: false,
        };
        let id = format!("dev@{}", program.display());
        let read = secrets(&options(&[id])).await.unwrap();
        assert_eq!(read.decrypt(&vaulted).unwrap(), "x");
        let plain = rustle_vault::encrypt(b"y", "s3cret", b"salt", None).unwrap();
        assert_eq!(read.decrypt(&plain).unwrap(), "y");
        let error = secrets(&options(&["dev@/nowhere/at/all".into()]))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
