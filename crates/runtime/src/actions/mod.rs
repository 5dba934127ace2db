//! What runs on the controller: tasks that are about the run itself, and the controller's half of tasks that send files.
//!
//! Everything else is a module on the host.

mod argument_spec;
mod assemble;
mod assert;
mod background;
mod copy;
mod debug;
mod fail;
mod fetch;
mod foreign;
mod groups;
mod include;
mod include_vars;
mod meta;
mod patch;
mod pause;
mod reboot;
mod script;
mod set_fact;
mod set_stats;
mod synchronize;
mod template;
mod unarchive;
mod uri;
mod wait_for_connection;

pub(crate) use include::candidates;
pub(crate) use template::template_vars;

pub use meta::{META_REQUESTS, meta_request};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustle_events::EventKind;
use rustle_module::foreign::FOREIGN;
use rustle_module::{CheckedArgs, Expand, Spec, check_args};
use rustle_template::Scope;
use rustle_types::plan::short_module_name;
use rustle_types::{HostName, Mode, ModuleResult, Object};
use serde_json::Value;

pub(crate) use self::background::Background;
use crate::evaluate::Evaluator;
use crate::files::{Blob, FilePlace};
use crate::include::is_include;
use crate::result::{TaskError, registered};
use crate::unit::{Unit, UnitError};
use crate::world::{AsUser, FoundModule, Invocation, OutgoingFile, OutputSink};

/// What the controller runs itself, with the arguments that each takes.
pub const ACTIONS: &[&Spec] = &[
    &argument_spec::SPEC,
    &background::STATUS,
    &groups::ADD_HOST,
    &groups::GROUP_BY,
    &include::IMPORT_ROLE,
    &include::IMPORT_TASKS,
    &include::INCLUDE_ROLE,
    &include::INCLUDE_TASKS,
    &include_vars::SPEC,
    &set_stats::SPEC,
    &assert::SPEC,
    &debug::SPEC,
    &fail::SPEC,
    &fetch::SPEC,
    &meta::SPEC,
    &pause::SPEC,
    &reboot::SPEC,
    &set_fact::SPEC,
    &template::SPEC,
    &wait_for_connection::SPEC,
];

/// Everything that one attempt of a task needs.
pub(crate) struct ActionContext<'a> {
    pub(crate) unit: &'a Unit<'a>,
    pub(crate) cx: Evaluator<'a>,
    /// The host that modules run on: the task's own, or the one it is delegated to.
    pub(crate) place: &'a HostName,
    pub(crate) key: String,
    pub(crate) mode: Mode,
    pub(crate) no_log: bool,
    /// The variables of the loop's item, where the task brings in others.
    pub(crate) item: &'a Object,
    pub(crate) connection: Object,
    /// The variables of the host that modules run on.
    pub(crate) host_scope: &'a Scope,
    pub(crate) as_user: Option<AsUser>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout: Option<Duration>,
    /// Where the task runs in the background.
    pub(crate) background: Option<Background>,
}

/// Runs what the task calls.
pub(crate) async fn run(context: &ActionContext<'_>) -> Result<Object, UnitError> {
    if context.background.is_some() {
        return Ok(registered(background::run(context).await?));
    }
    let named = context.unit.node.call.short_name();
    let rendered = if named.contains("{{") {
        context.cx.text_keyword("module", Some(named))?
    } else {
        None
    };
    let module = rendered.as_deref().unwrap_or(named);
    let result = match short_module_name(module) {
        "async_status" => background::status(context).await?,
        "debug" => debug::run(context)?,
        "assert" => assert::run(context)?,
        "fail" => fail::run(context)?,
        "fetch" => fetch::run(context).await?,
        "validate_argument_spec" => argument_spec::run(context)?,
        "set_fact" => set_fact::run(context)?,
        "add_host" => groups::add_host(context)?,
        "group_by" => groups::group_by(context)?,
        "include_vars" => include_vars::run(context)?,
        "set_stats" => set_stats::run(context)?,
        module if is_include(module) => return Ok(include::run(context)?),
        "meta" => return Ok(meta::run(context).await?),
        "ansible.posix.patch" | "patch" => patch::run(context).await?,
        // What it says of itself is no output of a command: there are no lines of it.
        "pause" => return Ok(pause::run(context).await?.into_object()),
        "reboot" => reboot::run(context).await?,
        "wait_for_connection" => wait_for_connection::run(context).await?,
        "ansible.posix.synchronize" => synchronize::run(context).await?,
        "assemble" => assemble::run(context).await?,
        "copy" => copy::run(context).await?,
        "script" => script::run(context).await?,
        "template" => template::run(context).await?,
        "uri" => uri::run(context).await?,
        "unarchive" => unarchive::run(context).await?,
        "gather_facts" => {
            let mut args = context.args()?;
            // Facts come from one collector here, which is parallel already.
            args.shift_remove("parallel");
            context.invoke("setup", args, Vec::new()).await?
        }
        _ => {
            let name = rendered.as_deref();
            run_module(context, name.unwrap_or(&context.unit.node.call.module)).await?
        }
    };
    Ok(registered(result))
}

/// Runs a module that has no half here.
async fn run_module(context: &ActionContext<'_>, name: &str) -> Result<ModuleResult, UnitError> {
    match context.find_module(name)? {
        FoundModule::Native(name) => context.invoke(&name, context.args()?, Vec::new()).await,
        FoundModule::Foreign(foreign) => foreign::run(context, &foreign).await,
    }
}

impl ActionContext<'_> {
    /// The task's arguments over the defaults for its module, not rendered.
    pub(crate) fn raw_args(&self) -> Object {
        let call = &self.unit.node.call;
        let mut args = Object::new();
        if let Some(Value::Array(defaults)) = &self.unit.node.keywords.module_defaults {
            for entry in defaults.iter().filter_map(Value::as_object) {
                let mut own = entry
                    .iter()
                    .filter(|(name, _)| rustle_module::short_name(name) == call.short_name());
                // The innermost defaults for a module stand in place of outer ones.
                if let Some((_, defaults)) = own.next_back() {
                    args = defaults.as_object().cloned().unwrap_or_default();
                }
            }
        }
        args.extend(call.args.clone());
        args
    }

    /// The task's arguments, rendered. Free-form text that gives a mapping stands for the arguments in it.
    pub(crate) fn args(&self) -> Result<Object, TaskError> {
        let mut args = self.cx.args(&self.raw_args())?;
        if matches!(args.get("_raw_params"), Some(Value::Object(_)))
            && let Some(Value::Object(mut given)) = args.shift_remove("_raw_params")
        {
            given.extend(args);
            return Ok(given);
        }
        Ok(args)
    }

    /// Checks arguments of an action by its specification.
    pub(crate) fn check(&self, spec: &Spec, args: Object) -> Result<CheckedArgs, TaskError> {
        check_args(spec, args, &Literal).map_err(|error| TaskError::new(error.to_string()))
    }

    /// What a module's name means here.
    pub(crate) fn find_module(&self, name: &str) -> Result<FoundModule, TaskError> {
        let Some(modules) = &self.unit.world.modules else {
            return Ok(FoundModule::Native(
                rustle_module::short_name(name).to_owned(),
            ));
        };
        let base = &self.unit.world.settings.base_dir;
        let role = self.role_path().map(|role| base.join(role));
        modules
            .find(name, role.as_deref())
            .map_err(|why| TaskError::new(why.to_string()))
    }

    /// The same task, where nothing runs in the background.
    pub(crate) fn in_foreground(&self, key: String) -> ActionContext<'_> {
        ActionContext {
            key,
            connection: self.connection.clone(),
            as_user: self.as_user.clone(),
            environment: self.environment.clone(),
            background: None,
            ..*self
        }
    }

    /// The folder of the role that the task is of.
    pub(crate) fn role_path(&self) -> Option<&str> {
        let role = self.unit.node.role.as_ref();
        role.and_then(|(_, path)| path.as_deref())
    }

    /// A file that the task names, from the folders of files; or why there is none.
    pub(crate) async fn find_blob(
        &self,
        name: &str,
        decrypts: bool,
    ) -> Result<Result<Arc<Blob>, String>, TaskError> {
        let world = self.unit.world;
        let found = FilePlace::Files.find(name, self.role_path(), &world.settings.base_dir);
        let path = match found {
            Ok(path) => path,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let engine = decrypts.then_some(self.cx.engine);
        Ok(Ok(world.files.revealed(&path, engine).await?))
    }

    /// Runs a module on the host.
    pub(crate) async fn invoke(
        &self,
        module: &str,
        args: Object,
        files: Vec<OutgoingFile>,
    ) -> Result<ModuleResult, UnitError> {
        let call = self.invocation(module, args, files);
        Ok(self.unit.world.invoker.invoke(call).await?)
    }

    /// A call of a module on the host, ready to be made.
    pub(crate) fn invocation(
        &self,
        module: &str,
        args: Object,
        files: Vec<OutgoingFile>,
    ) -> Invocation {
        Invocation {
            key: self.key.clone(),
            host: self.place.clone(),
            connection: self.connection.clone(),
            module: module.to_owned(),
            args,
            mode: self.mode,
            environment: self.environment.clone(),
            timeout: self.timeout,
            background: self.background.map(|background| background.limit),
            as_user: self.as_user.clone(),
            files,
            output: self.output().filter(|_| module != FOREIGN),
            cancel: self.unit.cancel.clone(),
        }
    }

    /// Where live output goes, if it is wanted and may be shown.
    fn output(&self) -> Option<OutputSink> {
        if !self.unit.world.settings.live_output || self.no_log {
            return None;
        }
        let (events, unit) = (Arc::clone(&self.unit.world.events), self.unit.id.clone());
        Some(Arc::new(move |is_stderr, bytes: Bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            events.note(EventKind::TaskOutput {
                unit: unit.clone(),
                is_stderr,
                text,
            });
        }))
    }
}

/// Paths of actions are expanded where they are used, not when they are checked.
struct Literal;

impl Expand for Literal {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn home(&self, _: Option<&str>) -> Option<String> {
        None
    }
}
