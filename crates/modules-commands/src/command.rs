//! `command`: runs a program, never by a shell.

use async_trait::async_trait;
use rustle_module::{Change, Failure, Mode, Module, Output, Spec, Target, Verdict};

use crate::options::{Args, CONSTRAINTS, OPTIONS};
use crate::steps::{self, State};

/// Runs a program with its arguments.
///
/// Only the internal option `_uses_shell`, which older plans write for a `shell` task, makes it go through a shell.
pub(crate) struct Command;

#[async_trait]
impl Module for Command {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("command", OPTIONS)
        .constraints(CONSTRAINTS)
        .free_form();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        steps::inspect(target, args, args.uses_shell)
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        steps::diff(args, state, mode)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        steps::apply(target, args, &state).await
    }
}
