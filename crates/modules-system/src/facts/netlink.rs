//! Addresses and routes, asked of the kernel over an rtnetlink socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::io::{Errno, Result};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// Messages, as `linux/rtnetlink.h` numbers them.
const GET_ADDRESS: u16 = 22;
const GET_ROUTE: u16 = 26;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// `NLM_F_REQUEST`, and `NLM_F_DUMP` beside it.
const REQUEST: u16 = 1;
const DUMP: u16 = 0x301;

const INET: u8 = 2;
const INET6: u8 = 10;
/// `IFA_F_SECONDARY`.
const SECONDARY: u8 = 1;
const TABLE_LOCAL: u8 = 255;
const ROUTE_LOCAL: u8 = 2;

/// Answers come in pieces of up to 32 KiB.
const PIECE: usize = 64 * 1024;

/// A router may have a million routes: what is not read by then is left.
const PATIENCE: Duration = Duration::from_millis(200);

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) index: u32,
    pub(super) ip: IpAddr,
    pub(super) prefix: u8,
    pub(super) broadcast: Option<IpAddr>,
    pub(super) scope: u8,
    pub(super) label: Option<String>,
    /// Whether another address of the same network came before it.
    pub(super) is_secondary: bool,
}

/// A route: where it leads, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) destination: Option<IpAddr>,
    pub(super) prefix: u8,
    pub(super) table: u8,
    pub(super) kind: u8,
    pub(super) index: Option<u32>,
    pub(super) gateway: Option<IpAddr>,
    pub(super) source: Option<IpAddr>,
}

impl Route {
    /// Whether it leads to the host itself.
    pub(super) fn is_local(&self) -> bool {
        self.table == TABLE_LOCAL && self.kind == ROUTE_LOCAL
    }
}

/// A socket to the kernel's routing tables. Needs no rights.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    pub(super) fn open() -> Result<Self> {
        // No protocol is protocol 0, `NETLINK_ROUTE`.
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self { socket })
    }

    /// All addresses of all interfaces, in the kernel's order.
    pub(super) fn addresses(&self) -> Result<Vec<Address>> {
        let mut addresses = Vec::new();
        self.ask(GET_ADDRESS, DUMP, &[0; 8], |kind, body| {
            if kind == NEW_ADDRESS {
                addresses.extend(address(body));
            }
        })?;
        Ok(addresses)
    }

    /// The routes to the host itself, of IPv4 or of IPv6.
    pub(super) fn local_routes(&self, v6: bool) -> Result<Vec<Route>> {
        let mut routes = Vec::new();
        let mut body = [0; 12];
        body[0] = if v6 { INET6 } else { INET };
        self.ask(GET_ROUTE, DUMP, &body, |kind, body| {
            if kind == NEW_ROUTE {
                routes.extend(route(body).filter(Route::is_local));
            }
        })?;
        Ok(routes)
    }

    /// The route that packets to `destination` take; an error when there is none.
    pub(super) fn route_to(&self, destination: IpAddr) -> Result<Route> {
        let (family, bytes) = match destination {
            IpAddr::V4(ip) => (INET, ip.octets().to_vec()),
            IpAddr::V6(ip) => (INET6, ip.octets().to_vec()),
        };
        let bits = u8::try_from(bytes.len() * 8).unwrap_or_default();
        let mut body = vec![0; 12];
        body[..2].copy_from_slice(&[family, bits]);
        body.extend(
            u16::try_from(bytes.len() + 4)
                .unwrap_or_default()
                .to_ne_bytes(),
        );
        body.extend(1_u16.to_ne_bytes());
        body.extend(bytes);
        let mut found = None;
        self.ask(GET_ROUTE, REQUEST, &body, |kind, body| {
            if kind == NEW_ROUTE {
                found = found.take().or_else(|| route(body));
            }
        })?;
        found.ok_or(Errno::NETUNREACH)
    }

    /// Sends a request and hands each message of the answer to `note`.
    fn ask(
        &self,
        kind: u16,
        flags: u16,
        body: &[u8],
        mut note: impl FnMut(u16, &[u8]),
    ) -> Result<()> {
        let length = u32::try_from(16 + body.len()).unwrap_or_default();
        let mut request = length.to_ne_bytes().to_vec();
        request.extend(kind.to_ne_bytes());
        request.extend(flags.to_ne_bytes());
        request.extend([0; 8]);
        request.extend(body);
        send(&self.socket, &request, SendFlags::empty())?;

        let started = Instant::now();
        let mut piece = vec![0; PIECE];
        while started.elapsed() < PATIENCE {
            let (_, length) = recv(&self.socket, &mut piece[..], RecvFlags::empty())?;
            let end = read_messages(piece.get(..length).unwrap_or_default(), &mut note);
            match end {
                Some(result) => return result,
                None if flags == REQUEST => return Ok(()),
                None => {}
            }
        }
        Err(Errno::TIMEDOUT)
    }
}

/// Hands on the messages of one piece; tells whether, and how, the answer ends with it.
fn read_messages(mut bytes: &[u8], note: &mut impl FnMut(u16, &[u8])) -> Option<Result<()>> {
    while let Some(length) = u32_at(bytes, 0).and_then(|length| usize::try_from(length).ok()) {
        let (Some(kind), Some(message)) = (u16_at(bytes, 4), bytes.get(..length)) else {
            break;
        };
        let body = message.get(16..)?;
        match kind {
            DONE => return Some(Ok(())),
            ERROR => {
                let code = i32::from_ne_bytes(body.get(..4)?.try_into().ok()?);
                return Some(if code == 0 {
                    Ok(())
                } else {
                    Err(Errno::from_raw_os_error(code.wrapping_neg()))
                });
            }
            kind => note(kind, body),
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

/// Reads an `ifaddrmsg`. Of a point-to-point link the own address counts, not the peer's.
fn address(body: &[u8]) -> Option<Address> {
    let (prefix, flags, scope, index) = (
        *body.get(1)?,
        *body.get(2)?,
        *body.get(3)?,
        u32_at(body, 4)?,
    );
    let (mut own, mut peer, mut broadcast, mut label) = (None, None, None, None);
    for (kind, value) in Attributes(body.get(8..)?) {
        match kind {
            1 => peer = ip(value),
            2 => own = ip(value),
            3 => label = Some(text(value)),
            4 => broadcast = ip(value),
            _ => {}
        }
    }
    let is_secondary = flags & SECONDARY != 0;
    Some(Address {
        index,
        ip: own.or(peer)?,
        prefix,
        broadcast,
        scope,
        label,
        is_secondary,
    })
}

/// Reads an `rtmsg`.
fn route(body: &[u8]) -> Option<Route> {
    let mut route = Route {
        prefix: *body.get(1)?,
        table: *body.get(4)?,
        kind: *body.get(7)?,
        ..Route::default()
    };
    for (kind, value) in Attributes(body.get(12..)?) {
        match kind {
            1 => route.destination = ip(value),
            4 => route.index = u32_at(value, 0),
            5 => route.gateway = ip(value),
            7 => route.source = ip(value),
            _ => {}
        }
    }
    Some(route)
}

/// The attributes of a message: kind and value.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & 0x3fff;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes)
            .ok()
            .map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes)
            .ok()
            .map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_host_reaches_itself() {
        let netlink = Netlink::open().unwrap();
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert!(
            netlink
                .addresses()
                .unwrap()
                .iter()
                .any(|address| address.ip == loopback)
        );
        assert!(
            netlink
                .local_routes(false)
                .unwrap()
                .iter()
                .any(|route| route.destination == Some(loopback))
        );
        assert_eq!(netlink.route_to(loopback).unwrap().source, Some(loopback));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..256), length in 0..300_u32) {
            address(&bytes);
            route(&bytes);
            let mut framed = length.to_ne_bytes().to_vec();
            framed.extend(&bytes);
            let end = read_messages(&framed, &mut |_, body| {
                route(body);
            });
            prop_assert!(end.is_none() || end.is_some());
        }
    }
}
