//! Modules that are not native, found and made ready for hosts on the controller: programs of the plan's author, and the Python modules of
//! Ansible and its collections.
//!
//! A module's short name means the first of: a file in a folder of modules ([`Folders`]), a native module, a module of the Ansible that
//! the controller has ([`AnsiblePlaces`]), which is packed with all that it imports. What is found is described
//! by [`ForeignModule`](rustle_runtime::world::ForeignModule); how it runs on a host is in `rustle-modules-commands`.

mod ansible;
mod archive;
mod documentation;
mod finder;
mod folders;
mod imports;
mod installed;
mod routing;
mod source;

pub use ansible::AnsiblePlaces;
pub use documentation::documentation;
pub use finder::{Finder, FinderConfig};
pub use folders::Folders;
