//! `--step`: a person says which tasks run.

use async_trait::async_trait;

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Run the task.
    Yes,
    /// Pass over it.
    No,
    /// Run it and all that follow, without asking.
    Continue,
}

/// Asks before each task. The run waits for the answer; tasks that run already go on meanwhile.
#[async_trait]
pub trait Confirm: Send {
    /// Asks about the task with this name.
    async fn ask(&mut self, task: &str) -> Answer;
}
