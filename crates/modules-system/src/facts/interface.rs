//! What `/sys/class/net` tells of one interface.

use super::{Facts, Root, insert};

/// `IFF_PROMISC`.
const PROMISCUOUS: u32 = 0x100;

/// An interface: its number, name and facts, without addresses.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) facts: Facts,
}

/// All interfaces, by name.
pub(super) fn read_all(root: &Root) -> Vec<Interface> {
    let names = root.names("/sys/class/net").into_iter();
    // Beside the interfaces there may be files, such as `bonding_masters`.
    names
        .filter(|name| root.is_dir(format!("/sys/class/net/{name}")))
        .map(|name| read(root, name))
        .collect()
}

fn read(root: &Root, name: String) -> Interface {
    let folder = format!("/sys/class/net/{name}");
    let text = |file: &str| {
        root.trimmed(format!("{folder}/{file}"))
            .filter(|text| !text.is_empty())
    };
    let mut facts = Facts::new();
    insert(&mut facts, "device", name.as_str());
    if let Some(address) = text("address").filter(|address| address != "00:00:00:00:00:00") {
        insert(&mut facts, "macaddress", address);
    }
    if let Some(mtu) = text("mtu").and_then(|mtu| mtu.parse::<u64>().ok()) {
        insert(&mut facts, "mtu", mtu);
    }
    if let Some(state) = text("operstate") {
        insert(&mut facts, "active", state != "down");
    }
    if let Some(module) = root.link_name(format!("{folder}/device/driver/module")) {
        insert(&mut facts, "module", module);
    }
    if let Some(kind) = text("type") {
        insert(&mut facts, "type", type_name(&kind));
    }
    bridge(root, &folder, &mut facts);
    bonding(root, &folder, &mut facts);
    if let Some(device) = root.link_name(format!("{folder}/device")) {
        insert(&mut facts, "pciid", device);
    }
    if let Some(speed) = text("speed").and_then(|speed| speed.parse::<i64>().ok()) {
        insert(&mut facts, "speed", speed);
    }
    let flags = text("flags")
        .and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    if let Some(flags) = flags {
        insert(&mut facts, "promisc", flags & PROMISCUOUS != 0);
    }
    let index = text("ifindex")
        .and_then(|index| index.parse().ok())
        .unwrap_or_default();
    Interface { index, name, facts }
}

/// The kernel's ARP hardware types that have a name.
fn type_name(number: &str) -> &'static str {
    match number {
        "1" => "ether",
        "32" => "infiniband",
        "512" => "ppp",
        "772" => "loopback",
        "65534" => "tunnel",
        _ => "unknown",
    }
}

fn bridge(root: &Root, folder: &str, facts: &mut Facts) {
    if !root.is_dir(format!("{folder}/bridge")) {
        return;
    }
    insert(facts, "type", "bridge");
    insert(facts, "interfaces", root.names(format!("{folder}/brif")));
    if let Some(id) = root.trimmed(format!("{folder}/bridge/bridge_id")) {
        insert(facts, "id", id);
    }
    if let Some(stp) = root.trimmed(format!("{folder}/bridge/stp_state")) {
        insert(facts, "stp", stp == "1");
    }
}

fn bonding(root: &Root, folder: &str, facts: &mut Facts) {
    let text = |file: &str| root.trimmed(format!("{folder}/{file}"));
    if let Some(address) = text("bonding_slave/perm_hwaddr") {
        insert(facts, "perm_macaddress", address);
    }
    if !root.is_dir(format!("{folder}/bonding")) {
        return;
    }
    insert(facts, "type", "bonding");
    let words = |file: &str| -> Vec<String> {
        text(file)
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    insert(facts, "slaves", words("bonding/slaves"));
    for (key, file) in [
        ("mode", "bonding/mode"),
        ("lacp_rate", "bonding/lacp_rate"),
        ("miimon", "bonding/miimon"),
    ] {
        if let Some(word) = words(file).into_iter().next() {
            insert(facts, key, word);
        }
    }
    if let Some(primary) = text("bonding/primary").filter(|primary| !primary.is_empty()) {
        insert(facts, "primary", primary);
    }
    if let Some(active) = text("bonding/all_slaves_active") {
        insert(facts, "all_slaves_active", active == "1");
    }
}
