//! SELinux: `selinux` for its state and policy, `seboolean` for its switches.

mod boolean;
mod state;

pub(crate) use boolean::SeBoolean;
pub(crate) use state::SeLinux;
