//! Connections to servers: directly, by a socket of this machine, by a proxy, and with TLS on top.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::error::HttpError;
use crate::exchange::read_head;
use crate::url::Url;

/// A connection that is ready for a request.
pub(crate) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// The way to a server.
pub(crate) struct Way {
    /// Where to connect to.
    pub(crate) to: Peer,
    /// The proxy that is asked to connect further.
    pub(crate) tunnel: Option<Url>,
    /// What TLS needs, if it is spoken.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// How long each step may take.
    pub(crate) timeout: Duration,
}

/// Where to connect to.
pub(crate) enum Peer {
    /// Any of these addresses.
    Addresses(Vec<IpAddr>, u16),
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Way {
    /// Connects for a request to `url`.
    ///
    /// # Errors
    /// When nobody answers, the proxy refuses, or the server cannot be trusted.
    pub(crate) fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, HttpError> {
        let mut stream = self.open().map_err(HttpError::Connect)?;
        if let Some(proxy) = &self.tunnel {
            dig(&mut stream, url, proxy)?;
        }
        let Some(config) = &self.tls else {
            return Ok(stream);
        };
        let bad = |error: &dyn std::fmt::Display| HttpError::Tls(error.to_string());
        let name = ServerName::try_from(url.host.clone()).map_err(|error| bad(&error))?;
        let session =
            ClientConnection::new(Arc::clone(config), name).map_err(|error| bad(&error))?;
        let mut stream = StreamOwned::new(session, stream);
        while stream.conn.is_handshaking() {
            stream
                .conn
                .complete_io(&mut stream.sock)
                .map_err(HttpError::Connect)?;
        }
        Ok(Box::new(stream))
    }

    fn open(&self) -> io::Result<Box<dyn Stream>> {
        let timeout = Some(self.timeout);
        match &self.to {
            Peer::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                Ok(Box::new(stream))
            }
            Peer::Addresses(addresses, port) => {
                let mut failed = io::Error::from(io::ErrorKind::NotFound);
                for address in addresses {
                    match TcpStream::connect_timeout(
                        &SocketAddr::new(*address, *port),
                        self.timeout,
                    ) {
                        Ok(stream) => {
                            stream.set_read_timeout(timeout)?;
                            stream.set_write_timeout(timeout)?;
                            stream.set_nodelay(true)?;
                            return Ok(Box::new(stream));
                        }
                        Err(error) => failed = error,
                    }
                }
                Err(failed)
            }
        }
    }
}

/// Asks a proxy to connect to the server of a URL.
fn dig(stream: &mut Box<dyn Stream>, url: &Url, proxy: &Url) -> Result<(), HttpError> {
    let host = if url.host.contains(':') {
        format!("[{}]", url.host)
    } else {
        url.host.clone()
    };
    let to = format!("{host}:{}", url.port_or_usual());
    let mut head = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
    if let Some(login) = &proxy.login {
        let _ = write!(head, "Proxy-Authorization: {}\r\n", basic(login));
    }
    head += "\r\n";
    stream
        .write_all(head.as_bytes())
        .map_err(HttpError::Connect)?;
    stream.flush().map_err(HttpError::Connect)?;
    // Nothing may be read beyond the head: what follows is the server's.
    let head = read_head(&mut io::BufReader::with_capacity(1, stream))?;
    match head.status {
        200..=299 => Ok(()),
        status => Err(HttpError::Proxy(format!("{status} {}", head.reason))),
    }
}

/// User and password as a header has them.
pub(crate) fn basic((user, password): &(String, String)) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
