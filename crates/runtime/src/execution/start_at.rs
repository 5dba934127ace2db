//! `--start-at-task`: what comes before the task is left out.

use std::sync::Arc;

use crate::program::Node;
use rustle_types::ExecutionOptions;

use crate::execution::error::ExecutionError;

/// `--start-at-task`: what comes before the task is left out.
#[derive(Clone)]
pub(crate) struct StartAt {
    waits_for: Option<String>,
}

impl StartAt {
    pub(crate) fn new(options: &ExecutionOptions) -> Self {
        Self {
            waits_for: options.start_at_task.clone(),
        }
    }

    pub(crate) fn check(self) -> Result<(), ExecutionError> {
        self.waits_for
            .map_or(Ok(()), |name| Err(ExecutionError::NoSuchTask { name }))
    }

    /// The nodes from the task on. A block that holds it is entered at it.
    pub(crate) fn cut(&mut self, nodes: &Arc<[Node]>) -> Arc<[Node]> {
        if self.waits_for.is_none() {
            return Arc::clone(nodes);
        }
        let kept = nodes.iter().filter_map(|node| match node {
            Node::Task(task) => {
                if self
                    .waits_for
                    .as_ref()
                    .is_some_and(|name| matches(name, &task.info.name))
                {
                    self.waits_for = None;
                }
                self.waits_for.is_none().then(|| node.clone())
            }
            Node::Block(block) => {
                let inner = self.cut(&block.block);
                if self.waits_for.is_some() {
                    return None;
                }
                Some(Node::Block(Arc::new(crate::program::BlockNode {
                    path: block.path.clone(),
                    block: inner,
                    rescue: Arc::clone(&block.rescue),
                    always: Arc::clone(&block.always),
                    role: block.role.clone(),
                })))
            }
        });
        kept.collect()
    }
}

/// Whether a task's name is the one asked for, which may hold `*`.
fn matches(wanted: &str, name: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
