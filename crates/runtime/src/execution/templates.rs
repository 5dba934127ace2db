//! The template engine of a run: what it may ask of the controller.

use std::path::Path;
use std::sync::Arc;

use crate::{ControllerDisk, ControllerLookups};
use rustle_process::CancelToken;
use rustle_template::Engine;
use rustle_vault::VaultSecrets;

use crate::execution::includes::DiskIncludes;

/// Puts the engine together. Without passwords encrypted values are an error where they are read.
pub(crate) fn template_engine(
    base_dir: &Path,
    cancel: &CancelToken,
    secrets: Option<Arc<VaultSecrets>>,
) -> Arc<Engine> {
    let includes = DiskIncludes {
        base_dir: base_dir.to_owned(),
    };
    let builder = Engine::builder()
        .includes(Arc::new(includes))
        .lookups(Arc::new(ControllerLookups::new(
            base_dir.to_owned(),
            cancel.clone(),
        )))
        .controller(Arc::new(ControllerDisk::new(base_dir.to_owned())));
    let builder = match secrets.filter(|secrets| !secrets.is_empty()) {
        Some(secrets) => builder.vault(secrets),
        None => builder,
    };
    Arc::new(builder.build())
}
