//! The family's modules, in a sandbox with an archive of packages of its own.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod catalogue;
mod golden;
