//! What a running guest is given: the state of its store, and the interfaces of the contract over it.
//!
//! **Nothing here decides what a guest may do**: permissions are asked in `egress` and `kv`, limits come from
//! `runner_model`. Every interface function first counts the call.

mod context;
mod http;
mod kv;
mod limiter;
pub(crate) mod log;
mod wasi;

use std::sync::Arc;

use runner_model::{Clock, Limits, Timestamp, limits};
use tokio::time::Instant;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::attempt::Attempt;
use crate::bindings::{action, plugin};
use crate::stop::Stop;

pub(crate) use limiter::Limiter;

/// The state of one attempt.
pub(crate) struct Guest {
    attempt: Attempt,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
    deadline: Timestamp,
    /// The same, on the clock that timeouts run on.
    until: Instant,
    log: Arc<log::Sink>,
    limiter: Limiter,
    calls_left: u64,
    has_called_too_often: bool,
    /// Made when a guest first uses WASI: most components import none of it.
    wasi: Option<Box<wasi::Wasi>>,
}

impl Guest {
    /// The state for an attempt that begins now and is stopped then.
    pub(crate) fn new(attempt: Attempt, limits: &Arc<Limits>, clock: &Arc<dyn Clock>, until: Instant) -> Self {
        let timeout_ms = i64::try_from(attempt.timeout.as_millis()).unwrap_or(i64::MAX);
        Self {
            deadline: clock.now().plus_ms(timeout_ms),
            log: Arc::new(log::Sink::new(Arc::clone(&attempt.observer), &limits.guest)),
            limiter: Limiter::new(&limits.guest),
            calls_left: limits.guest.host_calls_max,
            has_called_too_often: false,
            until,
            limits: Arc::clone(limits),
            clock: Arc::clone(clock),
            attempt,
            wasi: None,
        }
    }

    /// The parameters as text.
    pub(crate) fn input(&self) -> String {
        self.attempt.input.to_string()
    }

    /// A store with every limit set.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let bytes = self.limits.guest.host_call_bytes_max;
        let mut store = Store::new(engine, self);
        store.limiter(|guest| &mut guest.limiter);
        set_pace(&mut store, bytes, Self::within_calls);
        store
    }

    /// Counts a call into WASI, where it cannot be refused: one too many ends the guest with the next tick.
    fn count_wasi(&mut self) {
        match self.calls_left.checked_sub(1) {
            Some(left) => self.calls_left = left,
            None => self.has_called_too_often = true,
        }
    }

    fn within_calls(&self) -> Result<(), Stop> {
        if self.has_called_too_often {
            return Err(Stop::Calls { limit: self.limits.guest.host_calls_max });
        }
        Ok(())
    }

    /// Counts a call into the host.
    fn count(&mut self) -> wasmtime::Result<()> {
        match self.calls_left.checked_sub(1) {
            Some(left) => {
                self.calls_left = left;
                Ok(())
            }
            None => Err(Stop::Calls { limit: self.limits.guest.host_calls_max }.into()),
        }
    }
}

/// Makes a guest yield to other tasks at each tick unless it is over `allowed` then, and bounds what it can pass in one
/// call.
pub(crate) fn set_pace<T: 'static>(store: &mut Store<T>, call_bytes_max: usize, allowed: fn(&T) -> Result<(), Stop>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |store| {
        allowed(store.data())?;
        // The engine's own way to yield comes back before sockets are looked at: a few loops would leave a server deaf.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    store.set_hostcall_fuel(call_bytes_max);
}

/// A linker with everything that actions and sensors may import.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    action::Action::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

impl plugin::types::Host for Guest {}

impl plugin::config::Host for Guest {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.count()?;
        Ok(self.attempt.pack.config.clone())
    }
}

impl plugin::clock::Host for Guest {
    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        self.count()?;
        Ok(now_ms(&*self.clock))
    }
}

/// The time of day as guests get it.
pub(crate) fn now_ms(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.now().as_millis()).unwrap_or(0)
}

impl plugin::random::Host for Guest {
    fn bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        self.count()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(limits::RANDOM_BYTES_MAX);
        let mut bytes = vec![0; length];
        getrandom::fill(&mut bytes).map_err(|_| Stop::NoRandomness)?;
        Ok(bytes)
    }
}
