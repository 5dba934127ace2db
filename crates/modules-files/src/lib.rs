//! Modules that shape files: file, copy, assemble, tempfile, acl; pack and unpack them: archive, unarchive; edit text: lineinfile, blockinfile, replace, `ini_file`; and tell
//! of files: stat, find, slurp.
//!
//! They run on the machine whose files they shape and reach them by `std::fs`. What they share is written once:
//! owner, mode and the other attributes (`attributes`), atomic writes (`staged`), editing a text file (`edited`), backups, validation,
//! checksums, the shapes of differences.

mod acl;
mod archive;
mod assemble;
mod attributes;
mod blockinfile;
mod checksum;
mod copy;
mod diff;
mod edited;
mod encoding;
mod file;
mod find;
mod fnmatch;
mod ini_file;
mod known_hosts;
mod lineinfile;
mod metadata;
mod paths;
mod replace;
mod slurp;
mod staged;
mod stat;
mod temp_file;
mod tempfile;
mod unarchive;
mod validate;
mod web;

use rustle_module::{DynModule, backup, os_error};

/// The modules of this family.
pub const FAMILY: &[&dyn DynModule] = &[
    &acl::Acl,
    &archive::Archive,
    &assemble::Assemble,
    &blockinfile::BlockInFile,
    &copy::Copy,
    &file::File,
    &find::Find,
    &ini_file::IniFile,
    &known_hosts::KnownHosts,
    &lineinfile::LineInFile,
    &replace::Replace,
    &slurp::Slurp,
    &stat::Stat,
    &tempfile::TempFile,
    &unarchive::Unarchive,
    &web::GetUrl,
    &web::Uri,
];
