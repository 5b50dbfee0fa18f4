//! The thread that advances the engine's epoch, which makes a guest yield. It sleeps for good while no guest runs.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use wasmtime::Engine;

/// The running guests of one engine, and the thread that makes them yield.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    closed: bool,
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: Engine, tick: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread_shared = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("runner-epoch".to_owned())
            .spawn(move || advance(&engine, &thread_shared, tick))?;
        Ok(Self { shared })
    }

    /// Says that a guest runs, for as long as the result lives.
    pub(crate) fn guest(&self) -> Running {
        let mut state = self.shared.state.lock();
        state.running += 1;
        if state.running == 1 {
            self.shared.changed.notify_one();
        }
        drop(state);
        Running(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

/// A guest that runs.
pub(crate) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.lock().running -= 1;
    }
}

fn advance(engine: &Engine, shared: &Shared, tick: Duration) {
    loop {
        let mut state = shared.state.lock();
        while state.running == 0 && !state.closed {
            shared.changed.wait(&mut state);
        }
        // A guest that outlives the host (a simulator's handle does) must still yield.
        if state.closed && state.running == 0 {
            return;
        }
        drop(state);
        std::thread::sleep(tick);
        engine.increment_epoch();
    }
}
