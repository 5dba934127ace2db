//! Modules about the system: accounts (user, group, getent), cron, services (service, systemd), files of
//! the system's own (`authorized_key`, mount, `pam_limits`, sudoers, sysctl), ping, setup.

mod authorized_key;
mod config_file;
mod cron;
pub mod facts;
mod getent;
mod group;
mod hostname;
mod iptables;
mod mount;
mod pam_limits;
mod ping;
mod service;
mod setup;
mod sudoers;
mod sysctl;
mod user;

use rustle_module::DynModule;

/// The modules of this family.
pub const FAMILY: &[&dyn DynModule] = &[
    &authorized_key::AuthorizedKey,
    &cron::Cron,
    &getent::Getent,
    &group::GroupModule,
    &hostname::Hostname,
    &iptables::Iptables,
    &mount::Mount,
    &pam_limits::PamLimits,
    &ping::Ping,
    &service::Service,
    &service::Systemd::<false>,
    &service::Systemd::<true>,
    &setup::Setup,
    &sudoers::Sudoers,
    &sysctl::Sysctl,
    &user::UserModule,
];
