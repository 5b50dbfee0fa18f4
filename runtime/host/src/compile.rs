//! Makes machine code of components: in this process, or in a child that limits itself first.
//!
//! Compiling is the one thing that is done with a component of unknown origin outside its sandbox, and wasmtime promises
//! nothing about how long it takes. **A child does it under limits of the operating system; what it cannot do within them
//! fails, and harms nothing else.** Few compile at the same time, those who want the same component share one result, and
//! what failed is not tried again at once.

mod child;
mod ending;
mod limited;
mod refused;
mod watch;
mod wire;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use runner_model::limits::CompileLimits;
use runner_model::{Failure, code};
use tokio::sync::{OnceCell, Semaphore};
use wasmtime::Engine;

pub use limited::compile_limited;

/// Who compiles components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiling {
    /// This process, with all its cores: for tests, and for whoever trusts what is compiled.
    #[default]
    Here,
    /// A child for each component.
    Child {
        /// A program that calls [`compile_limited`].
        program: PathBuf,
        /// What it is called with, before the limits.
        arguments: Vec<OsString>,
        /// All of its environment: what its allocator has to be told before it begins, and nothing of this process.
        environment: Vec<(OsString, OsString)>,
    },
}

/// The digest of a component.
pub(crate) type Sum = [u8; 32];
/// What became of compiling a component.
type Compiled = Result<Arc<Vec<u8>>, Failure>;

/// Compiles for one engine.
pub(crate) struct Compiler {
    compiling: Compiling,
    limits: CompileLimits,
    stack_bytes_max: usize,
    places: Semaphore,
    /// What is being compiled, for as long as somebody waits for it.
    flights: Mutex<HashMap<Sum, Weak<OnceCell<Compiled>>>>,
    refused: refused::Refused,
}

impl Compiler {
    pub(crate) fn new(compiling: Compiling, limits: CompileLimits, stack_bytes_max: usize) -> Self {
        let places = limits.at_once_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            compiling,
            limits,
            stack_bytes_max,
            places: Semaphore::new(places),
            flights: Mutex::default(),
            refused: refused::Refused::default(),
        }
    }

    /// The machine code of a component. `keep` is called once with it before anybody gets it.
    pub(crate) async fn compile(
        &self,
        engine: &Engine,
        wasm: &Arc<[u8]>,
        sum: Sum,
        keep: impl AsyncFnOnce(&Arc<Vec<u8>>),
    ) -> Compiled {
        if let Some(failure) = self.refused.get(&sum) {
            return Err(failure);
        }
        let flight = self.flight(sum);
        let compiled = flight.get_or_init(async || {
            // The semaphore is never closed.
            let _place = self.places.acquire().await;
            let compiled = match &self.compiling {
                Compiling::Here => here(engine, wasm).await,
                Compiling::Child { program, arguments, environment } => {
                    let order = child::Order {
                        program: program.clone(),
                        arguments: arguments.clone(),
                        environment: environment.clone(),
                        limits: self.limits.clone(),
                        stack_bytes_max: self.stack_bytes_max,
                    };
                    child::compile(order, Arc::clone(wasm)).await
                }
            };
            let compiled = compiled.map(Arc::new);
            match &compiled {
                Ok(machine_code) => keep(machine_code).await,
                Err(failure) => self.refused.put(sum, failure),
            }
            compiled
        });
        compiled.await.clone()
    }

    fn flight(&self, sum: Sum) -> Arc<OnceCell<Compiled>> {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get(&sum).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::default();
        flights.insert(sum, Arc::downgrade(&flight));
        flight
    }
}

async fn here(engine: &Engine, wasm: &Arc<[u8]>) -> Result<Vec<u8>, Failure> {
    let (engine, wasm) = (engine.clone(), Arc::clone(wasm));
    let compiled = tokio::task::spawn_blocking(move || {
        engine.precompile_component(&wasm).map_err(|error| uncompilable(&wasm, &crate::component::chain(&error)))
    });
    compiled
        .await
        .unwrap_or_else(|_| Err(Failure::new(code::HOST_COMPILE_CRASH, "the compiler failed on this component")))
}

/// Why bytes could not be compiled, or not be used then.
pub(crate) fn uncompilable(wasm: &[u8], text: &str) -> Failure {
    // Magic number, then version 1 of a core module (WebAssembly core specification §5.5.16).
    if wasm.starts_with(b"\0asm\x01\0\0\0") {
        let message = "the file is a core WebAssembly module, not a component";
        return Failure::new(code::HOST_BAD_COMPONENT, message)
            .with_hint("link it with `wasm-component-ld`, or make a component of it with `wasm-tools component new`");
    }
    if !wasm.starts_with(b"\0asm") {
        return Failure::new(code::HOST_BAD_COMPONENT, "the file is not WebAssembly");
    }
    // The pooling allocator names the limit in its text only.
    let code = match () {
        () if !text.contains("exceeds") => code::HOST_BAD_COMPONENT,
        () if text.contains("memory") || text.contains("memories") => code::HOST_MEMORY,
        () if text.contains("table") || text.contains("instances") => code::HOST_TABLE,
        () => code::HOST_BAD_COMPONENT,
    };
    Failure::new(code, format!("the component cannot be used: {text}"))
}
