//! The processors, from `/proc/cpuinfo`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Facts, Root, insert};

/// Keys of cpuinfo that name the model of a processor, on one architecture or another.
const MODEL_KEYS: [&str; 6] = [
    "model name",
    "Processor",
    "vendor_id",
    "cpu",
    "Vendor",
    "cpu model",
];

/// Gathers `processor*` and `flags`; `architecture` is the host's.
pub(super) fn collect(root: &Root, architecture: &str) -> Facts {
    let mut facts = Facts::new();
    let Some(text) = root.text("/proc/cpuinfo") else {
        return facts;
    };
    let info = parse(&text);
    let counts = info.counts(architecture);
    insert(&mut facts, "processor", info.models);
    insert(&mut facts, "processor_count", counts.sockets);
    insert(&mut facts, "processor_cores", counts.cores);
    insert(&mut facts, "processor_threads_per_core", counts.threads);
    insert(
        &mut facts,
        "processor_vcpus",
        counts.sockets * counts.cores * counts.threads,
    );
    insert(
        &mut facts,
        "processor_nproc",
        usable().unwrap_or(info.processors),
    );
    if !info.flags.is_empty() {
        insert(&mut facts, "flags", info.flags);
    }
    facts
}

/// How many processors this process may run on.
fn usable() -> Option<usize> {
    let set = rustix::thread::sched_getaffinity(None).ok()?;
    Some(set.count() as usize)
}

#[derive(Debug, Default)]
struct CpuInfo {
    /// The number of each processor, followed by its vendor and model.
    models: Vec<String>,
    processors: usize,
    sockets: BTreeSet<String>,
    /// Cores and hardware threads of each socket.
    cores: BTreeMap<String, usize>,
    siblings: BTreeMap<String, usize>,
    flags: Vec<Value>,
}

#[derive(Debug, PartialEq, Eq)]
struct Counts {
    sockets: usize,
    cores: usize,
    threads: usize,
}

impl CpuInfo {
    /// Architectures that do not tell sockets count each processor as one.
    fn counts(&self, architecture: &str) -> Counts {
        let single = Counts {
            sockets: self.processors.max(1),
            cores: 1,
            threads: 1,
        };
        if architecture == "s390x" || self.sockets.is_empty() {
            return single;
        }
        let cores = self.cores.values().copied().max().unwrap_or(1).max(1);
        let siblings = self.siblings.values().copied().max().unwrap_or(cores);
        Counts {
            sockets: self.sockets.len(),
            cores,
            threads: (siblings / cores).max(1),
        }
    }
}

fn parse(text: &str) -> CpuInfo {
    let mut info = CpuInfo::default();
    let mut socket = String::from("0");
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let (key, value) = (key.trim(), value.trim());
        match key {
            "processor" => {
                info.processors += 1;
                info.models.push(value.to_owned());
            }
            "physical id" => {
                value.clone_into(&mut socket);
                info.sockets.insert(socket.clone());
            }
            "cpu cores" => add_count(&mut info.cores, &socket, value),
            "siblings" => add_count(&mut info.siblings, &socket, value),
            "flags" | "Features" if info.flags.is_empty() => {
                info.flags = value.split_whitespace().map(Value::from).collect();
            }
            "# processors" => info.processors = value.parse().unwrap_or(info.processors),
            key if MODEL_KEYS.contains(&key) => info.models.push(value.to_owned()),
            _ => {}
        }
    }
    info
}

/// Keeps sane counts only: the product of all is taken later.
fn add_count(counts: &mut BTreeMap<String, usize>, socket: &str, value: &str) {
    if let Some(count) = value
        .parse()
        .ok()
        .filter(|count| (1..=65_536).contains(count))
    {
        counts.insert(socket.to_owned(), count);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_sockets_of_four_cores_with_two_threads_are_sixteen() {
        let mut text = String::new();
        for processor in 0..16 {
            let socket = processor / 8;
            write!(
                text,
                "processor\t: {processor}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: {socket}\nsiblings\t: 8\ncpu cores\t: 4\nflags\t\t: fpu vme\n\n"
            )
            .unwrap();
        }
        let info = parse(&text);
        assert_eq!(
            info.counts("x86_64"),
            Counts {
                sockets: 2,
                cores: 4,
                threads: 2
            }
        );
        assert_eq!(info.models[..4], ["0", "GenuineIntel", "Xeon", "1"]);
        assert_eq!(info.flags.len(), 2);
    }

    #[test]
    fn arm_does_not_tell_sockets() {
        let text = "processor\t: 0\nBogoMIPS\t: 50\n\nprocessor\t: 1\nBogoMIPS\t: 50\n";
        let info = parse(text);
        assert_eq!(
            info.counts("aarch64"),
            Counts {
                sockets: 2,
                cores: 1,
                threads: 1
            }
        );
        assert_eq!(info.models, ["0", "1"]);
    }

    proptest! {
        #[test]
        fn any_cpuinfo_is_survived(text in "(?s).*", count in any::<u64>()) {
            parse(&text).counts("x86_64");
            parse(&format!("physical id: 0\nsiblings: {count}\ncpu cores: {count}\n")).counts("x86_64");
        }
    }
}
