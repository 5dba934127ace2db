//! Services: `systemd_service`, and `service` for whatever manages them.

mod control;
mod generic;
mod systemd;
mod unit;

pub(crate) use generic::Service;
pub(crate) use systemd::Systemd;
