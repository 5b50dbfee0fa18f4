//! A component that is compiled, checked against its world and ready to be instantiated.

use std::sync::Arc;

use runner_model::limits::COMPONENT_BYTES_MAX;
use runner_model::{Failure, code};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bindings::action::ActionPre;
use crate::bindings::sensor::SensorPre;
use crate::bindings::simulator::SimulatorPre;
use crate::cache::{self, Cache, deserialize};
use crate::compile::{Compiler, Sum, uncompilable};
use crate::guest::Guest;
use crate::simulator::SimulatorGuest;

/// What a component is for: the world of the contract that it must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// It holds actions.
    Action,
    /// It holds sensors.
    Sensor,
    /// It stands in for the system behind a connection.
    Simulator,
}

impl World {
    /// Its name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Sensor => "sensor",
            Self::Simulator => "simulator",
        }
    }
}

/// A component that is ready to run. A clone is the same component.
#[derive(Clone)]
pub struct Component {
    pub(crate) ready: Ready,
}

/// Pre-instantiated: types are checked and imports found; what is left is to make memories and call.
#[derive(Clone)]
pub(crate) enum Ready {
    Action(ActionPre<Guest>),
    Sensor(SensorPre<Guest>),
    Simulator(SimulatorPre<SimulatorGuest>),
}

impl Component {
    /// The world it was loaded for.
    #[must_use]
    pub const fn world(&self) -> World {
        match self.ready {
            Ready::Action(_) => World::Action,
            Ready::Sensor(_) => World::Sensor,
            Ready::Simulator(_) => World::Simulator,
        }
    }

    /// The failure of calling it as something that it is not.
    pub(crate) fn wrong_world(&self, wanted: World) -> Failure {
        let (is, wanted) = (self.world().name(), wanted.name());
        Failure::new(code::HOST_BAD_COMPONENT, format!("the component was loaded as `{is}`, not as `{wanted}`"))
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component").field("world", &self.world()).finish_non_exhaustive()
    }
}

/// What components are made with.
pub(crate) struct Loader {
    pub(crate) engine: Engine,
    pub(crate) cache: Option<Cache>,
    pub(crate) compiler: Compiler,
    pub(crate) guests: Linker<Guest>,
    pub(crate) simulators: Linker<SimulatorGuest>,
}

impl Loader {
    /// Makes a component of a file's bytes.
    pub(crate) async fn load(self: &Arc<Self>, wasm: Arc<[u8]>, world: World) -> Result<Component, Failure> {
        if wasm.len() > COMPONENT_BYTES_MAX {
            let length = wasm.len();
            return Err(Failure::new(
                code::HOST_COMPONENT_TOO_LARGE,
                format!("the component has {length} bytes, at most {COMPONENT_BYTES_MAX} are allowed"),
            ));
        }
        let (sum, cached) = {
            let wasm = Arc::clone(&wasm);
            self.aside(move |loader| loader.cached(&wasm, world)).await?
        };
        if let Some(ready) = cached {
            return Ok(Component { ready: ready? });
        }
        let compile = self.compiler.compile(&self.engine, &wasm, sum, async |code| {
            let code = Arc::clone(code);
            let keep = move |loader: &Self| loader.cache.iter().for_each(|cache| cache.put(&sum, &code));
            self.aside(keep).await.ok();
        });
        let machine_code = Box::pin(compile).await?;
        let ready = self.aside(move |loader| {
            let compiled = deserialize(&loader.engine, &machine_code);
            let compiled = compiled.map_err(|error| uncompilable(&wasm, &chain(&error)))?;
            loader.link(&compiled, world)
        });
        Ok(Component { ready: ready.await?? })
    }

    /// What a component is known by, and the component, if it was compiled before.
    fn cached(&self, wasm: &[u8], world: World) -> (Sum, Option<Result<Ready, Failure>>) {
        let sum = cache::sum(&self.engine, wasm);
        let compiled = self.cache.as_ref().and_then(|cache| cache.get(&self.engine, &sum));
        (sum, compiled.map(|compiled| self.link(&compiled, world)))
    }

    fn link(&self, compiled: &wasmtime::component::Component, world: World) -> Result<Ready, Failure> {
        let misfit = |error: wasmtime::Error| {
            let name = world.name();
            let message = format!("the component does not fit the world `{name}`: {}", chain(&error));
            Failure::new(code::HOST_BAD_COMPONENT, message)
                .with_hint("build it against the contract in `wit/` that this version of runner has")
        };
        let ready = match world {
            World::Action => self.guests.instantiate_pre(compiled).and_then(ActionPre::new).map(Ready::Action),
            World::Sensor => self.guests.instantiate_pre(compiled).and_then(SensorPre::new).map(Ready::Sensor),
            World::Simulator => {
                self.simulators.instantiate_pre(compiled).and_then(SimulatorPre::new).map(Ready::Simulator)
            }
        };
        ready.map_err(misfit)
    }

    /// Does what takes long where it holds nobody up.
    async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let loader = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&loader)).await;
        done.map_err(|_| Failure::new(code::HOST_OTHER, "the component could not be loaded"))
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    let parts: Vec<String> = error.chain().map(ToString::to_string).collect();
    crate::escape::one_line(&parts.join(": "), 1024)
}
