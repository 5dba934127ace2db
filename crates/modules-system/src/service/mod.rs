//! Services: `systemd_service`, `sysvinit`, and `service` for whatever manages them.

mod control;
mod generic;
mod systemd;
mod sysv;
mod sysvinit;
mod unit;

pub(crate) use generic::Service;
pub(crate) use systemd::Systemd;
pub(crate) use sysvinit::SysVInit;
