//! Speaks HTTP/1.1 as a client, for modules that download and ask: TLS, proxies, redirects, credentials.
//!
//! A [`Client`] says how it speaks, a [`Request`] what is asked for. [`Client::send`] follows redirects and answers a question for
//! credentials, and returns the last [`Response`] with its body still unread: bodies of any size take the memory of a buffer.
//!
//! Each request has a connection of its own, which ends with it. Blocking work is done on tokio's threads for that, but the body is read by the
//! caller, in blocking steps that the client's timeout bounds.
//!
//! # What is not there
//!
//! HTTP/2, keeping connections, caches, digest authentication. Names are looked up by the caller's [`Resolve`].

mod body;
mod client;
mod connect;
mod error;
mod exchange;
mod message;
mod netrc;
mod proxy;
mod tls;
mod url;

pub use client::{Client, Follow, Resolve};
pub use error::HttpError;
pub use message::{Body, Headers, Request, Response};
pub use netrc::netrc_login;
pub use proxy::Proxies;
pub use tls::TlsSettings;
pub use url::Url;
