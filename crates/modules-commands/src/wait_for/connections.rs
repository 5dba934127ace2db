//! TCP connections of this machine, as the kernel lists them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The names of states, by their numbers in the kernel's lists; the first is number 1.
const STATES: [&str; 11] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// Which connections count.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// The port on this machine.
    pub(super) port: u16,
    /// The addresses of this machine; connections to the unspecified address count too.
    pub(super) addresses: Vec<IpAddr>,
    /// Addresses whose connections do not count.
    pub(super) excluded: Vec<IpAddr>,
    /// The numbers of the states that count.
    pub(super) states: Vec<u8>,
}

/// The number of a state.
pub(super) fn state_number(name: &str) -> Option<u8> {
    let at = STATES.iter().position(|state| *state == name)?;
    u8::try_from(at + 1).ok()
}

impl Counted {
    /// How many connections there are now.
    pub(super) fn count(&self) -> usize {
        let lists = ["/proc/net/tcp", "/proc/net/tcp6"];
        let texts = lists.map(|list| fs::read_to_string(list).unwrap_or_default());
        texts.iter().map(|text| self.count_in(text)).sum()
    }

    fn count_in(&self, list: &str) -> usize {
        let lines = list.lines().skip(1);
        lines.filter(|line| self.counts(line) == Some(true)).count()
    }

    fn counts(&self, line: &str) -> Option<bool> {
        let mut fields = line.split_whitespace().skip(1);
        let (local, port) = endpoint(fields.next()?)?;
        let (remote, _) = endpoint(fields.next()?)?;
        let state = u8::from_str_radix(fields.next()?, 16).ok()?;
        let is_ours = local.is_unspecified() || self.addresses.contains(&local);
        let counts = self.states.contains(&state)
            && port == self.port
            && is_ours
            && !self.excluded.contains(&remote);
        Some(counts)
    }
}

/// Reads `0100007F:1F90`: words of four bytes in this machine's order. An IPv4 address inside an IPv6 one is itself.
fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        let word = u32::from_str_radix(digits, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let address = if address.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?))
    } else {
        let mut bytes = [0; 16];
        for at in 0..4 {
            bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?);
        }
        IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
    };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000
   2: 0100007F:1F90 0200007F:C350 06 00000000:00000000
   3: 0100007F:1F91 0100007F:C350 01 00000000:00000000
   4: 0500000A:1F90 0100007F:C350 01 00000000:00000000
   5: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000300007F:C350 01 0:0
";

    #[test]
    fn connections_are_counted_by_port_address_state_and_peer() {
        let localhost: IpAddr = Ipv4Addr::LOCALHOST.into();
        let counted = Counted {
            port: 8080,
            addresses: vec![localhost],
            excluded: Vec::new(),
            states: ["ESTABLISHED", "TIME_WAIT"]
                .map(|name| state_number(name).expect("a state"))
                .into(),
        };
        assert_eq!(counted.count_in(LIST), 3);
        let others = Counted {
            excluded: vec![localhost],
            ..counted
        };
        assert_eq!(others.count_in(LIST), 2);
        assert_eq!(state_number("NOPE"), None);
    }
}
