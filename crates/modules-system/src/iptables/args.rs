//! The arguments of `iptables`.

use rustle_module::{Constraint, Default, Opt, Type};
use serde::Deserialize;

/// What the module is told.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    pub(super) action: Action,
    pub(super) chain: Option<String>,
    pub(super) chain_management: bool,
    pub(super) comment: Option<String>,
    pub(super) ctstate: Vec<String>,
    pub(super) destination: Option<String>,
    pub(super) destination_port: Option<String>,
    pub(super) destination_ports: Vec<String>,
    pub(super) dst_range: Option<String>,
    pub(super) flush: bool,
    pub(super) fragment: Option<String>,
    pub(super) gateway: Option<String>,
    pub(super) gid_owner: Option<String>,
    pub(super) goto: Option<String>,
    pub(super) icmp_type: Option<String>,
    pub(super) in_interface: Option<String>,
    pub(super) ip_version: IpVersion,
    pub(super) jump: Option<String>,
    pub(super) limit: Option<String>,
    pub(super) limit_burst: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) log_prefix: Option<String>,
    pub(super) r#match: Vec<String>,
    pub(super) match_set: Option<String>,
    pub(super) match_set_flags: Option<String>,
    pub(super) numeric: bool,
    pub(super) out_interface: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) reject_with: Option<String>,
    pub(super) rule_num: Option<String>,
    pub(super) set_counters: Option<String>,
    pub(super) set_dscp_mark: Option<String>,
    pub(super) set_dscp_mark_class: Option<String>,
    pub(super) source: Option<String>,
    pub(super) source_port: Option<String>,
    pub(super) src_range: Option<String>,
    pub(super) state: RuleState,
    pub(super) syn: Syn,
    pub(super) table: String,
    pub(super) tcp_flags: Option<TcpFlags>,
    pub(super) to_destination: Option<String>,
    pub(super) to_ports: Option<String>,
    pub(super) to_source: Option<String>,
    pub(super) uid_owner: Option<String>,
    pub(super) wait: Option<String>,
}

/// Where a new rule goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Append,
    Insert,
}

/// Whose rules are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IpVersion {
    Ipv4,
    Ipv6,
    Both,
}

/// What shall be of the rule, or of the chain where no rule is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RuleState {
    Present,
    Absent,
}

/// What packets that ask for a connection mean to the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Syn {
    Ignore,
    Match,
    Negate,
}

/// Which flags of TCP are looked at, and which of them have to be set.
#[derive(Debug, Deserialize)]
pub(super) struct TcpFlags {
    pub(super) flags: Option<Vec<String>>,
    pub(super) flags_set: Option<Vec<String>>,
}

const fn text(name: &'static str) -> Opt {
    Opt::new(name, Type::Str)
}

const fn texts(name: &'static str) -> Opt {
    Opt::new(name, Type::List(&Type::Str)).default(Default::List(&[]))
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

pub(super) const OPTIONS: &[Opt] = &[
    text("action")
        .default(Default::Str("append"))
        .choices(&["append", "insert"]),
    text("chain"),
    flag("chain_management"),
    text("comment"),
    texts("ctstate"),
    text("destination"),
    text("destination_port"),
    texts("destination_ports"),
    text("dst_range"),
    flag("flush"),
    text("fragment"),
    text("gateway"),
    text("gid_owner"),
    text("goto"),
    text("icmp_type"),
    text("in_interface"),
    text("ip_version")
        .default(Default::Str("ipv4"))
        .choices(&["ipv4", "ipv6", "both"]),
    text("jump"),
    text("limit"),
    text("limit_burst"),
    text("log_level").choices(&[
        "0", "1", "2", "3", "4", "5", "6", "7", "emerg", "alert", "crit", "error", "warning",
        "notice", "info", "debug",
    ]),
    text("log_prefix"),
    texts("match"),
    text("match_set"),
    text("match_set_flags").choices(&["src", "dst", "src,dst", "dst,src", "dst,dst", "src,src"]),
    flag("numeric"),
    text("out_interface"),
    text("policy").choices(&["ACCEPT", "DROP", "QUEUE", "RETURN"]),
    text("protocol"),
    text("reject_with"),
    text("rule_num"),
    text("set_counters"),
    text("set_dscp_mark"),
    text("set_dscp_mark_class"),
    text("source"),
    text("source_port"),
    text("src_range"),
    text("state")
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    text("syn")
        .default(Default::Str("ignore"))
        .choices(&["ignore", "match", "negate"]),
    text("table")
        .default(Default::Str("filter"))
        .choices(&["filter", "nat", "mangle", "raw", "security"]),
    Opt::new("tcp_flags", Type::Dict).suboptions(&[
        Opt::new("flags", Type::List(&Type::Str)),
        Opt::new("flags_set", Type::List(&Type::Str)),
    ]),
    text("to_destination"),
    text("to_ports"),
    text("to_source"),
    text("uid_owner"),
    text("wait"),
];

const fn tee_needs_gateway(jump: &'static str) -> Constraint {
    Constraint::RequiredIf {
        option: "jump",
        value: jump,
        required: &["gateway"],
        any: false,
    }
}

const fn jump_for(option: &'static str) -> Constraint {
    Constraint::RequiredBy {
        option,
        required: &["jump"],
    }
}

pub(super) const CONSTRAINTS: &[Constraint] = &[
    Constraint::MutuallyExclusive(&["set_dscp_mark", "set_dscp_mark_class"]),
    Constraint::MutuallyExclusive(&["flush", "policy"]),
    tee_needs_gateway("TEE"),
    tee_needs_gateway("tee"),
    Constraint::RequiredIf {
        option: "flush",
        value: "False",
        required: &["chain"],
        any: false,
    },
    jump_for("set_dscp_mark"),
    jump_for("set_dscp_mark_class"),
];
