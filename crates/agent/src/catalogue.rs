//! The families of modules that the agent holds.

use rustle_module::Catalogue;

/// All modules that run on a host.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new(&[
        #[cfg(feature = "commands")]
        rustle_modules_commands::FAMILY,
        #[cfg(feature = "commands")]
        rustle_modules_commands::FOREIGN,
        #[cfg(feature = "files")]
        rustle_modules_files::FAMILY,
        #[cfg(feature = "packages")]
        rustle_modules_packages::FAMILY,
        #[cfg(feature = "system")]
        rustle_modules_system::FAMILY,
    ])
}
