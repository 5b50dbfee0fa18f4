//! A component that is compiled, checked against its world and ready to be instantiated.

use std::sync::Arc;

use runner_model::limits::COMPONENT_BYTES_MAX;
use runner_model::{Code, Failure, code};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bindings::action::ActionPre;
use crate::bindings::sensor::SensorPre;
use crate::bindings::simulator::SimulatorPre;
use crate::cache::Cache;
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
    pub(crate) guests: Linker<Guest>,
    pub(crate) simulators: Linker<SimulatorGuest>,
}

impl Loader {
    /// Makes a component of a file's bytes. Takes as long as compiling does: call it where that may block.
    pub(crate) fn load(&self, wasm: &Arc<[u8]>, world: World) -> Result<Component, Failure> {
        if wasm.len() > COMPONENT_BYTES_MAX {
            let length = wasm.len();
            return Err(Failure::new(
                code::HOST_COMPONENT_TOO_LARGE,
                format!("the component has {length} bytes, at most {COMPONENT_BYTES_MAX} are allowed"),
            ));
        }
        let compiled = self.compiled(wasm, world)?;
        let misfit = |error: wasmtime::Error| {
            let name = world.name();
            bad(code::HOST_BAD_COMPONENT, format!("the component does not fit the world `{name}`: {}", chain(&error)))
                .with_hint("build it against the contract in `wit/` that this version of runner has")
        };
        let ready = match world {
            World::Action => self.guests.instantiate_pre(&compiled).and_then(ActionPre::new).map(Ready::Action),
            World::Sensor => self.guests.instantiate_pre(&compiled).and_then(SensorPre::new).map(Ready::Sensor),
            World::Simulator => {
                self.simulators.instantiate_pre(&compiled).and_then(SimulatorPre::new).map(Ready::Simulator)
            }
        };
        Ok(Component { ready: ready.map_err(misfit)? })
    }

    fn compiled(&self, wasm: &[u8], world: World) -> Result<wasmtime::component::Component, Failure> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.get(&self.engine, wasm, world)) {
            return Ok(component);
        }
        let component = wasmtime::component::Component::from_binary(&self.engine, wasm)
            .map_err(|error| uncompilable(wasm, &error))?;
        if let Some(cache) = &self.cache {
            cache.put(&self.engine, wasm, world, &component);
        }
        Ok(component)
    }
}

/// Why bytes could not be compiled.
fn uncompilable(wasm: &[u8], error: &wasmtime::Error) -> Failure {
    // Magic number, then version 1 of a core module (WebAssembly core specification §5.5.16).
    if wasm.starts_with(b"\0asm\x01\0\0\0") {
        return bad(code::HOST_BAD_COMPONENT, "the file is a core WebAssembly module, not a component".to_owned())
            .with_hint("link it with `wasm-component-ld`, or make a component of it with `wasm-tools component new`");
    }
    if !wasm.starts_with(b"\0asm") {
        return bad(code::HOST_BAD_COMPONENT, "the file is not WebAssembly".to_owned());
    }
    let text = chain(error);
    // The pooling allocator names the limit in its text only.
    let code = match () {
        () if !text.contains("exceeds") => code::HOST_BAD_COMPONENT,
        () if text.contains("memory") || text.contains("memories") => code::HOST_MEMORY,
        () if text.contains("table") || text.contains("instances") => code::HOST_TABLE,
        () => code::HOST_BAD_COMPONENT,
    };
    bad(code, format!("the component cannot be used: {text}"))
}

fn bad(code: Code, message: String) -> Failure {
    Failure::new(code, message)
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    let parts: Vec<String> = error.chain().map(ToString::to_string).collect();
    crate::escape::one_line(&parts.join(": "), 1024)
}
