//! How a caller asks running commands to end.

use std::sync::Arc;

use tokio::sync::watch;

/// How strongly commands are asked to end. A level only ever rises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CancelLevel {
    /// Nothing is asked.
    #[default]
    Run,
    /// End in an orderly way: `SIGTERM`, and `SIGKILL` when the grace is over.
    Stop,
    /// End at once: `SIGKILL`.
    Kill,
}

/// Asks any number of runs to end; cheap to clone, and all clones are one token.
///
/// Raising is done from anywhere, also outside of a runtime, and is never lost: a run that looks later sees the level.
/// A token that is dropped asks for nothing.
#[derive(Clone, Debug)]
pub struct CancelToken {
    level_tx: Arc<watch::Sender<CancelLevel>>,
    parent: Option<Arc<Self>>,
}

impl CancelToken {
    /// Makes a token at [`CancelLevel::Run`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            level_tx: Arc::new(watch::Sender::new(CancelLevel::Run)),
            parent: None,
        }
    }

    /// Makes a token that follows this one, and can be raised alone.
    ///
    /// Its level is the higher of its own and this one's. Raising it leaves this one as it is.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            parent: Some(Arc::new(self.clone())),
            ..Self::new()
        }
    }

    /// Raises the token to `level`; a level that is not above the present one changes nothing.
    pub fn raise(&self, level: CancelLevel) {
        self.level_tx.send_if_modified(|present| {
            let rises = level > *present;
            if rises {
                *present = level;
            }
            rises
        });
    }

    /// The level now, of this token or of the one that it follows, whichever is higher.
    #[must_use]
    pub fn level(&self) -> CancelLevel {
        let own = *self.level_tx.borrow();
        self.parent
            .as_ref()
            .map_or(own, |parent| own.max(parent.level()))
    }

    /// Waits until the level is above `level`, and says what it is then.
    ///
    /// Comes back at once when it is above already; never comes back for [`CancelLevel::Kill`]. Safe to drop and to call again.
    pub async fn raised_above(&self, level: CancelLevel) -> CancelLevel {
        let Some(parent) = &self.parent else {
            return self.own_raised_above(level).await;
        };
        tokio::select! {
            _ = self.own_raised_above(level) => {}
            _ = Box::pin(parent.raised_above(level)) => {}
        }
        self.level()
    }

    async fn own_raised_above(&self, level: CancelLevel) -> CancelLevel {
        let mut level_rx = self.level_tx.subscribe();
        loop {
            let present = *level_rx.borrow_and_update();
            if present > level {
                return present;
            }
            if level_rx.changed().await.is_err() {
                // The sender is in `self`, so the channel does not close while we wait.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_never_falls() {
        let token = CancelToken::new();
        token.raise(CancelLevel::Kill);
        token.raise(CancelLevel::Stop);
        assert_eq!(token.level(), CancelLevel::Kill);
    }

    #[test]
    fn clones_are_one_token() {
        let token = CancelToken::new();
        token.clone().raise(CancelLevel::Stop);
        assert_eq!(token.level(), CancelLevel::Stop);
    }

    #[test]
    fn child_follows_its_parent_but_not_the_other_way_round() {
        let parent = CancelToken::new();
        let (one, other) = (parent.child(), parent.child());
        one.raise(CancelLevel::Stop);
        assert_eq!(parent.level(), CancelLevel::Run);
        assert_eq!(other.level(), CancelLevel::Run);
        parent.raise(CancelLevel::Kill);
        assert_eq!(one.level(), CancelLevel::Kill);
        assert_eq!(other.child().level(), CancelLevel::Kill);
    }

    #[tokio::test]
    async fn waiting_child_hears_its_grandparent() {
        let token = CancelToken::new();
        let grandchild = token.child().child();
        let (level, ()) = tokio::join!(grandchild.raised_above(CancelLevel::Run), async {
            token.raise(CancelLevel::Stop);
        });
        assert_eq!(level, CancelLevel::Stop);
    }
}
