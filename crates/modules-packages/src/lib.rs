//! Modules that install and remove packages: apt, dnf, apk, pacman, zypper, pip, and `package`, which picks one;
//! that say where packages come from: repositories; and that tell of packages: `package_facts`, debconf.
//!
//! What a manager has to do follows from what shall be and what is there, and that is one pure function ([`plan`]). A manager adds how it is
//! asked and told: its commands, and parsers of what they print, which are tested against samples of it.

mod apk;
mod apt;
mod apt_repository;
mod deb822_repository;
mod debconf;
mod dnf;
mod dpkg;
mod dpkg_selections;
mod fetch;
mod files;
mod glob;
mod package;
mod package_facts;
mod pacman;
mod pip;
mod plan;
mod yum_repository;
mod zypper;

use rustle_module::DynModule;

/// The modules of this family.
pub const FAMILY: &[&dyn DynModule] = &[
    &apk::Apk,
    &apt::Apt,
    &apt_repository::AptRepository,
    &deb822_repository::Deb822Repository,
    &debconf::Debconf,
    &dnf::Dnf::<{ dnf::DNF }>,
    &dnf::Dnf::<{ dnf::YUM }>,
    &dnf::Dnf::<{ dnf::DNF5 }>,
    &dpkg_selections::DpkgSelections,
    &package::Package,
    &package_facts::PackageFacts,
    &pacman::Pacman,
    &pip::Pip,
    &yum_repository::YumRepository,
    &zypper::Zypper,
];
