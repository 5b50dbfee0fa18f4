//! The contract in `wit/` as Rust: generated, one module a world. Sensors share the interfaces of actions.

#![allow(missing_docs, unreachable_pub, reason = "generated; the documentation stands in `wit/`")]

/// The world `action`.
pub(crate) mod action {
    wasmtime::component::bindgen!({
        world: "action",
        path: "../../wit/0.1.0",
        imports: {
            "runner:plugin/http.send": async | trappable,
            "runner:plugin/kv": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}

/// The world `sensor`.
pub(crate) mod sensor {
    wasmtime::component::bindgen!({
        world: "sensor",
        path: "../../wit/0.1.0",
        exports: { default: async },
        with: { "runner:plugin": crate::bindings::action::runner::plugin },
    });
}

/// The world `simulator`.
pub(crate) mod simulator {
    wasmtime::component::bindgen!({
        world: "simulator",
        path: "../../wit/0.1.0",
        exports: { default: async },
        with: { "runner:plugin": crate::bindings::action::runner::plugin },
    });
}

pub(crate) use action::runner::plugin;
