//! Modules that speak with servers on the web: `get_url` and `uri`.

mod asking;
mod form;
mod get_url;
mod uri;
mod wanted_sum;

pub(crate) use asking::download;
pub(crate) use get_url::GetUrl;
pub(crate) use uri::Uri;
