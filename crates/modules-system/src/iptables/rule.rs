//! A rule as words for `iptables`, in the order in which Ansible writes them.

use super::args::{Args, IpVersion, Syn};

/// The words of a rule, which is empty where no part of one is given. `version` is one of the two.
pub(super) fn words(args: &Args, jump: Option<&str>, version: IpVersion) -> Vec<String> {
    let mut rule = Rule::default();
    rule.addresses(args);
    rule.target(args, jump);
    rule.details(args);
    rule.dscp(args, jump);
    rule.matches(args);
    let implied = args.reject_with.is_some() && jump.is_none();
    rule.option("-j", implied.then_some("REJECT"));
    rule.option("--reject-with", args.reject_with.as_deref());
    let icmp = match version {
        IpVersion::Ipv6 => "--icmpv6-type",
        _ => "--icmp-type",
    };
    rule.option(icmp, args.icmp_type.as_deref());
    rule.module("comment", args.comment.is_some());
    rule.option("--comment", args.comment.as_deref());
    rule.0
}

#[derive(Default)]
struct Rule(Vec<String>);

impl Rule {
    fn push(&mut self, word: &str) {
        self.0.push(word.to_owned());
    }

    /// An option with its value; a value that begins with `!` turns it around.
    fn option(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        let plain = value.strip_prefix('!');
        if plain.is_some() {
            self.push("!");
        }
        self.push(name);
        self.push(plain.unwrap_or(value));
    }

    fn list(&mut self, name: &str, values: &[String]) {
        if !values.is_empty() {
            self.push(name);
            self.push(&values.join(","));
        }
    }

    fn module(&mut self, name: &str, is_wanted: bool) {
        self.option("-m", is_wanted.then_some(name));
    }

    fn addresses(&mut self, args: &Args) {
        self.option("-p", args.protocol.as_deref());
        self.option("-s", args.source.as_deref());
        self.option("-d", args.destination.as_deref());
        for name in &args.r#match {
            self.option("-m", Some(name));
        }
        let flags = args.tcp_flags.as_ref();
        if let Some((Some(flags), Some(set))) = flags.map(|flags| (&flags.flags, &flags.flags_set))
        {
            self.list("--tcp-flags", flags);
            self.push(&set.join(","));
        }
    }

    fn target(&mut self, args: &Args, jump: Option<&str>) {
        self.option("-j", jump);
        if jump.is_some_and(|jump| jump.eq_ignore_ascii_case("tee")) {
            self.option("--gateway", args.gateway.as_deref());
        }
        self.option("--log-prefix", args.log_prefix.as_deref());
        self.option("--log-level", args.log_level.as_deref());
        self.option("--to-destination", args.to_destination.as_deref());
        self.module("multiport", !args.destination_ports.is_empty());
        self.list("--dports", &args.destination_ports);
        self.option("--to-source", args.to_source.as_deref());
        self.option("-g", args.goto.as_deref());
    }

    fn details(&mut self, args: &Args) {
        for (name, value) in [
            ("-i", &args.in_interface),
            ("-o", &args.out_interface),
            ("-f", &args.fragment),
            ("-c", &args.set_counters),
            ("--source-port", &args.source_port),
            ("--destination-port", &args.destination_port),
            ("--to-ports", &args.to_ports),
        ] {
            self.option(name, value.as_deref());
        }
    }

    /// What marks packets; a jump elsewhere is followed by one to `DSCP`.
    fn dscp(&mut self, args: &Args, jump: Option<&str>) {
        let elsewhere = !jump.is_some_and(|jump| jump.eq_ignore_ascii_case("dscp"));
        for (name, value) in [
            ("--set-dscp", &args.set_dscp_mark),
            ("--set-dscp-class", &args.set_dscp_mark_class),
        ] {
            self.option(name, value.as_deref());
            let implied = value.is_some() && elsewhere;
            self.option("-j", implied.then_some("DSCP"));
        }
        match args.syn {
            Syn::Ignore => {}
            Syn::Match => self.push("--syn"),
            Syn::Negate => {
                self.push("!");
                self.push("--syn");
            }
        }
    }

    /// What packets have to be like, by modules that are named unless `match` does.
    fn matches(&mut self, args: &Args) {
        let is_named = |name: &str| args.r#match.iter().any(|module| module == name);
        if is_named("state") && !is_named("conntrack") {
            self.list("--state", &args.ctstate);
        } else {
            let is_missing = !args.ctstate.is_empty() && !is_named("conntrack");
            self.module("conntrack", is_missing);
            self.list("--ctstate", &args.ctstate);
        }
        let has_range = args.src_range.is_some() || args.dst_range.is_some();
        self.module("iprange", has_range && !is_named("iprange"));
        self.option("--src-range", args.src_range.as_deref());
        self.option("--dst-range", args.dst_range.as_deref());
        if let (Some(set), Some(flags)) = (&args.match_set, &args.match_set_flags) {
            self.module("set", !is_named("set"));
            self.option("--match-set", Some(set));
            self.push(flags);
        }
        let has_limit = args.limit.is_some() || args.limit_burst.is_some();
        self.module("limit", has_limit);
        self.option("--limit", args.limit.as_deref());
        self.option("--limit-burst", args.limit_burst.as_deref());
        for (name, owner) in [
            ("--uid-owner", &args.uid_owner),
            ("--gid-owner", &args.gid_owner),
        ] {
            self.module("owner", owner.is_some());
            self.option(name, owner.as_deref());
        }
    }
}
