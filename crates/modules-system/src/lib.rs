//! Modules about the system: accounts (user, group, getent), cron, services (service, systemd), files of
//! the system's own (`authorized_key`, mount, `pam_limits`, sudoers, sysctl), ping, setup.

mod alternatives;
mod at;
mod authorized_key;
mod config_file;
mod cron;
pub mod facts;
mod firewalld;
mod getent;
mod group;
mod hostname;
mod iptables;
mod locale_gen;
mod modprobe;
mod mount;
mod mount_facts;
mod pam_limits;
mod ping;
mod selinux;
mod service;
mod service_facts;
mod setup;
mod sudoers;
mod sysctl;
mod timezone;
mod ufw;
mod user;

use rustle_module::DynModule;

/// The modules of this family.
pub const FAMILY: &[&dyn DynModule] = &[
    &alternatives::Alternatives,
    &at::At,
    &authorized_key::AuthorizedKey,
    &cron::Cron,
    &firewalld::Firewalld,
    &getent::Getent,
    &group::GroupModule,
    &hostname::Hostname,
    &iptables::Iptables,
    &locale_gen::LocaleGen,
    &modprobe::Modprobe,
    &mount::Mount,
    &mount_facts::MountFacts,
    &pam_limits::PamLimits,
    &ping::Ping,
    &selinux::SeBoolean,
    &selinux::SeLinux,
    &service::Service,
    &service::SysVInit,
    &service::Systemd::<false>,
    &service::Systemd::<true>,
    &service_facts::ServiceFacts,
    &setup::Setup,
    &sudoers::Sudoers,
    &sysctl::Sysctl,
    &timezone::Timezone,
    &ufw::Ufw,
    &user::UserModule,
];
