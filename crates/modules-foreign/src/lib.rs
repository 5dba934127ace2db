//! Modules that are not native: programs of the plan's author, found and made ready for hosts on the controller.
//!
//! A module's short name means the first of: a file in a folder of modules ([`Folders`]), a native module. What is found is described
//! by [`ForeignModule`](rustle_runtime::world::ForeignModule); how it runs on a host is in `rustle-modules-commands`.

mod finder;
mod folders;
mod source;

pub use finder::{Finder, FinderConfig};
pub use folders::Folders;
