//! Following a log in the process that writes it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// New lines are told together: at once when there are so many bytes of them, or so long after the first.
const TOGETHER_BYTES: u64 = 256 * 1024;
const TOGETHER_TIME: Duration = Duration::from_millis(20);

/// Tells one reader how far the log has come, in whole lines. The writer never waits for it.
#[derive(Clone)]
pub struct LogWatch(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    length: u64,
    finished: bool,
    /// The length that the reader waits for; the writer wakes nobody before. It spares a wake-up for each line.
    wanted: u64,
}

impl LogWatch {
    pub(super) fn new() -> Self {
        let state = State { length: 0, finished: false, wanted: u64::MAX };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn advance(&self, length: u64) {
        let mut state = self.state();
        state.length = length;
        if length >= state.wanted {
            self.0.changed.notify_all();
        }
    }

    pub(super) fn finish(&self, length: u64) {
        let mut state = self.state();
        (state.length, state.finished) = (length, true);
        self.0.changed.notify_all();
    }

    /// Whether nothing will be written any more.
    pub fn is_finished(&self) -> bool {
        self.state().finished
    }

    /// Waits until there are whole lines past `offset`, and where the last of them ends; `None` when the log is
    /// finished and has no more.
    pub fn wait_past(&self, offset: u64) -> Option<u64> {
        let mut state = self.state();
        state.wanted = offset.saturating_add(1);
        while state.length <= offset && !state.finished {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.wanted = offset.saturating_add(TOGETHER_BYTES);
        let more = |state: &mut State| state.length < state.wanted && !state.finished;
        let waited = self.0.changed.wait_timeout_while(state, TOGETHER_TIME, more);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.wanted = u64::MAX;
        (state.length > offset).then_some(state.length)
    }
}
