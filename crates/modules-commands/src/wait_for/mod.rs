//! The module `wait_for`: waits for a port, a file, or a time.

mod connections;
mod search;
mod waiting;

use async_trait::async_trait;
use rustle_module::path_info::add_path_info;
use rustle_module::{
    Change, CheckSupport, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use waiting::Waiting;

/// The module `wait_for`.
pub(crate) struct WaitFor;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WaitState {
    Absent,
    Drained,
    Present,
    Started,
    Stopped,
}

impl WaitState {
    /// The word for it.
    const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Drained => "drained",
            Self::Present => "present",
            Self::Started => "started",
            Self::Stopped => "stopped",
        }
    }
}

/// The arguments of `wait_for`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    host: String,
    timeout: Value,
    connect_timeout: Value,
    delay: Value,
    port: Option<Value>,
    active_connection_states: Vec<String>,
    path: Option<String>,
    search_regex: Option<String>,
    state: WaitState,
    exclude_hosts: Option<Vec<String>>,
    sleep: Value,
    msg: Option<String>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("host", Type::Str).default(Default::Str("127.0.0.1")),
    Opt::new("timeout", Type::Int).default(Default::Int(300)),
    Opt::new("connect_timeout", Type::Int).default(Default::Int(5)),
    Opt::new("delay", Type::Int).default(Default::Int(0)),
    Opt::new("port", Type::Int),
    Opt::new("active_connection_states", Type::List(&Type::Str)).default(Default::List(&[
        "ESTABLISHED",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "SYN_RECV",
        "SYN_SENT",
        "TIME_WAIT",
    ])),
    Opt::new("path", Type::Path),
    Opt::new("search_regex", Type::Str),
    Opt::new("state", Type::Str)
        .default(Default::Str("started"))
        .choices(&["absent", "drained", "present", "started", "stopped"]),
    Opt::new("exclude_hosts", Type::List(&Type::Str)),
    Opt::new("sleep", Type::Int).default(Default::Int(1)),
    Opt::new("msg", Type::Str),
];

#[async_trait]
impl Module for WaitFor {
    type Args = Args;
    type State = Object;
    const SPEC: Spec = Spec::new("wait_for", OPTIONS).check_mode(CheckSupport::None);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Object, Failure> {
        let mut waiting = Waiting::new(target, args).await?;
        let matched = waiting.run().await?;
        let mut result = Object::new();
        let given = |value: Option<&str>| value.map_or(Value::Null, Value::from);
        result.insert("state".into(), args.state.word().into());
        result.insert("port".into(), args.port.clone().unwrap_or_default());
        let search = given(args.search_regex.as_deref());
        result.insert("search_regex".into(), search);
        result.insert("match_groups".into(), matched.groups.into());
        result.insert("match_groupdict".into(), matched.named.into());
        result.insert("path".into(), given(args.path.as_deref()));
        result.insert("elapsed".into(), waiting.elapsed().into());
        if let Some(path) = &args.path {
            add_path_info(target, &mut result, path).await;
        }
        Ok(result)
    }

    fn diff(&self, _args: &Args, result: &Object, _mode: Mode) -> Verdict {
        Verdict::unchanged(Output::new(result.clone()))
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _result: Object,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

impl Args {
    /// The port, if one was given that there is.
    fn port(&self) -> Option<u16> {
        self.port
            .as_ref()
            .and_then(|port| u16::try_from(number(port)).ok())
    }

    /// Refuses options that do not go together.
    fn check(&self) -> Result<(), Failure> {
        let has_port = self.port.as_ref().is_some_and(|port| number(port) != 0);
        let has_path = self.path.as_ref().is_some_and(|path| !path.is_empty());
        let only_ports = |state| {
            format!("state={state} should only be used for checking a port in the wait_for module")
        };
        let msg = if has_port && has_path {
            "port and path parameter can not both be passed to wait_for".to_owned()
        } else if has_path && self.state == WaitState::Stopped {
            only_ports("stopped")
        } else if has_path && self.state == WaitState::Drained {
            only_ports("drained")
        } else if self.exclude_hosts.is_some() && self.state != WaitState::Drained {
            "exclude_hosts should only be with state=drained".to_owned()
        } else {
            return Ok(());
        };
        Err(Failure::new(msg).with("elapsed", 0))
    }
}

/// A whole number; a truth value, which Ansible takes for one, is 0 or 1.
fn number(value: &Value) -> u64 {
    match value {
        Value::Bool(truth) => u64::from(*truth),
        // Times below zero are over at once.
        number => number.as_u64().unwrap_or_default(),
    }
}
