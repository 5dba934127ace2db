//! The module `hostname`: the name of the machine, now and after a restart.

use std::fs;
use std::io;

use async_trait::async_trait;
use rustle_module::{
    Change, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use rustle_module::tool::Tool;

const FILE: &str = "/etc/hostname";
const NOW: &str = "/proc/sys/kernel/hostname";

/// The module `hostname`.
pub(crate) struct Hostname;

/// The arguments of `hostname`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    r#use: Option<String>,
}

/// The names that the machine has.
pub(crate) struct State {
    /// The name now.
    current: String,
    /// The name after a restart.
    permanent: String,
    /// Whether `hostnamectl` sets both.
    by_systemd: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("use", Type::Str).choices(&[
        "alpine", "debian", "freebsd", "generic", "macos", "macosx", "darwin", "openbsd", "openrc",
        "redhat", "sles", "solaris", "systemd",
    ]),
];

#[async_trait]
impl Module for Hostname {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("hostname", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let by_systemd = match args.r#use.as_deref() {
            None => fs::exists("/run/systemd/system").unwrap_or(false),
            Some(way) => way == "systemd",
        };
        if by_systemd && args.name.len() > 64 {
            let msg =
                "name cannot be longer than 64 characters on systemd servers, try a shorter name";
            return Err(Failure::new(msg));
        }
        if args.name.is_empty() || args.name.contains(['\n', '\0', '/', ' ']) {
            return Err(Failure::new(format!(
                "`{}` is not the name of a machine",
                args.name
            )));
        }
        let by_systemd = by_systemd && Tool::find(target, "hostnamectl").is_ok();
        Ok(State {
            current: read(NOW),
            permanent: read(FILE),
            by_systemd,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let output = Output::new(args.result());
        if state.current == args.name && state.permanent == args.name {
            return Verdict::unchanged(output);
        }
        let before = if state.permanent == args.name {
            &state.current
        } else {
            &state.permanent
        };
        let diff = json!({
            "after": format!("hostname = {}\n", args.name),
            "before": format!("hostname = {before}\n"),
        });
        Verdict::Change(Change {
            diff,
            predicted: output,
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        if state.by_systemd {
            let tool = Tool::find(target, "hostnamectl")?;
            for kind in ["--transient", "--static", "--pretty"] {
                let ran = tool.run([kind, "set-hostname", "--", &args.name]).await?;
                if ran.rc != 0 {
                    let msg = format!(
                        "Command failed rc={}, out={}, err={}",
                        ran.rc, ran.stdout, ran.stderr
                    );
                    return Err(Failure::new(msg));
                }
            }
            return Ok(Output::new(args.result()));
        }
        let failed = |error: io::Error| Failure::new(format!("failed to update hostname: {error}"));
        if state.permanent != args.name {
            fs::write(FILE, format!("{}\n", args.name)).map_err(failed)?;
        }
        if state.current != args.name {
            fs::write(NOW, &args.name).map_err(failed)?;
        }
        Ok(Output::new(args.result()))
    }
}

/// The first line of a file; empty where it cannot be read.
fn read(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

impl Args {
    fn result(&self) -> Object {
        let short = self.name.split('.').next().unwrap_or_default();
        let facts = json!({
            "ansible_hostname": short,
            "ansible_nodename": self.name,
            "ansible_fqdn": self.name,
            "ansible_domain": self.name.split_once('.').map_or("", |(_, domain)| domain),
        });
        let facts: Value = facts;
        Object::from_iter([
            ("name".to_owned(), self.name.as_str().into()),
            ("ansible_facts".to_owned(), facts),
        ])
    }
}
