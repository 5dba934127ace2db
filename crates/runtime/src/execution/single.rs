//! One task or handler on one host, outside of a plan.

use std::collections::HashSet;
use std::sync::Arc;

use crate::play::PlayContext;
use crate::program::{Compiler, Node};
use crate::requests::Requests;
use crate::tags::TagFilter;
use crate::unit::Unit;
use crate::world::{EventSink, ModuleInvoker};
use rustle_events::{TaskPath, UnitId};
use rustle_inventory::Inventory;
use rustle_template::{Layer, Trust};
use rustle_types::{ExecutionPlan, HostName, Keywords, RunId, TaskBatch, TaskPlan, TaskResult};
use tokio::sync::mpsc;

use crate::execution::error::ExecutionError;
use crate::execution::executor::{ExecutionContext, PlanExecutor};
use crate::execution::hosts::HostBook;

impl PlanExecutor {
    /// Runs one task on one host, outside of a plan. Nothing is journaled, and no reporter hears of it.
    ///
    /// # Errors
    /// When it cannot begin; a task that fails is a result.
    pub async fn execute_task(
        &self,
        task: &TaskPlan,
        host: &str,
        context: &ExecutionContext,
        invoker: impl FnOnce(Arc<dyn EventSink>) -> Arc<dyn ModuleInvoker>,
    ) -> Result<TaskResult, ExecutionError> {
        let inventory =
            Inventory::new(context.inventory.clone()).map_err(ExecutionError::Inventory)?;
        let batch = TaskBatch {
            tasks: vec![task.clone()],
            ..TaskBatch::default()
        };
        let tags = TagFilter::default();
        let compiler = Compiler {
            play: 0,
            keywords: &Keywords::default(),
            tags: &tags,
            hosts_of: &|_| HashSet::new(),
        };
        let program = compiler.compile(&[&batch], &[]);
        let Some(Node::Task(node)) = program.nodes.first() else {
            return Err(ExecutionError::Play {
                play: task.title().into(),
                reason: "a block is no single task".into(),
            });
        };
        let book = Arc::new(HostBook::new(inventory, None));
        let (event_tx, _events) = mpsc::unbounded_channel();
        let plan = ExecutionPlan {
            vars: context.vars.clone(),
            ..ExecutionPlan::default()
        };
        let world = self.world(
            RunId::generate(),
            &plan,
            &context.options,
            &book,
            (invoker, event_tx),
        );
        let host = HostName::from(host);
        let play = no_play(&host);
        let id = UnitId {
            path: TaskPath(vec![0, 0]),
            host: host.clone(),
        };
        let unit = Unit {
            world: &world,
            play: &play,
            node,
            host: &host,
            id,
            cancel: self.cancel.clone(),
            requests: Requests::default(),
        };
        let outcome = unit.run().await;
        Ok(outcome.result)
    }
}

/// What a task has in place of a play.
fn no_play(host: &HostName) -> PlayContext {
    let empty = || Layer::new(Arc::default(), Trust::Trusted);
    let host = std::slice::from_ref(host);
    PlayContext {
        index: 0,
        name: String::new(),
        defaults: empty(),
        vars: empty(),
        vars_files: None,
        role_vars: empty(),
        roles: Arc::default(),
        dependencies: Arc::default(),
        hosts: PlayContext::host_vars(host, host, host),
    }
}
