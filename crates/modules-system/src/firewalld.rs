//! The module `ansible.posix.firewalld`: what a zone of the firewall lets through, by `firewall-cmd`.

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;

/// The exit status of `firewall-cmd` where no firewalld runs.
const NOT_RUNNING: i32 = 252;

/// The module `ansible.posix.firewalld`.
pub(crate) struct Firewalld;

/// What shall be of the thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RuleState {
    Absent,
    Disabled,
    Enabled,
    Present,
}

/// A port whose packets go elsewhere.
#[derive(Debug, Deserialize)]
struct PortForward {
    port: String,
    proto: String,
    toport: String,
    toaddr: Option<String>,
}

/// The arguments of `firewalld`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    forward: Option<bool>,
    icmp_block: Option<String>,
    icmp_block_inversion: Option<bool>,
    immediate: bool,
    interface: Option<String>,
    masquerade: Option<bool>,
    offline: bool,
    permanent: bool,
    port: Option<String>,
    port_forward: Option<Vec<PortForward>>,
    protocol: Option<String>,
    rich_rule: Option<String>,
    service: Option<String>,
    source: Option<String>,
    state: RuleState,
    target: Option<String>,
    timeout: i64,
    zone: Option<String>,
}

/// What has to be done, and what is told of it.
#[derive(Default)]
pub(crate) struct State {
    is_offline: bool,
    steps: Vec<Vec<String>>,
    message: String,
}

const fn text(name: &'static str) -> Opt {
    Opt::new(name, Type::Str)
}

const fn truth(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool)
}

const OPTIONS: &[Opt] = &[
    truth("forward"),
    text("icmp_block"),
    truth("icmp_block_inversion"),
    truth("immediate").default(Default::Bool(false)),
    text("interface"),
    truth("masquerade"),
    truth("offline").default(Default::Bool(false)),
    truth("permanent").default(Default::Bool(false)),
    text("port"),
    Opt::new("port_forward", Type::List(&Type::Dict)).suboptions(&[
        text("port").required(),
        text("proto").choices(&["udp", "tcp"]).required(),
        text("toport").required(),
        text("toaddr"),
    ]),
    text("protocol"),
    text("rich_rule"),
    text("service"),
    text("source"),
    text("state")
        .choices(&["absent", "disabled", "enabled", "present"])
        .required(),
    text("target").choices(&["default", "ACCEPT", "DROP", "%%REJECT%%"]),
    Opt::new("timeout", Type::Int).default(Default::Int(0)),
    text("zone"),
];

const CONSTRAINTS: &[Constraint] = &[
    Constraint::MutuallyExclusive(&[
        "icmp_block",
        "icmp_block_inversion",
        "service",
        "protocol",
        "port",
        "port_forward",
        "rich_rule",
        "interface",
        "forward",
        "masquerade",
        "source",
        "target",
    ]),
    Constraint::RequiredBy {
        option: "interface",
        required: &["zone"],
    },
    Constraint::RequiredBy {
        option: "target",
        required: &["zone"],
    },
    Constraint::RequiredBy {
        option: "source",
        required: &["permanent"],
    },
];

/// What a task is about.
struct Thing {
    /// The name that options of `firewall-cmd` have for it.
    option: &'static str,
    /// Its value, unless it is a truth by itself.
    value: Option<String>,
    kind: Kind,
}

/// How changes are told.
#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// `Changed NAME VALUE to STATE`, with these words for name and value.
    Changed(String),
    /// `Added NAME to zone ZONE`.
    Added(&'static str),
    Interface,
    Source,
    Target,
    Zone,
}

#[async_trait]
impl Module for Firewalld {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.firewalld", OPTIONS).constraints(CONSTRAINTS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let Some(thing) = args.thing()? else {
            return Ok(State::default());
        };
        let firewall = Firewall::find(target, args).await?;
        let zone = match &args.zone {
            Some(zone) => zone.clone(),
            None => firewall.default_zone().await?,
        };
        let is_wanted = args.is_wanted();
        let mut steps = Vec::new();
        for is_permanent in [true, false] {
            let is_meant = match is_permanent {
                true => args.permanent,
                false => args.is_immediate(),
            };
            let is_meant = is_meant && (is_permanent || !firewall.is_offline);
            if !is_meant || firewall.has(&thing, &zone, is_permanent).await? == is_wanted {
                continue;
            }
            steps.push(args.step(&firewall, &thing, &zone, is_permanent));
        }
        let mut message = args.operation().to_owned();
        if !steps.is_empty() {
            message = format!("{message}, {}", args.change(&thing, &zone));
        }
        Ok(State {
            is_offline: firewall.is_offline,
            steps,
            message,
        })
    }

    fn diff(&self, _args: &Args, state: &State, mode: Mode) -> Verdict {
        let differs = !state.steps.is_empty();
        let output = match differs && mode.check {
            true => Output::default(),
            false => state.output(),
        };
        Verdict::change_if(differs, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        _args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let firewall = Firewall::new(target, state.is_offline)?;
        for words in &state.steps {
            firewall.told(words).await?;
        }
        Ok(state.output())
    }
}

impl State {
    fn output(&self) -> Output {
        let msg = ("msg".to_owned(), self.message.as_str().into());
        Output::new(Object::from_iter([msg]))
    }
}

impl Args {
    /// Whether what is in force now is meant.
    const fn is_immediate(&self) -> bool {
        self.immediate || !self.permanent
    }

    const fn operation(&self) -> &'static str {
        match (self.permanent, self.is_immediate()) {
            (true, true) => "Permanent and Non-Permanent(immediate) operation",
            (true, false) => "Permanent operation",
            _ => "Non-permanent operation",
        }
    }

    /// Whether the thing shall be there; a truth that is false turns the state around.
    fn is_wanted(&self) -> bool {
        let truths = [self.masquerade, self.forward, self.icmp_block_inversion];
        let is_turned = truths.contains(&Some(false));
        matches!(self.state, RuleState::Enabled | RuleState::Present) != is_turned
    }

    /// What the task is about; nothing where it names nothing that its state could be of.
    fn thing(&self) -> Result<Option<Thing>, Failure> {
        if self.port.as_ref().is_some_and(|port| !port.contains('/')) {
            return Err(Failure::new("improper port format (missing protocol?)"));
        }
        let texts = [
            ("service", "service", &self.service),
            ("protocol", "protocol", &self.protocol),
            ("port", "port", &self.port),
            ("rich-rule", "rich_rule", &self.rich_rule),
            ("icmp-block", "icmp-block", &self.icmp_block),
        ];
        let mut things = texts.into_iter().filter_map(|(option, name, value)| {
            let value = value.clone()?;
            let kind = Kind::Changed(format!("{name} {value}"));
            let value = Some(value);
            Some(Thing {
                option,
                value,
                kind,
            })
        });
        let thing = match things.next() {
            Some(thing) => Some(thing),
            None => self.other_thing()?,
        };
        let is_zone_level = matches!(self.state, RuleState::Absent | RuleState::Present);
        match thing {
            Some(thing) if is_zone_level && thing.kind != Kind::Target => Err(Failure::new(
                "absent and present state can only be used in zone level operations",
            )),
            Some(thing) if thing.kind == Kind::Target => self.permanent(thing),
            Some(thing) => Ok(Some(thing)),
            None if !is_zone_level || self.zone.is_none() => Ok(None),
            None => self.permanent(Thing {
                option: "zone",
                value: self.zone.clone(),
                kind: Kind::Zone,
            }),
        }
    }

    /// A thing of which there is nothing but what is permanent.
    fn permanent(&self, thing: Thing) -> Result<Option<Thing>, Failure> {
        match self.is_immediate() {
            true => Err(Failure::new(
                "Zone operations must be permanent. Make sure you didn't set the 'permanent' flag to 'false' or the 'immediate' flag to 'true'.",
            )),
            false => Ok(Some(thing)),
        }
    }

    fn other_thing(&self) -> Result<Option<Thing>, Failure> {
        let plain = |option, value: &Option<String>, kind| {
            let value = value.clone()?;
            let value = Some(value);
            Some(Thing {
                option,
                value,
                kind,
            })
        };
        let truth = |option, value: Option<bool>, kind| {
            let value = value.map(|_| None)?;
            Some(Thing {
                option,
                value,
                kind,
            })
        };
        if let Some(ports) = &self.port_forward {
            let [port] = ports.as_slice() else {
                return Err(Failure::new("Only one port forward supported at a time"));
            };
            return Ok(Some(port.thing()));
        }
        let inverted = self.icmp_block_inversion;
        let inversion = Kind::Changed(match inverted {
            Some(false) => "icmp-block-inversion False".to_owned(),
            _ => "icmp-block-inversion True".to_owned(),
        });
        Ok(plain("interface", &self.interface, Kind::Interface)
            .or_else(|| plain("source", &self.source, Kind::Source))
            .or_else(|| plain("target", &self.target, Kind::Target))
            .or_else(|| truth("icmp-block-inversion", inverted, inversion))
            .or_else(|| truth("masquerade", self.masquerade, Kind::Added("masquerade")))
            .or_else(|| truth("forward", self.forward, Kind::Added("forward"))))
    }

    /// The words that make the change.
    fn step(
        &self,
        firewall: &Firewall<'_>,
        thing: &Thing,
        zone: &str,
        is_permanent: bool,
    ) -> Vec<String> {
        let is_wanted = self.is_wanted();
        let verb = match (&thing.kind, is_wanted) {
            (Kind::Zone, true) => "new",
            (Kind::Zone, false) => "delete",
            (Kind::Target, _) => "set",
            (Kind::Interface, true) => "change",
            (_, true) => "add",
            (_, false) => "remove",
        };
        let value = match thing.kind {
            Kind::Target if !is_wanted => Some("default"),
            _ => thing.value.as_deref(),
        };
        let mut words = firewall.words(thing, zone, is_permanent, verb, value);
        if is_wanted && !is_permanent && self.timeout > 0 {
            words.push(format!("--timeout={}", self.timeout));
        }
        words
    }

    /// What is told of the change.
    fn change(&self, thing: &Thing, zone: &str) -> String {
        let value = thing.value.as_deref().unwrap_or_default();
        match (&thing.kind, self.is_wanted()) {
            (Kind::Changed(what), _) => {
                let state = match self.state {
                    RuleState::Enabled | RuleState::Present => "enabled",
                    RuleState::Disabled | RuleState::Absent => "disabled",
                };
                format!("Changed {what} to {state}")
            }
            (Kind::Added(name), true) => format!("Added {name} to zone {zone}"),
            (Kind::Added(name), false) => format!("Removed {name} from zone {zone}"),
            (Kind::Interface, true) => format!("Changed {value} to zone {zone}"),
            (Kind::Source, true) => format!("Added {value} to zone {zone}"),
            (Kind::Interface | Kind::Source, false) => format!("Removed {value} from zone {zone}"),
            (Kind::Target, true) => format!("Set zone {zone} target to {value}"),
            (Kind::Target, false) => format!("Reset zone {zone} target to default"),
            (Kind::Zone, true) => format!("Added zone {zone}, Changed zone {zone} to present"),
            (Kind::Zone, false) => {
                format!("Removed zone {zone}, Changed zone {zone} to absent")
            }
        }
    }
}

impl PortForward {
    fn thing(&self) -> Thing {
        let Self {
            port,
            proto,
            toport,
            toaddr,
        } = self;
        let address = toaddr.as_deref().unwrap_or_default();
        let value = format!("port={port}:proto={proto}:toport={toport}:toaddr={address}");
        let what = format!("port={port}:proto={proto}:toport={toport}:toaddr={address}");
        Thing {
            option: "forward-port",
            value: Some(value),
            kind: Kind::Changed(format!("port_forward {what}")),
        }
    }
}

/// `firewall-cmd`, or its like for a firewalld that does not run.
struct Firewall<'a> {
    tool: Tool<'a>,
    is_offline: bool,
}

impl<'a> Firewall<'a> {
    fn new(target: &'a dyn Target, is_offline: bool) -> Result<Self, Failure> {
        let name = match is_offline {
            true => "firewall-offline-cmd",
            false => "firewall-cmd",
        };
        let tool = Tool::find(target, name)?;
        Ok(Self { tool, is_offline })
    }

    async fn find(target: &'a dyn Target, args: &Args) -> Result<Self, Failure> {
        let online = Self::new(target, false)?;
        if online.tool.run(["--state"]).await?.rc != NOT_RUNNING {
            return Ok(online);
        }
        if !args.offline || !args.permanent {
            return Err(Failure::new(
                "firewalld service must be running, or try with offline=true",
            ));
        }
        Self::new(target, true)
    }

    async fn default_zone(&self) -> Result<String, Failure> {
        let told = self.told(&["--get-default-zone"]).await?;
        Ok(told.trim().to_owned())
    }

    /// An option about a thing, for a zone.
    fn words(
        &self,
        thing: &Thing,
        zone: &str,
        is_permanent: bool,
        verb: &str,
        value: Option<&str>,
    ) -> Vec<String> {
        let mut words = Vec::new();
        words.extend((is_permanent && !self.is_offline).then(|| "--permanent".to_owned()));
        words.extend((thing.kind != Kind::Zone).then(|| format!("--zone={zone}")));
        let option = thing.option;
        words.push(match value {
            Some(value) => format!("--{verb}-{option}={value}"),
            None => format!("--{verb}-{option}"),
        });
        words
    }

    /// Whether a thing is there.
    async fn has(&self, thing: &Thing, zone: &str, is_permanent: bool) -> Result<bool, Failure> {
        let value = thing.value.as_deref();
        match thing.kind {
            Kind::Zone => {
                let mut words: Vec<&str> = Vec::new();
                words.extend((!self.is_offline).then_some("--permanent"));
                words.push("--get-zones");
                let zones = self.told(&words).await?;
                Ok(zones.split_whitespace().any(|one| one == zone))
            }
            Kind::Target => {
                let words = self.words(thing, zone, is_permanent, "get", None);
                Ok(Some(self.told(&words).await?.trim()) == value)
            }
            _ => {
                let words = self.words(thing, zone, is_permanent, "query", value);
                let ran = self.tool.run(&words).await?;
                match ran.rc {
                    0 => Ok(true),
                    1 => Ok(false),
                    _ => Err(failure(&ran)),
                }
            }
        }
    }

    /// What the program says, which has to succeed.
    async fn told(&self, words: &[impl AsRef<std::ffi::OsStr>]) -> Result<String, Failure> {
        let ran = self.tool.run(words).await?;
        match ran.is_success() {
            true => Ok(ran.stdout),
            false => Err(failure(&ran)),
        }
    }
}

fn failure(ran: &Ran) -> Failure {
    let said = match ran.stderr.is_empty() {
        true => &ran.stdout,
        false => &ran.stderr,
    };
    let said = said.trim();
    let said = said.strip_prefix("Error: ").unwrap_or(said);
    Failure::new(format!("ERROR: Exception caught: {said}"))
}
