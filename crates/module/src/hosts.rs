//! Addresses of hosts by their names.
//!
//! The agent is linked statically and cannot ask the name service switch by itself: that is left to `getent`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustle_process::Command;

use crate::target::Target;

/// The addresses of a host, which may be given as one; none where it is unknown.
pub async fn addresses_of(target: &dyn Target, host: &str) -> Vec<IpAddr> {
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    let command = Command::new("getent").args(["ahosts", "--", host]);
    let finished = target.run(command).await.ok();
    let text = finished.map(|finished| finished.stdout.to_string_lossy());
    let mut addresses: Vec<IpAddr> = Vec::new();
    for line in text.unwrap_or_default().lines() {
        let first = line.split_whitespace().next();
        if let Some(Ok(address)) = first.map(str::parse)
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    if addresses.is_empty() && host == "localhost" {
        addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    addresses
}
