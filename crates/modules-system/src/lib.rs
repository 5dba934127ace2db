//! Modules about the system: accounts (user, group, getent), cron, services (service, systemd), ping, setup.

mod cron;
pub mod facts;
mod getent;
mod group;
mod hostname;
mod ping;
mod service;
mod setup;
mod tool;
mod user;

use rustle_module::DynModule;

/// The modules of this family.
pub const FAMILY: &[&dyn DynModule] = &[
    &cron::Cron,
    &getent::Getent,
    &group::GroupModule,
    &hostname::Hostname,
    &ping::Ping,
    &service::Service,
    &service::Systemd::<false>,
    &service::Systemd::<true>,
    &setup::Setup,
    &user::UserModule,
];
