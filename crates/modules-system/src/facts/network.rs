//! The host's interfaces, addresses and default routes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Map, Value, json};

use super::netlink::{Address, Netlink, Route};
use super::{Facts, Root, insert, interface};

/// Two addresses that are far away from every host: the way to them is the default route.
const FAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
const FAR_V6: [u16; 8] = [0x2404, 0x6800, 0x400a, 0x800, 0, 0, 0, 0x1012];

/// What the kernel tells of the network; empty in a fixture, and where netlink is forbidden.
#[derive(Debug, Default)]
struct Network {
    addresses: Vec<Address>,
    local_v4: Vec<Route>,
    local_v6: Vec<Route>,
    default_v4: Option<Route>,
    default_v6: Option<Route>,
}

impl Network {
    fn read() -> Self {
        let Ok(netlink) = Netlink::open() else {
            return Self::default();
        };
        let default = |far: IpAddr| {
            netlink
                .route_to(far)
                .ok()
                .filter(|route| route.index.is_some())
        };
        let mut network = Self {
            addresses: netlink.addresses().unwrap_or_default(),
            default_v4: default(FAR_V4),
            default_v6: default(FAR_V6.into()),
            ..Self::default()
        };
        // Last, and each on a socket of its own: what is left of an answer that took too long stays there.
        let local = |v6| {
            Netlink::open()
                .and_then(|netlink| netlink.local_routes(v6))
                .unwrap_or_default()
        };
        network.local_v4 = local(false);
        network.local_v6 = local(true);
        network
    }
}

/// Gathers `interfaces`, a fact for each of them, and what sums them up.
pub(super) fn collect(root: &Root) -> Facts {
    let network = if root.is_host() {
        Network::read()
    } else {
        Network::default()
    };
    facts(root, &network)
}

fn facts(root: &Root, network: &Network) -> Facts {
    let links = interface::read_all(root);
    let mut interfaces: BTreeMap<String, Facts> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for link in links {
        names.insert(link.index, link.name.clone());
        interfaces.insert(link.name, link.facts);
    }
    for address in &network.addresses {
        if let Some(device) = names.get(&address.index) {
            add_address(&mut interfaces, device, address);
        }
    }

    let mut facts = Facts::new();
    insert(
        &mut facts,
        "interfaces",
        interfaces
            .keys()
            .map(|name| name.replace(':', "_"))
            .collect::<Vec<_>>(),
    );
    let default_v4 = network
        .default_v4
        .as_ref()
        .and_then(|route| default_route(route, network, &names, &interfaces));
    let default_v6 = network
        .default_v6
        .as_ref()
        .and_then(|route| default_route(route, network, &names, &interfaces));
    insert(&mut facts, "default_ipv4", default_v4.unwrap_or_default());
    insert(&mut facts, "default_ipv6", default_v6.unwrap_or_default());
    for (name, interface) in interfaces {
        facts.insert(name.replace([':', '-'], "_"), Value::Object(interface));
    }
    let all = |v6: bool| -> Vec<String> {
        let ips = network.addresses.iter().map(|address| address.ip);
        ips.filter(|ip| ip.is_ipv6() == v6 && !ip.is_loopback())
            .map(|ip| ip.to_string())
            .collect()
    };
    insert(&mut facts, "all_ipv4_addresses", all(false));
    insert(&mut facts, "all_ipv6_addresses", all(true));
    let reachable =
        json!({"ipv4": reachable(&network.local_v4), "ipv6": reachable(&network.local_v6)});
    insert(&mut facts, "locally_reachable_ips", reachable);
    facts
}

/// Enters an address into its interface, and into the alias that its label names.
fn add_address(interfaces: &mut BTreeMap<String, Facts>, device: &str, address: &Address) {
    let IpAddr::V4(ip) = address.ip else {
        let entry = json!({
            "address": address.ip.to_string(),
            "prefix": address.prefix.to_string(),
            "scope": scope(address.scope),
        });
        push(
            interfaces.entry(device.to_owned()).or_default(),
            "ipv6",
            entry,
        );
        return;
    };
    let entry = ipv4(ip, address);
    let alias = address.label.as_deref().filter(|label| *label != device);
    // A further address of a network counts for both, the first one for the alias alone.
    let names = [
        (alias.is_none() || address.is_secondary).then_some(device),
        alias,
    ];
    for name in names.into_iter().flatten() {
        let facts = interfaces.entry(name.to_owned()).or_default();
        if address.is_secondary || facts.contains_key("ipv4") {
            push(facts, "ipv4_secondaries", entry.clone());
        } else {
            insert(facts, "ipv4", entry.clone());
        }
    }
}

fn push(facts: &mut Facts, key: &str, value: Value) {
    if let Value::Array(values) = facts.entry(key).or_insert_with(|| json!([])) {
        values.push(value);
    }
}

fn ipv4(ip: Ipv4Addr, address: &Address) -> Value {
    let mask = u32::MAX
        .checked_shl(32_u32.saturating_sub(address.prefix.into()))
        .unwrap_or_default();
    json!({
        "address": ip.to_string(),
        "broadcast": address.broadcast.map(|broadcast| broadcast.to_string()).unwrap_or_default(),
        "netmask": Ipv4Addr::from(mask).to_string(),
        "network": Ipv4Addr::from(u32::from(ip) & mask).to_string(),
        "prefix": address.prefix.to_string(),
    })
}

fn scope(number: u8) -> String {
    match number {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        other => other.to_string(),
    }
}

/// The interface and the address that packets to far away leave by.
fn default_route(
    route: &Route,
    network: &Network,
    names: &BTreeMap<u32, String>,
    interfaces: &BTreeMap<String, Facts>,
) -> Option<Map<String, Value>> {
    let device = names.get(&route.index?)?;
    let interface = interfaces.get(device)?;
    let mut facts = Facts::new();
    insert(&mut facts, "interface", device.as_str());
    if let Some(source) = route.source {
        insert(&mut facts, "address", source.to_string());
    }
    if let Some(gateway) = route.gateway {
        insert(&mut facts, "gateway", gateway.to_string());
    }
    let own = network
        .addresses
        .iter()
        .find(|address| Some(address.ip) == route.source);
    let Some(own) = own else { return Some(facts) };
    match own.ip {
        IpAddr::V4(ip) => {
            if let Value::Object(entry) = ipv4(ip, own) {
                facts.extend(entry);
            }
            insert(&mut facts, "alias", own.label.as_deref().unwrap_or(device));
        }
        IpAddr::V6(_) => {
            insert(&mut facts, "prefix", own.prefix.to_string());
            insert(&mut facts, "scope", scope(own.scope));
        }
    }
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = interface.get(key) {
            insert(&mut facts, key, value.clone());
        }
    }
    Some(facts)
}

/// Networks and addresses that lead to the host itself.
fn reachable(routes: &[Route]) -> Vec<String> {
    let mut ips: Vec<(IpAddr, u8)> = routes
        .iter()
        .filter_map(|route| route.destination.map(|ip| (ip, route.prefix)))
        .collect();
    ips.sort_unstable();
    ips.dedup();
    ips.iter()
        .map(|(ip, prefix)| {
            let whole = if ip.is_ipv4() { 32 } else { 128 };
            if *prefix == whole {
                ip.to_string()
            } else {
                format!("{ip}/{prefix}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
