//! Runs over real ssh: the plans of `rustle-plan`, the agent on its way to hosts, and everything that goes wrong there.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod agent;
mod halves;
mod jobs;
mod lost;
mod passwords;
mod plans;
mod routes;
mod site;
mod streams;
mod unreachable;
