//! The host: one engine, one pool of places, one set of linkers a process.

use std::path::PathBuf;
use std::sync::Arc;

use runner_model::limits::{EPOCH_TICK, SIMULATORS_MAX};
use runner_model::{Clock, ConnectionName, Failure, Limits, Outcome};
use serde_json::Value;
use tokio::sync::Semaphore;
use tracing::warn;

use crate::attempt::{Attempt, Polled};
use crate::cache::Cache;
use crate::compile::{Compiler, Compiling};
use crate::component::{Component, Loader, World};
use crate::epoch::Ticker;
use crate::simulator::Simulator;
use crate::{engine, guest, run, simulator};

/// What a host is made with.
pub struct HostOptions {
    /// Where compiled components are kept; none compiles them in each process.
    pub cache_dir: Option<PathBuf>,
    /// Who compiles them.
    pub compiling: Compiling,
    /// What guests may use.
    pub limits: Limits,
    /// What time it is for guests.
    pub clock: Arc<dyn Clock>,
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine cannot be made with these limits, or not on this machine.
    #[error("the WebAssembly engine cannot be started: {0}")]
    Engine(String),
    /// The operating system gives no thread.
    #[error("the epoch thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Runs guests. A clone is the same host.
#[derive(Clone)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
}

/// What all runs share.
pub(crate) struct Shared {
    pub(crate) loader: Arc<Loader>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ticker: Ticker,
    /// Places for attempts in the pool.
    pub(crate) places: Semaphore,
    /// Places for simulators in the pool.
    pub(crate) simulator_places: Arc<Semaphore>,
}

impl Host {
    /// Starts the engine, its thread and its pool of memories.
    ///
    /// # Errors
    /// Limits that the engine cannot keep, or a machine without the address space for them.
    pub fn new(options: HostOptions) -> Result<Self, HostError> {
        let failed = |error: wasmtime::Error| HostError::Engine(crate::component::chain(&error));
        let engine = engine::build(&options.limits).map_err(failed)?;
        let limits = &options.limits;
        let loader = Loader {
            compiler: Compiler::new(options.compiling, limits.compile.clone(), limits.guest.stack_bytes_max),
            guests: guest::linker(&engine).map_err(failed)?,
            simulators: simulator::linker(&engine).map_err(failed)?,
            cache: options.cache_dir.and_then(|directory| open_cache(directory, Arc::clone(&options.clock))),
            engine: engine.clone(),
        };
        let ticker = Ticker::start(engine, EPOCH_TICK).map_err(HostError::Thread)?;
        let places = usize::try_from(options.limits.guest.concurrency_max).unwrap_or(usize::MAX);
        Ok(Self {
            shared: Arc::new(Shared {
                loader: Arc::new(loader),
                ticker,
                places: Semaphore::new(places.min(Semaphore::MAX_PERMITS)),
                simulator_places: Arc::new(Semaphore::new(usize::try_from(SIMULATORS_MAX).unwrap_or(1))),
                limits: Arc::new(options.limits),
                clock: options.clock,
            }),
        })
    }

    /// Loads a component: from the cache if its compiled form is there and can be trusted, else by compiling it.
    ///
    /// # Errors
    /// Bytes that are no component of this world, or one that needs more than the limits allow.
    pub async fn load(&self, wasm: Arc<[u8]>, world: World) -> Result<Component, Failure> {
        self.shared.loader.load(wasm, world).await
    }

    /// Runs one attempt of an action. Whatever the guest does, this ends, and in one of the outcomes.
    pub async fn run(&self, component: &Component, attempt: Attempt) -> Outcome {
        Box::pin(run::action(&self.shared, component, attempt)).await
    }

    /// Polls a sensor once. `function` of the attempt is the sensor's name; its `input` is not used.
    ///
    /// # Errors
    /// Every way a poll can end that is not a success.
    pub async fn poll(
        &self,
        component: &Component,
        attempt: Attempt,
        cursor: Option<String>,
    ) -> Result<Polled, Outcome> {
        Box::pin(run::sensor(&self.shared, component, attempt, cursor)).await
    }

    /// A simulated system behind a connection; [`Simulator::behind`] puts it behind further ones. Its instance is made with
    /// the first request and lives, with its state, until the last handle to it is dropped.
    #[must_use]
    pub fn simulator(&self, component: &Component, connection: ConnectionName) -> Simulator {
        Simulator::new(Arc::clone(&self.shared), component.clone(), connection)
    }

    /// What a component says of its own actions: a JSON object. It is granted nothing.
    ///
    /// # Errors
    /// A component that does not know the question, or that fails.
    pub async fn describe(&self, component: &Component) -> Result<Value, Failure> {
        Box::pin(run::describe(&self.shared, component)).await
    }
}

fn open_cache(directory: PathBuf, clock: Arc<dyn Clock>) -> Option<Cache> {
    let shown = directory.display().to_string();
    Cache::open(directory, clock)
        .inspect_err(|error| warn!(directory = shown, %error, "no compile cache: components are compiled each time"))
        .ok()
}
