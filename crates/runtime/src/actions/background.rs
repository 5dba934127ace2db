//! `async` and `poll`: a module that runs on the host in the background, and `async_status`, which asks for it.

use std::time::{Duration, Instant};

use rustle_module::{Default, Opt, Spec, Type, py_str};
use rustle_types::{ModuleResult, Object, TaskPlan};
use serde_json::{Value, json};

use super::{ACTIONS, ActionContext, foreign};
use crate::evaluate::Evaluator;
use crate::result::{TaskError, object};
use crate::unit::{UnitError, as_f64};
use crate::world::FoundModule;

pub(crate) const STATUS: Spec = Spec::new(
    "async_status",
    &[
        Opt::new("jid", Type::Str).required(),
        Opt::new("mode", Type::Str)
            .default(Default::Str("status"))
            .choices(&["status", "cleanup"]),
        Opt::new("_async_dir", Type::Path).internal(),
    ],
);

/// Seconds between two looks where `poll` says nothing.
const POLL: f64 = 15.0;

/// Modules with a half on the controller that has to be there as long as they run.
const SENDING: &[&str] = &[
    "assemble",
    "copy",
    "fetch",
    "ansible.posix.patch",
    "script",
    "unarchive",
];

/// How long a job that is over its time is given to be stopped on its host.
const GRACE: Duration = Duration::from_secs(10);

/// How a task runs in the background.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Background {
    /// For how long at the most.
    pub(crate) limit: Duration,
    /// How often it is looked at; none where nobody waits for it.
    poll: Option<Duration>,
}

impl Background {
    /// What `async` and `poll` of a task say; none where it runs as any other.
    ///
    /// # Errors
    /// When a template fails or gives no number.
    pub(crate) fn of(cx: &Evaluator<'_>, task: &TaskPlan) -> Result<Option<Self>, TaskError> {
        let number = |field, number: Option<&_>| cx.number(field, number.map(as_f64).as_ref());
        let limit = number("async", task.async_seconds.as_ref())?.unwrap_or(0.0);
        if limit < 1.0 {
            return Ok(None);
        }
        let poll = number("poll", task.poll.as_ref())?.unwrap_or(POLL);
        Ok(Some(Self {
            limit: Duration::from_secs_f64(limit.min(1e9)),
            poll: (poll > 0.0).then(|| Duration::from_secs_f64(poll.min(1e6))),
        }))
    }
}

/// Starts the task's module in the background, and waits for it where that is asked for.
pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let module = context.unit.node.call.short_name();
    if ACTIONS.iter().any(|action| action.name == module) || SENDING.contains(&module) {
        let why = format!("This action ({module}) does not support async.");
        return Err(TaskError::new(why).into());
    }
    let started = match context.find_module(&context.unit.node.call.module)? {
        FoundModule::Native(native) => context.invoke(&native, context.args()?, Vec::new()).await?,
        FoundModule::Foreign(foreign) => {
            // A job cannot ask for what it needs: the program has to be there before.
            let before = context.in_foreground(format!("{}/program", context.key));
            let brought = foreign::bring(&before, &foreign).await?;
            if brought.failed {
                return Ok(brought);
            }
            foreign::run(context, &foreign).await?
        }
    };
    let Some(Background {
        limit,
        poll: Some(poll),
    }) = context.background
    else {
        return Ok(started);
    };
    let Some(id) = started.result.get("ansible_job_id").map(py_str) else {
        return Ok(started);
    };
    let began = Instant::now();
    for look in 1_u64.. {
        context.unit.pause(poll.min(limit)).await?;
        let args = object(json!({"jid": id, "mode": "status"}));
        // A host that cannot be reached for a while does not end its jobs.
        match ask(context, look, args).await {
            Ok(result) if is_finished(&result) => {
                let args = object(json!({"jid": id, "mode": "cleanup"}));
                let _ = ask(context, 0, args).await;
                return Ok(result);
            }
            Err(unreachable @ UnitError::Unreachable(_)) if began.elapsed() > limit => {
                return Err(unreachable);
            }
            Ok(_) | Err(_) => {}
        }
        if began.elapsed() > limit.saturating_add(GRACE) {
            break;
        }
    }
    let mut late = ModuleResult::failure(format!(
        "async task did not complete within the requested time - {}s",
        limit.as_secs()
    ));
    late.result.insert("ansible_job_id".into(), id.into());
    Ok(late)
}

/// Asks once for a job.
async fn ask(
    context: &ActionContext<'_>,
    look: u64,
    args: Object,
) -> Result<ModuleResult, UnitError> {
    let quick = context.in_foreground(format!("{}/job/{look}", context.key));
    quick.invoke("async_status", args, Vec::new()).await
}

fn is_finished(result: &ModuleResult) -> bool {
    result.result.get("finished") == Some(&Value::Bool(true))
}

/// `async_status`, which looks at the host also where nothing is to be changed.
pub(crate) async fn status(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.check(&STATUS, context.args()?)?.args;
    args.retain(|_, value| !value.is_null());
    let mut status = context.invoke("async_status", args, Vec::new()).await?;
    for name in ["stdout", "stderr"] {
        let text = status.result.entry(name);
        text.or_insert_with(|| Value::String(String::new()));
    }
    Ok(status)
}
