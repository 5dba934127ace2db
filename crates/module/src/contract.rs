//! The trait that a module implements, and the face that callers see.

use async_trait::async_trait;
use rustle_types::{Mode, ModuleResult, Object};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::args::check_args;
use crate::redact::redact;
use crate::result::{Failure, Output};
use crate::spec::{CheckSupport, Spec};
use crate::target::Target;

/// What a module would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The differences in Ansible's shape, returned in diff mode; null for none.
    pub diff: Value,
    /// What check mode returns in place of the outcome of [`Module::apply`].
    pub predicted: Output,
}

/// What comparing the state with the arguments gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All is as asked for. `diff` is returned in diff mode (null for none).
    Unchanged {
        /// The result.
        output: Output,
        /// What diff mode shows although nothing changes.
        diff: Value,
    },
    /// This would change.
    Change(Change),
    /// The module does not run here, and says why; the task counts as skipped.
    Skipped(Output),
}

impl Verdict {
    /// A change where something differs, with the same result otherwise, and no difference to show beside it.
    #[must_use]
    pub fn change_if(differs: bool, output: Output) -> Self {
        if differs {
            Self::Change(Change {
                diff: Value::Null,
                predicted: output,
            })
        } else {
            Self::unchanged(output)
        }
    }

    /// All is as asked for, and there is no difference to show.
    #[must_use]
    pub const fn unchanged(output: Output) -> Self {
        Self::Unchanged {
            output,
            diff: Value::Null,
        }
    }
}

/// A module: read the state, compare, change.
///
/// Check mode, the shape of results, secrets and arguments are the face's business ([`DynModule`]).
#[async_trait]
pub trait Module: Send + Sync + 'static {
    /// The arguments, filled from the spec: aliases resolved, defaults filled in, types coerced. Options that
    /// were not given are null.
    type Args: DeserializeOwned + Send + Sync;
    /// What [`Module::inspect`] found.
    type State: Send + Sync;
    /// Name, options and constraints.
    const SPEC: Spec;

    /// Reads the present state. Changes nothing.
    async fn inspect(&self, target: &dyn Target, args: &Self::Args)
    -> Result<Self::State, Failure>;

    /// Compares the state with what was asked for. Pure.
    fn diff(&self, args: &Self::Args, state: &Self::State, mode: Mode) -> Verdict;

    /// Makes the change. Not reachable in check mode.
    async fn apply(
        &self,
        target: &dyn Target,
        args: &Self::Args,
        state: Self::State,
        change: Change,
    ) -> Result<Output, Failure>;
}

/// A module as its callers see it; every [`Module`] is one.
#[async_trait]
pub trait DynModule: Send + Sync {
    /// What the module takes and supports.
    fn spec(&self) -> &'static Spec;

    /// Decodes `args`, inspects, compares and, unless in check mode, applies.
    ///
    /// Failures are results. Values of secret options are masked in whatever comes back.
    async fn call(&self, target: &dyn Target, args: Object) -> ModuleResult;
}

#[async_trait]
impl<M: Module> DynModule for M {
    fn spec(&self) -> &'static Spec {
        const { &M::SPEC }
    }

    async fn call(&self, target: &dyn Target, args: Object) -> ModuleResult {
        let checked = match check_args(self.spec(), args, target) {
            Ok(checked) => checked,
            Err(error) => return ModuleResult::failure(error.to_string()),
        };
        let mut result = match run_steps(self, target, checked.args).await {
            Ok(result) => result,
            Err(failure) => failure.into(),
        };
        result.warnings.splice(0..0, checked.warnings);
        mask(&mut result, &checked.secrets);
        result
    }
}

async fn run_steps<M: Module>(
    module: &M,
    target: &dyn Target,
    args: Object,
) -> Result<ModuleResult, Failure> {
    let mode = target.mode();
    if mode.check && M::SPEC.check_mode != CheckSupport::Full {
        let name = M::SPEC.qualified_name();
        let msg = match M::SPEC.check_mode {
            CheckSupport::NoneOfAction => {
                format!("This action ({name}) does not support check mode.")
            }
            _ => format!("remote module ({name}) does not support check mode"),
        };
        return Ok(ModuleResult {
            skipped: true,
            msg: Some(Value::String(msg)),
            ..ModuleResult::default()
        });
    }
    let args: M::Args = serde_json::from_value(Value::Object(args)).map_err(|error| {
        Failure::new(format!(
            "arguments of `{}` do not fit its specification: {error}",
            M::SPEC.name
        ))
    })?;
    let state = module.inspect(target, &args).await?;
    Ok(match module.diff(&args, &state, mode) {
        Verdict::Unchanged { output, diff } => assemble(output, false, diff, mode),
        Verdict::Skipped(output) => ModuleResult {
            skipped: true,
            ..assemble(output, false, Value::Null, mode)
        },
        Verdict::Change(change) if mode.check => {
            assemble(change.predicted, true, change.diff, mode)
        }
        Verdict::Change(change) => {
            let diff = change.diff.clone();
            assemble(
                module.apply(target, &args, state, change).await?,
                true,
                diff,
                mode,
            )
        }
    })
}

/// Makes one result of a step's output. The output's own `diff` key (modules that always return one) wins.
fn assemble(output: Output, implied: bool, diff: Value, mode: Mode) -> ModuleResult {
    let mut result = output.result;
    let own = result.remove("diff");
    let shown = (mode.diff && !diff.is_null()).then_some(diff);
    ModuleResult {
        changed: output.changed.unwrap_or(implied),
        msg: result.remove("msg"),
        diff: own.or(shown),
        result,
        warnings: output.warnings,
        ..ModuleResult::default()
    }
}

fn mask(result: &mut ModuleResult, secrets: &[String]) {
    if secrets.is_empty() {
        return;
    }
    let mut object = Value::Object(std::mem::take(&mut result.result));
    redact(&mut object, secrets);
    if let Value::Object(object) = object {
        result.result = object;
    }
    for value in result.msg.iter_mut().chain(result.diff.iter_mut()) {
        redact(value, secrets);
    }
    for warning in &mut result.warnings {
        let mut value = Value::String(std::mem::take(warning));
        redact(&mut value, secrets);
        if let Value::String(text) = value {
            *warning = text;
        }
    }
}
