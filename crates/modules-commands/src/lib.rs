//! Modules that run commands and wait: command, shell, raw, script, expect, `wait_for`; and that drive programs of developers: git, `git_config`,
//! make, patch, subversion, synchronize.
//!
//! `command` runs a program without a shell, `shell` a text by one; both are the same steps over the same options. `raw` runs a text as a
//! login would and returns what it wrote, unchanged. Output is kept within the limits of `rustle-process`, and a result
//! whose output was cut says so.

mod command;
mod existence;
mod expect;
mod failure;
mod foreign;
mod git;
mod git_config;
mod invocation;
mod make;
mod options;
mod outcome;
mod patch;
mod raw;
mod report;
mod script;
mod shell;
mod steps;
mod subversion;
mod synchronize;
mod text;
mod wait_for;

use rustle_module::DynModule;

/// The modules of this family.
pub const FAMILY: &[&dyn DynModule] = &[
    &command::Command,
    &shell::Shell,
    &expect::Expect,
    &git::Git,
    &git_config::GitConfig,
    &make::Make,
    &patch::Patch,
    &raw::Raw,
    &script::Script,
    &subversion::Subversion,
    &synchronize::Synchronize,
    &wait_for::WaitFor,
];

/// What runs modules that are not native. Only a controller calls it, so it is no module that a plan can name.
pub const FOREIGN: &[&dyn DynModule] = &[&foreign::Foreign];
