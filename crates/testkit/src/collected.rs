//! What a child process writes, read as it comes.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// The text that came out of a pipe so far.
///
/// A thread of its own reads the pipe to its end, so the writer never blocks. The thread ends when the last
/// process that holds the pipe closes it; nobody joins it, since a daemon may hold the pipe for ever.
#[derive(Clone)]
pub(crate) struct Collected {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    closed: bool,
}

/// The text that was waited for did not come.
#[derive(Debug)]
pub(crate) enum Missed {
    /// The pipe was closed before.
    Closed,
    /// The time was over before.
    TimedOut,
}

impl Collected {
    /// Starts to read `pipe`.
    pub(crate) fn drain(mut pipe: impl Read + Send + 'static) -> Self {
        let collected = Self {
            shared: Arc::default(),
        };
        let writer = collected.clone();
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            // An error and an end are the same here: nothing more will come.
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                writer.state().bytes.extend_from_slice(&buffer[..count]);
                writer.shared.grown.notify_all();
            }
            writer.state().closed = true;
            writer.shared.grown.notify_all();
        });
        collected
    }

    /// Returns what came so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.state().bytes).into_owned()
    }

    /// Waits until the text holds `needle` at least `times` times.
    pub(crate) fn wait_for(
        &self,
        needle: &str,
        times: usize,
        patience: Duration,
    ) -> Result<(), Missed> {
        let is_there = |state: &State| {
            String::from_utf8_lossy(&state.bytes)
                .matches(needle)
                .count()
                >= times
        };
        let state = self.wait_until(patience, |state| state.closed || is_there(state));
        match (is_there(&state), state.closed) {
            (true, _) => Ok(()),
            (false, true) => Err(Missed::Closed),
            (false, false) => Err(Missed::TimedOut),
        }
    }

    /// Waits until the pipe is closed by all that hold it; false if the time is over before.
    pub(crate) fn wait_closed(&self, patience: Duration) -> bool {
        self.wait_until(patience, |state| state.closed).closed
    }

    fn wait_until(
        &self,
        patience: Duration,
        done: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        while !done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .shared
                .grown
                .wait_timeout(state, left)
                .expect("the reading thread does not panic")
                .0;
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("the reading thread does not panic")
    }
}
