//! `shell`: runs a text by a shell.

use async_trait::async_trait;
use rustle_module::{Change, Failure, Mode, Module, Output, Spec, Target, Verdict};

use crate::options::{Args, CONSTRAINTS, OPTIONS};
use crate::steps::{self, State};

/// Runs a text by `/bin/sh`, or by the `executable` that is given.
///
/// As in Ansible it takes all options of `command`, also those that its documentation leaves out (`argv`, `strip_empty_ends` …).
pub(crate) struct Shell;

#[async_trait]
impl Module for Shell {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("shell", OPTIONS)
        .constraints(CONSTRAINTS)
        .free_form();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        steps::inspect(target, args, true)
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
