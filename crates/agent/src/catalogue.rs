//! The families of modules that the agent holds.

use rustle_module::Catalogue;

/// All modules that run on a host.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new(&[
        rustle_modules_commands::FAMILY,
        rustle_modules_files::FAMILY,
        rustle_modules_packages::FAMILY,
        rustle_modules_system::FAMILY,
    ])
}
