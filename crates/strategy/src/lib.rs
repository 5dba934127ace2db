//! Which host may start which task next: pure state machines.
//!
//! A strategy sees where every host of a slice stands and says which may start the task they stand at. It knows nothing of
//! tasks but their order: `P` is a position in the plan. The engine asks again after everything that happened.
//!
//! Which tasks of one host may run side by side is told by its [`Strands`]. A host stands at as many places as strands of it are
//! under way, and a strategy sees each of them as if it were a host.

mod batch;
mod free;
mod linear;
mod pinned;
mod strands;

pub use batch::Batch;
pub use free::Free;
pub use linear::Linear;
pub use pinned::HostPinned;
pub use strands::{Strand, StrandGraph, StrandGroup, Strands};

/// Where a host stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<P> {
    /// It may start the task at this position.
    At(P),
    /// It runs the task at this position.
    Busy(P),
    /// It has no task left, or left the play.
    Done,
}

impl<P> Standing<P> {
    /// The position it stands at or runs, if it has not ended.
    #[must_use]
    pub const fn position(&self) -> Option<&P> {
        match self {
            Self::At(position) | Self::Busy(position) => Some(position),
            Self::Done => None,
        }
    }
}

/// Decides who starts.
pub trait Strategy<P: Ord>: Send {
    /// The hosts, by index, that start the task they stand at; at most `free` of them. Only hosts that are
    /// [`Standing::At`] a position are named.
    fn next(&mut self, hosts: &[Standing<P>], free: usize) -> Vec<usize>;
}

/// Indices of hosts that stand at a position for which `may_start` holds, at most `free`.
fn starting<P>(
    hosts: &[Standing<P>],
    free: usize,
    may_start: impl Fn(usize, &P) -> bool,
) -> Vec<usize> {
    hosts
        .iter()
        .enumerate()
        .filter(
            |(index, host)| matches!(host, Standing::At(position) if may_start(*index, position)),
        )
        .map(|(index, _)| index)
        .take(free)
        .collect()
}
