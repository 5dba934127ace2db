//! The family's modules, on this machine or in a sandbox of it.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod calls;
mod catalogue;
mod firewalls;
mod golden;
mod locales;
mod packet_filter;
mod services;
