//! Inventories in INI, YAML and JSON, group and host variables, host patterns.
//!
//! [`load`] reads sources into a [`rustle_types::ParsedInventory`]; [`Inventory`] answers questions about
//! one: the variables of a host, the groups of a host, the hosts of a group. [`patterns`] says which hosts a
//! play or a limit means. [`yaml`] is the one YAML reader of the workspace.
//!
//! Behaviour follows ansible-core 2.19, with one exception on purpose: a source that does not parse is an
//! error, where Ansible warns and goes on without it.

mod address;
mod draft;
mod error;
mod file_tree;
mod graph;
mod ini;
mod inventory;
mod json;
mod literal;
mod load;
pub mod patterns;
mod program;
mod source;
mod tree;
mod var_folders;
mod vaulted_files;
mod words;
pub mod yaml;

pub use error::{InventoryError, InventoryErrorKind, Warning};
pub use file_tree::{Disk, FileKind, FileTree};
pub use inventory::{Inventory, ensure_localhost};
pub use load::{Loaded, from_names, from_value, load};
pub use source::InventorySource;
pub use var_folders::VarFolders;
pub use vaulted_files::VaultedFiles;
