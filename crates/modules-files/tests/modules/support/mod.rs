//! What tests of modules need besides a machine: a controller.

pub(crate) mod controller;
