//! What people read: every line and block of text is made here, and written elsewhere.

mod details;
mod diff;
mod line;
mod summary;
mod text;

pub(crate) use details::{Details, debug_text, module_name};
pub(crate) use diff::diff_text;
pub(crate) use line::{TaskLine, Word};
pub(crate) use summary::{Failed, Summary};
pub(crate) use text::{count, elapsed, host_list, indented};
