//! The WIT bindings, one module a world. The worlds share their interfaces, so that the rest of the SDK is written once.
//!
//! Only what a component really calls ends up among its imports: a simulator made with this SDK imports log and clock.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

/// World `action`.
pub mod action {
    wit_bindgen::generate!({
        path: "../../wit/0.1.0",
        world: "action",
        pub_export_macro: true,
        default_bindings_module: "runner_sdk::bindings::action",
    });
}

/// World `sensor`.
pub mod sensor {
    wit_bindgen::generate!({
        path: "../../wit/0.1.0",
        world: "sensor",
        pub_export_macro: true,
        default_bindings_module: "runner_sdk::bindings::sensor",
        with: {
            "runner:plugin/types@0.1.0": crate::bindings::action::runner::plugin::types,
            "runner:plugin/context@0.1.0": crate::bindings::action::runner::plugin::context,
            "runner:plugin/log@0.1.0": crate::bindings::action::runner::plugin::log,
            "runner:plugin/config@0.1.0": crate::bindings::action::runner::plugin::config,
            "runner:plugin/kv@0.1.0": crate::bindings::action::runner::plugin::kv,
            "runner:plugin/http@0.1.0": crate::bindings::action::runner::plugin::http,
            "runner:plugin/clock@0.1.0": crate::bindings::action::runner::plugin::clock,
            "runner:plugin/random@0.1.0": crate::bindings::action::runner::plugin::random,
        },
    });
}

/// World `simulator`.
pub mod simulator {
    wit_bindgen::generate!({
        path: "../../wit/0.1.0",
        world: "simulator",
        pub_export_macro: true,
        default_bindings_module: "runner_sdk::bindings::simulator",
        with: {
            "runner:plugin/log@0.1.0": crate::bindings::action::runner::plugin::log,
            "runner:plugin/clock@0.1.0": crate::bindings::action::runner::plugin::clock,
        },
    });
}

use std::sync::Once;

use crate::log::Level;

/// The failure as the worlds `action` and `sensor` have it.
pub fn failure(failure: crate::Failure) -> action::runner::plugin::types::Failure {
    let details = failure.details().and_then(|details| crate::json::write(details).ok());
    action::runner::plugin::types::Failure {
        details,
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
    }
}

/// Lets a panic say what it is before it traps: without this, only the trap is seen.
pub fn log_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            crate::host::log(Level::Error, &panic.to_string(), Vec::new());
        }));
    });
}
