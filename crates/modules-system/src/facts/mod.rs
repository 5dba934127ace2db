//! Facts of the host, by Ansible's names and with its types, read without starting a program.
//!
//! [`gather`] runs the collectors that `gather_subset` selects. Each collector is a file here, reads below a
//! [`Root`] and gives facts without their `ansible_` prefix. The parsers are plain functions of text, which
//! any content of `/proc` may be handed to.
//!
//! Not gathered, because only a program could tell: `python*`, `systemd`, `lvm`, the `features` of interfaces,
//! the `host` of block devices, and what `facter` and `ohai` add.

mod capabilities;
mod cmdline;
mod date_time;
mod device_links;
mod devices;
mod distribution;
mod distribution_family;
mod dmi;
mod dns;
mod env;
mod error;
mod filter;
mod gather;
mod hosts;
mod ini;
mod interface;
mod load;
mod local;
mod lsb;
mod memory;
pub(crate) mod mounted;
mod mounts;
mod netlink;
mod network;
mod pkg_mgr;
mod platform;
mod processor;
mod release_file;
mod root;
mod security;
mod service_mgr;
mod ssh_keys;
mod storage_ids;
mod subset;
mod user;
mod virtualization;

pub use error::FactsError;
pub(crate) use filter::matches as fits;
pub use gather::{GatherRequest, Gathered, Runner, gather};
pub use root::Root;

use gather::{Facts, insert};
