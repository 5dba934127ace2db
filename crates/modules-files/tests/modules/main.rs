//! The family's modules on this machine.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod accounts;
mod archives;
mod catalogue;
mod destinations;
mod golden;
mod sent_content;
mod support;
