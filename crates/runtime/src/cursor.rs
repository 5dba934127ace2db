//! Where one host stands in a play, and where it goes when a task ends.
//!
//! A cursor walks the tree of a [`Program`](crate::program::Program): into blocks, over to `rescue` and `always` when a
//! task fails, through handlers when they are flushed, and into tasks that are brought in as the play runs. It decides
//! nothing about other hosts.
//!
//! Every frame of the walk knows its own place, and a task's place is that and the task's number. So the same nodes may
//! be walked at several places: handlers at every flush, and the tasks of an include wherever it stands.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use rustle_events::TaskPath;
use rustle_types::HostName;

use crate::program::{BlockNode, Handler, Node, TaskNode};

/// Where one host stands in a play.
#[derive(Debug)]
pub struct Cursor {
    host: HostName,
    frames: Vec<Frame>,
    current: Option<Step>,
    /// Where the host stood when its last task ended, before it looked for the next one.
    behind: Vec<Frame>,
    /// The handler from which the next flush goes on, where a handler failed in the last one.
    first_handler: usize,
    /// The host failed, and only walks on through handlers that are run all the same.
    has_failed: bool,
    /// The host failed elsewhere: only `always` sections of blocks that were begun run yet.
    is_abandoned: bool,
}

/// A task that a host has come to.
#[derive(Clone, Debug)]
pub struct Step {
    /// The place, by which hosts are kept in step: places compare in the order in which tasks run.
    pub place: TaskPath,
    /// The task.
    pub node: Arc<TaskNode>,
    /// Where it is a handler: its index in the play's list.
    pub handler: Option<usize>,
}

/// Which handlers there are, and which of them a host wants.
pub struct Flush<'a> {
    /// The play's handlers.
    pub handlers: &'a [Arc<Handler>],
    /// Takes the notification of the handler with this index, if there is one.
    pub take: &'a mut dyn FnMut(usize) -> bool,
}

/// What a failure means for the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// A `rescue` takes over, at once or after the `always` sections of inner blocks.
    Rescued,
    /// `always` sections run yet, and then the host leaves.
    Unwinding,
    /// The host leaves the play.
    Out,
}

#[derive(Clone, Debug)]
enum Frame {
    List {
        place: TaskPath,
        nodes: Arc<[Node]>,
        next: usize,
    },
    Block {
        place: TaskPath,
        node: Arc<BlockNode>,
        section: Section,
        next: usize,
        is_failing: bool,
    },
    Handlers {
        place: TaskPath,
        next: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Section {
    Block = 0,
    Rescue = 1,
    Always = 2,
}

impl Cursor {
    /// A cursor at the beginning of a play's tasks, which lie below `place`.
    #[must_use]
    pub fn new(host: HostName, place: TaskPath, nodes: Arc<[Node]>) -> Self {
        let frames = vec![Frame::List {
            place,
            nodes,
            next: 0,
        }];
        Self {
            host,
            frames,
            current: None,
            behind: Vec::new(),
            first_handler: 0,
            has_failed: false,
            is_abandoned: false,
        }
    }

    /// The task that the host has come to; none when it is through.
    pub fn current(&mut self, flush: &mut Flush<'_>) -> Option<&Step> {
        while self.current.is_none() && !self.frames.is_empty() {
            self.current = self.advance(flush);
        }
        self.current.as_ref()
    }

    /// The next task of the innermost frame, or none where the walk has to go on elsewhere.
    fn advance(&mut self, flush: &mut Flush<'_>) -> Option<Step> {
        match self.frames.last_mut()? {
            Frame::List { place, nodes, next } => {
                let found = nodes.get(*next).cloned();
                *next += 1;
                let Some(node) = found else {
                    self.frames.pop();
                    return None;
                };
                let place = place.join(node.step());
                self.enter(node, place, None)
            }
            Frame::Block {
                place,
                node,
                section,
                next,
                is_failing,
            } => {
                let nodes = match section {
                    Section::Block => &node.block,
                    Section::Rescue => &node.rescue,
                    Section::Always => &node.always,
                };
                let found = nodes.get(*next).cloned();
                *next += 1;
                if let Some(found) = found {
                    let place = place.join(*section as u32).join(found.step());
                    return self.enter(found, place, None);
                }
                if *section == Section::Always || node.always.is_empty() {
                    let failing = *is_failing;
                    self.frames.pop();
                    if failing {
                        self.unwind();
                    }
                } else {
                    (*section, *next) = (Section::Always, 0);
                }
                None
            }
            Frame::Handlers { place, next } => {
                while let Some(handler) = flush.handlers.get(*next) {
                    let index = *next;
                    *next += 1;
                    if (flush.take)(index) {
                        let place = place.join(u32::try_from(index).unwrap_or(u32::MAX));
                        return self.enter(handler.node.clone(), place, Some(index));
                    }
                }
                self.first_handler = 0;
                self.frames.pop();
                None
            }
        }
    }

    fn enter(&mut self, node: Node, place: TaskPath, handler: Option<usize>) -> Option<Step> {
        match node {
            Node::Task(node) if node.is_for(&self.host) => Some(Step {
                place,
                node,
                handler,
            }),
            Node::Task(_) => None,
            Node::Block(node) => {
                self.frames.push(Frame::Block {
                    place,
                    node,
                    section: Section::Block,
                    next: 0,
                    is_failing: false,
                });
                None
            }
        }
    }

    /// The current task ended well, or does not count.
    pub fn pass(&mut self) {
        self.current = None;
        self.behind.clone_from(&self.frames);
    }

    /// The task that ended last fails after all, because it failed elsewhere; what the host came to since does not count.
    pub fn fail_behind(&mut self) -> Fate {
        if !self.behind.is_empty() {
            self.frames = std::mem::take(&mut self.behind);
        }
        self.fail()
    }

    /// Whether a block around the current task has a `rescue` that is still to come. A failure there is one that is rescued, even
    /// where the `rescue` of an inner block fails first.
    fn is_rescuing(&self) -> bool {
        !self.is_abandoned && self.frames.iter().any(|frame| {
            matches!(frame, Frame::Block { node, section: Section::Block, .. } if !node.rescue.is_empty())
        })
    }

    /// The current task failed.
    pub fn fail(&mut self) -> Fate {
        self.current = None;
        let is_rescuing = self.is_rescuing();
        match self.unwind() {
            Fate::Unwinding if is_rescuing => Fate::Rescued,
            fate => fate,
        }
    }

    /// Goes to the nearest `rescue` or `always` around what failed.
    fn unwind(&mut self) -> Fate {
        while let Some(frame) = self.frames.last_mut() {
            if let Frame::Handlers { next, .. } = frame {
                self.first_handler = *next;
            }
            if let Frame::Block {
                node,
                section,
                next,
                is_failing,
                ..
            } = frame
            {
                if *section == Section::Block && !node.rescue.is_empty() && !self.is_abandoned {
                    (*section, *next, *is_failing) = (Section::Rescue, 0, false);
                    return Fate::Rescued;
                }
                if *section != Section::Always && !node.always.is_empty() {
                    (*section, *next, *is_failing) = (Section::Always, 0, true);
                    return Fate::Unwinding;
                }
            }
            self.frames.pop();
        }
        self.has_failed = true;
        Fate::Out
    }

    /// The host failed elsewhere: what it has come to here does not run, only the `always` sections of the blocks that it is in.
    /// One that it is in already goes on. A task that runs comes to its end first: then this is to be called again.
    pub fn abandon(&mut self, is_running: bool) {
        self.is_abandoned = true;
        if is_running {
            return;
        }
        let always = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Block {
                section: Section::Always,
                is_failing,
                ..
            } => Some(is_failing),
            _ => None,
        });
        match always {
            Some(is_failing) => *is_failing = true,
            None => {
                self.current = None;
                self.unwind();
            }
        }
    }

    /// Runs these lists of tasks, each below its place, after the current task and before what follows it.
    pub fn enter_lists(&mut self, lists: Vec<(TaskPath, Arc<[Node]>)>) {
        self.pass();
        for (place, nodes) in lists.into_iter().rev() {
            self.frames.push(Frame::List {
                place,
                nodes,
                next: 0,
            });
        }
    }

    /// Runs notified handlers now, in the place of the current task, which has to be a flush.
    pub fn flush(&mut self) {
        if let Some(step) = self.current.take() {
            self.frames.push(Frame::Handlers {
                place: step.place,
                next: self.first_handler,
            });
        }
    }

    /// Whether the host failed elsewhere.
    #[must_use]
    pub const fn is_abandoned(&self) -> bool {
        self.is_abandoned
    }

    /// Runs notified handlers after everything, at `place`.
    pub fn flush_at_end(&mut self, place: TaskPath) {
        self.current = None;
        self.is_abandoned = false;
        self.frames = vec![Frame::Handlers {
            place,
            next: self.first_handler,
        }];
    }

    /// Whether the host is among its notified handlers.
    #[must_use]
    pub fn is_flushing(&self) -> bool {
        self.frames
            .iter()
            .any(|frame| matches!(frame, Frame::Handlers { .. }))
    }

    /// Whether the host is among the handlers that run in any case: those that are flushed in an `always`.
    #[must_use]
    pub fn is_in_last_flush(&self) -> bool {
        let is_always = |frame: &Frame| {
            matches!(
                frame,
                Frame::Block {
                    section: Section::Always,
                    ..
                }
            )
        };
        self.is_flushing() && self.frames.iter().any(is_always)
    }

    /// Leaves the innermost role that the current task is in; without one nothing happens.
    pub fn end_role(&mut self) {
        self.current = None;
        let role = self
            .frames
            .iter()
            .rposition(|frame| matches!(frame, Frame::Block { node, .. } if node.role.is_some()));
        if let Some(role) = role {
            self.frames.truncate(role);
        }
    }

    /// The host leaves: nothing more is run.
    pub fn leave(&mut self) {
        self.current = None;
        self.frames.clear();
    }

    /// Whether a task failed and nothing rescued it.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.has_failed
    }
}
