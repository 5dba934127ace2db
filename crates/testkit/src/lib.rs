//! Servers and temporary worlds for the tests.
//!
//! * [`Sshd`]: a real OpenSSH server on a loopback port, with keys and a home folder of its own. Several of them
//!   play several hosts.
//! * [`World`]: an empty environment and a temporary home, from which programs are run and their output is
//!   compared.
//! * [`Pipe`] and [`Process`]: processes that somebody else started, told of and watched.
//!
//! Everything here panics where it cannot do its work: a test that could not be set up has failed, and none is
//! skipped without a word. Everything ends on drop, with the processes that it started.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod collected;
pub mod golden;
mod inventory;
mod invocation;
mod mask;
mod processes;
mod program;
mod relay;
mod sshd;
mod sshd_files;
mod watched;
mod world;

pub use inventory::{ini_inventory, json_inventory};
pub use invocation::{Invocation, Output, Running};
pub use mask::Masks;
pub use relay::Relay;
pub use rustix::process::Signal;
pub use sshd::{Sshd, SshdOptions};
pub use watched::{Pipe, Process};
pub use world::World;
