//! `reboot`: restarts a machine, and waits until it works again.
//!
//! That it did restart is known by its boot id, which `boot_time_command` prints.

use std::time::{Duration, Instant};

use rustle_module::{Default, Opt, Spec, Type, py_str};
use rustle_process::shell_quote;
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use super::ActionContext;
use crate::result::{TaskError, object};
use crate::unit::UnitError;

pub(crate) const SPEC: Spec = Spec::new(
    "reboot",
    &[
        Opt::new("boot_time_command", Type::Str)
            .default(Default::Str("cat /proc/sys/kernel/random/boot_id")),
        Opt::new("connect_timeout", Type::Int).aliases(&["connect_timeout_sec"]),
        Opt::new("msg", Type::Str).default(Default::Str("Reboot initiated by Ansible")),
        Opt::new("post_reboot_delay", Type::Int)
            .default(Default::Int(0))
            .aliases(&["post_reboot_delay_sec"]),
        Opt::new("pre_reboot_delay", Type::Int)
            .default(Default::Int(0))
            .aliases(&["pre_reboot_delay_sec"]),
        Opt::new("reboot_command", Type::Str),
        Opt::new("reboot_timeout", Type::Int)
            .default(Default::Int(600))
            .aliases(&["reboot_timeout_sec"]),
        Opt::new("search_paths", Type::List(&Type::Str)).default(Default::List(&[
            "/sbin",
            "/bin",
            "/usr/sbin",
            "/usr/bin",
            "/usr/local/sbin",
        ])),
        Opt::new("test_command", Type::Str).default(Default::Str("whoami")),
    ],
);

/// The first and the longest wait between two looks.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(12);

/// How long one look may take where the task says nothing.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    let is_local = match context.connection.get("ansible_connection") {
        Some(connection) => py_str(connection) == "local",
        None => matches!(context.place.as_str(), "localhost" | "127.0.0.1" | "::1"),
    };
    if is_local {
        let msg = "Running reboot with local connection would reboot the control node.";
        return Ok(with(
            ModuleResult::failure(msg),
            json!({"elapsed": 0, "rebooted": false}),
        ));
    }
    if context.mode.check {
        let would = ModuleResult {
            changed: true,
            ..ModuleResult::default()
        };
        return Ok(with(would, json!({"elapsed": 0, "rebooted": true})));
    }
    Rebooting { context, args }.run().await
}

fn with(mut result: ModuleResult, further: Value) -> ModuleResult {
    result.result.extend(object(further));
    result
}

fn rc(result: &ModuleResult) -> Option<i64> {
    result.result.get("rc").and_then(Value::as_i64)
}

fn text(result: &ModuleResult, key: &str) -> String {
    result.result.get(key).map(py_str).unwrap_or_default()
}

/// Whether a look at the host shows what is waited for.
type Met<'a> = &'a (dyn Fn(&ModuleResult) -> bool + Send + Sync);

/// A reboot and what the task says of it.
struct Rebooting<'a> {
    context: &'a ActionContext<'a>,
    args: Object,
}

impl Rebooting<'_> {
    async fn run(&self) -> Result<ModuleResult, UnitError> {
        let before = self.boot_id().await?;
        let command = self.command().await?;
        let began = Instant::now();
        let ended = |result: ModuleResult, rebooted: bool| {
            let elapsed = began.elapsed().as_secs();
            with(result, json!({"elapsed": elapsed, "rebooted": rebooted}))
        };
        if let Some(result) = self.shell(&command).await?
            && rc(&result) != Some(0)
        {
            let said = |stream| text(&result, stream).trim().to_owned();
            let (stdout, stderr) = (said("stdout"), said("stderr"));
            let msg = format!("Reboot command failed. Error was: '{stdout}, {stderr}'");
            return Ok(ended(ModuleResult::failure(msg), false));
        }
        let unit = self.context.unit;
        unit.pause(self.seconds("post_reboot_delay")).await?;
        let has_restarted = |result: &ModuleResult| {
            let id = text(result, "stdout").trim().to_owned();
            rc(result) == Some(0) && !id.is_empty() && id != before
        };
        let works = |result: &ModuleResult| rc(result) == Some(0);
        let looks: [(&str, &str, Met<'_>); 2] = [
            ("last boot time check", "boot_time_command", &has_restarted),
            ("post-reboot test command", "test_command", &works),
        ];
        for (what, command, is_met) in looks {
            if !self.wait(&self.word(command), is_met).await? {
                let limit = self.seconds("reboot_timeout").as_secs();
                let msg = format!("Timed out waiting for {what} (timeout={limit})");
                let failed = ModuleResult {
                    changed: true,
                    ..ModuleResult::failure(msg)
                };
                return Ok(ended(failed, true));
            }
        }
        let done = ModuleResult {
            changed: true,
            ..ModuleResult::default()
        };
        Ok(ended(done, true))
    }

    fn word(&self, name: &str) -> String {
        let value = self.args.get(name).filter(|value| !value.is_null());
        value.map(py_str).unwrap_or_default()
    }

    fn seconds(&self, name: &str) -> Duration {
        let seconds = self.args.get(name).and_then(Value::as_u64);
        Duration::from_secs(seconds.unwrap_or(0))
    }

    /// Runs a text on the host; none where the host cannot be reached, as when it goes down meanwhile.
    async fn shell(&self, command: &str) -> Result<Option<ModuleResult>, UnitError> {
        let args = object(json!({"_raw_params": command}));
        match self.context.invoke("raw", args, Vec::new()).await {
            Ok(result) => Ok(Some(result)),
            Err(UnitError::Unreachable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn boot_id(&self) -> Result<String, UnitError> {
        let args = object(json!({"_raw_params": self.word("boot_time_command")}));
        let result = self.context.invoke("raw", args, Vec::new()).await?;
        if rc(&result) == Some(0) {
            return Ok(text(&result, "stdout").trim().to_owned());
        }
        let msg = format!(
            "reboot: failed to get host boot time info, rc: {}, stdout: {}, stderr: {}",
            rc(&result).unwrap_or(-1),
            text(&result, "stdout"),
            text(&result, "stderr")
        );
        Err(TaskError::new(msg).into())
    }

    /// The command that restarts the machine: the task's, or `shutdown` where it lies.
    async fn command(&self) -> Result<String, UnitError> {
        let given = self.word("reboot_command");
        if !given.is_empty() {
            return Ok(given);
        }
        let paths: Vec<String> = self
            .args
            .get("search_paths")
            .and_then(Value::as_array)
            .map(|paths| paths.iter().map(py_str).collect())
            .unwrap_or_default();
        let places: Vec<String> = paths
            .iter()
            .map(|path| shell_quote(&format!("{path}/shutdown")).into_owned())
            .collect();
        let look = format!(
            "for f in {}; do if [ -x \"$f\" ]; then echo \"$f\"; exit 0; fi; done; exit 1",
            places.join(" ")
        );
        let args = object(json!({"_raw_params": look}));
        let found = self.context.invoke("raw", args, Vec::new()).await?;
        let path = text(&found, "stdout").trim().to_owned();
        if path.is_empty() {
            let msg = format!(
                "Unable to find command \"shutdown\" in search paths: {}",
                paths.join(", ")
            );
            return Err(TaskError::new(msg).into());
        }
        let minutes = self.seconds("pre_reboot_delay").as_secs() / 60;
        let message = self.word("msg");
        Ok(format!(
            "{} -r {minutes} {}",
            shell_quote(&path),
            shell_quote(&message)
        ))
    }

    /// Looks until something is met, over connections of their own; tells whether it was in time.
    async fn wait(&self, command: &str, is_met: Met<'_>) -> Result<bool, UnitError> {
        let (began, limit) = (Instant::now(), self.seconds("reboot_timeout"));
        let patience = match self.seconds("connect_timeout") {
            Duration::ZERO => PATIENCE,
            patience => patience,
        };
        let mut wait = FIRST_WAIT;
        while began.elapsed() < limit {
            let unit = self.context.unit;
            let invoker = &unit.world.invoker;
            invoker
                .reset(self.context.place, &self.context.connection)
                .await;
            let look = tokio::time::timeout(patience, self.shell(command)).await;
            if let Ok(result) = look
                && result?.is_some_and(|result| is_met(&result))
            {
                return Ok(true);
            }
            unit.pause(wait.min(limit)).await?;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(false)
    }
}
