//! Lookups that ask the controller's environment or run a command there.

use rustle_module::py_str;
use rustle_process::{CancelToken, Command, ExitStatus, Finished, Outcome};
use rustle_template::LookupCall;
use serde_json::Value;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};

use super::{ControllerLookups, Found};

/// Variables of the environment that the run was started with.
pub(super) fn env(call: &LookupCall<'_>) -> Vec<Value> {
    let default = call
        .options
        .get("default")
        .cloned()
        .unwrap_or_else(|| Value::String(String::new()));
    let value = |term: &Value| {
        let text = py_str(term);
        let name = text.split_whitespace().next().unwrap_or_default();
        std::env::var(name).map_or_else(|_| default.clone(), Value::String)
    };
    call.terms.iter().map(value).collect()
}

impl ControllerLookups {
    /// The output of each command, without white space at its end.
    pub(super) fn pipe(&self, commands: &[String]) -> Found {
        let output = |command: &String| {
            let output = self.output("pipe", command)?;
            Ok(Value::String(output.trim_end().to_owned()))
        };
        commands.iter().map(output).collect()
    }

    /// The lines of all commands' output.
    pub(super) fn lines(&self, commands: &[String]) -> Found {
        let mut lines = Vec::new();
        for command in commands {
            let output = self.output("lines", command)?;
            let of_one = output
                .split_terminator(['\n', '\r'])
                .map(|line| Value::String(line.to_owned()));
            lines.extend(of_one);
        }
        Ok(lines)
    }

    fn output(&self, lookup: &str, command: &str) -> Result<String, String> {
        let finished = self.shell(command)?;
        if finished.outcome != Outcome::Exited {
            return Err(format!("`{command}` was stopped"));
        }
        if finished.status != ExitStatus::Code(0) {
            let stderr = finished.stderr.to_string_lossy();
            let told = stderr.trim();
            let told = if told.is_empty() {
                String::new()
            } else {
                format!(": {told}")
            };
            let code = finished.status.to_return_code();
            return Err(format!(
                "lookup_plugin.{lookup}({command}) returned {code}{told}"
            ));
        }
        if finished.stdout.truncated {
            return Err(format!("`{command}` wrote more than fits into a variable"));
        }
        let output = String::from_utf8(finished.stdout.bytes().to_vec());
        output
            .map(|output| output.replace("\r\n", "\n"))
            .map_err(|_| format!("the output of `{command}` is not UTF-8 text"))
    }

    /// Runs a command by a shell, from the plan's folder, and waits for it.
    fn shell(&self, command: &str) -> Result<Finished, String> {
        let command = Command::new("/bin/sh")
            .args(["-c", command])
            .current_dir(&self.base_dir);
        self.wait(|cancel| async move {
            let finished = command.run(&cancel).await;
            finished.map_err(|error| error.to_string())
        })
    }

    /// Waits for work that has to do with the world outside.
    ///
    /// Templates are rendered by code that cannot wait, so it runs on a thread of its own; other hosts' work goes on meanwhile.
    pub(super) fn wait<T, W>(&self, work: impl FnOnce(CancelToken) -> W + Send) -> Result<T, String>
    where
        T: Send,
        W: Future<Output = Result<T, String>>,
    {
        let cancel = self.cancel.clone();
        let run = || {
            std::thread::scope(|scope| {
                let running = scope.spawn(|| {
                    let runtime = Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .map_err(|error| error.to_string())?;
                    runtime.block_on(work(cancel))
                });
                running
                    .join()
                    .unwrap_or_else(|_| Err("the work was given up".into()))
            })
        };
        let is_shared = Handle::try_current()
            .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
        if is_shared {
            tokio::task::block_in_place(run)
        } else {
            run()
        }
    }
}
