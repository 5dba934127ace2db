//! Tasks as other users, on this machine: by sudo and by su, with and without a password, and where it does not work.
//!
//! The tests run as root. Those that need users and passwords of their own get them in a mount namespace, where the machine's
//! user database and sudo's rules are covered by others: nothing of the machine's own is changed.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod desk;
mod password;
mod programs;
mod users;
