//! Facts of interfaces with addresses as ansible-core 2.19 reports them.

use std::fs;

use super::*;

/// `ve-1` with two addresses and an alias, a default route over it.
fn network() -> Network {
    let address = |ip: [u8; 4], broadcast: Option<[u8; 4]>, label: &str| Address {
        index: 2,
        ip: ip.into(),
        prefix: 24,
        broadcast: broadcast.map(IpAddr::from),
        scope: 0,
        label: Some(label.to_owned()),
        is_secondary: false,
    };
    let v6 = Address {
        index: 2,
        ip: [0xfd01, 0, 0, 0, 0, 0, 0, 5].into(),
        prefix: 64,
        broadcast: None,
        scope: 0,
        label: None,
        is_secondary: false,
    };
    Network {
        addresses: vec![
            address([10, 1, 2, 3], Some([10, 1, 2, 255]), "ve-1"),
            address([10, 9, 0, 1], None, "ve-1:1"),
            Address {
                is_secondary: true,
                ..address([10, 1, 2, 4], None, "ve-1")
            },
            v6,
        ],
        default_v4: Some(Route {
            index: Some(2),
            gateway: Some([10, 1, 2, 254].into()),
            source: Some([10, 1, 2, 3].into()),
            ..Route::default()
        }),
        local_v4: vec![
            Route {
                destination: Some([127, 0, 0, 0].into()),
                prefix: 8,
                ..Route::default()
            },
            Route {
                destination: Some([10, 1, 2, 3].into()),
                prefix: 32,
                ..Route::default()
            },
        ],
        ..Network::default()
    }
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("ifindex", "2"),
        ("address", "6e:fc:df:c1:ba:77"),
        ("mtu", "1500"),
        ("operstate", "up"),
        ("type", "1"),
        ("flags", "0x1103"),
        ("speed", "10000"),
    ] {
        let path = folder.path().join("sys/class/net/ve-1").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }
    folder
}

#[test]
fn an_interface_has_its_first_address_and_secondaries() {
    let folder = tree();
    let facts = facts(&Root::new(folder.path()), &network());
    let first = json!({
        "address": "10.1.2.3", "broadcast": "10.1.2.255", "netmask": "255.255.255.0", "network": "10.1.2.0",
        "prefix": "24",
    });
    let secondary = json!({
        "address": "10.1.2.4", "broadcast": "", "netmask": "255.255.255.0", "network": "10.1.2.0", "prefix": "24",
    });
    let alias = json!({
        "address": "10.9.0.1", "broadcast": "", "netmask": "255.255.255.0", "network": "10.9.0.0", "prefix": "24",
    });
    let expected = json!({
        "device": "ve-1", "macaddress": "6e:fc:df:c1:ba:77", "mtu": 1500, "active": true, "type": "ether",
        "promisc": true, "speed": 10000, "ipv4": first, "ipv4_secondaries": [secondary],
        "ipv6": [{"address": "fd01::5", "prefix": "64", "scope": "global"}],
    });
    assert_eq!(facts["ve_1"], expected);
    assert_eq!(facts["ve_1_1"], json!({"ipv4": alias}));
    assert_eq!(facts["interfaces"], json!(["ve-1", "ve-1_1"]));
    assert_eq!(
        facts["all_ipv4_addresses"],
        json!(["10.1.2.3", "10.9.0.1", "10.1.2.4"])
    );
    assert_eq!(
        facts["locally_reachable_ips"],
        json!({"ipv4": ["10.1.2.3", "127.0.0.0/8"], "ipv6": []})
    );
}

#[test]
fn the_default_route_names_interface_gateway_and_address() {
    let folder = tree();
    let facts = facts(&Root::new(folder.path()), &network());
    let expected = json!({
        "address": "10.1.2.3", "alias": "ve-1", "broadcast": "10.1.2.255", "gateway": "10.1.2.254",
        "interface": "ve-1", "macaddress": "6e:fc:df:c1:ba:77", "mtu": 1500, "netmask": "255.255.255.0",
        "network": "10.1.2.0", "prefix": "24", "type": "ether",
    });
    assert_eq!(facts["default_ipv4"], expected);
    assert_eq!(facts["default_ipv6"], json!({}));
}

#[test]
fn a_mask_may_be_empty() {
    let address = Address {
        prefix: 0,
        ..network().addresses[0].clone()
    };
    assert_eq!(ipv4([10, 0, 0, 1].into(), &address)["netmask"], "0.0.0.0");
}
