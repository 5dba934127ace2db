//! Memory, swap and uptime.

use std::collections::HashMap;

use serde_json::json;

use super::{Facts, Root, insert};

/// Gathers `mem*_mb`, `swap*_mb`, `memory_mb` and `uptime_seconds`.
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = root
        .text("/proc/meminfo")
        .map(|text| memory(&text))
        .unwrap_or_default();
    let uptime = root
        .text("/proc/uptime")
        .and_then(|text| text.split(['.', ' ']).next()?.parse::<u64>().ok());
    if let Some(uptime) = uptime {
        insert(&mut facts, "uptime_seconds", uptime);
    }
    facts
}

/// All in MiB, each rounded down before sums are made.
fn memory(text: &str) -> Facts {
    let values: HashMap<&str, i64> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter_map(|(key, value)| {
            Some((
                key.trim(),
                value.split_whitespace().next()?.parse::<u64>().ok()?,
            ))
        })
        .map(|(key, value)| (key, i64::try_from(value / 1024).unwrap_or_default()))
        .collect();
    let value = |key: &str| values.get(key).copied();
    let mut facts = Facts::new();
    for (fact, key) in [
        ("memtotal_mb", "MemTotal"),
        ("memfree_mb", "MemFree"),
        ("swaptotal_mb", "SwapTotal"),
        ("swapfree_mb", "SwapFree"),
    ] {
        if let Some(value) = value(key) {
            insert(&mut facts, fact, value);
        }
    }
    let difference = |all: Option<i64>, part: Option<i64>| Some(all? - part?);
    let (total, free) = (value("MemTotal"), value("MemFree"));
    let without_cache = (|| Some(free? + value("Cached")? + value("Buffers")?))();
    let (swap_total, swap_free) = (value("SwapTotal"), value("SwapFree"));
    let memory = json!({
        "real": {"total": total, "used": difference(total, free), "free": free},
        "nocache": {"free": without_cache, "used": difference(total, without_cache)},
        "swap": {
            "total": swap_total,
            "free": swap_free,
            "used": difference(swap_total, swap_free),
            "cached": value("SwapCached"),
        },
    });
    insert(&mut facts, "memory_mb", memory);
    facts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sums_are_made_of_whole_mebibytes() {
        let text = "MemTotal: 24682416 kB\nMemFree: 10000999 kB\nBuffers: 100999 kB\nCached: 2000999 kB\nSwapCached: 12999 kB\nSwapTotal: 4000999 kB\nSwapFree: 3000000 kB\n";
        let facts = memory(text);
        let expected = json!({
            "nocache": {"free": 11818, "used": 12285},
            "real": {"free": 9766, "total": 24103, "used": 14337},
            "swap": {"cached": 12, "free": 2929, "total": 3907, "used": 978},
        });
        assert_eq!(facts["memory_mb"], expected);
        assert_eq!(facts["memtotal_mb"], 24103);
    }

    proptest! {
        #[test]
        fn any_meminfo_is_survived(text in "(?s).*", number in any::<u64>()) {
            memory(&text);
            memory(&format!("MemTotal: 1\nMemFree: {number}\nCached: {number}\nBuffers: {number}\n"));
        }
    }
}
