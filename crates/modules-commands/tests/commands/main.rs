//! Tests of the family, through the face that callers see.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod behaviour;
mod golden;
mod spec;
mod target;
mod tools;
mod wait_for;
