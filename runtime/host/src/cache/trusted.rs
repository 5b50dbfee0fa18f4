//! The one place that turns bytes into machine code.

use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads a compiled component.
#[allow(unsafe_code, reason = "wasmtime cannot know who wrote the bytes; the caller has checked their seal")]
pub(super) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what `Component::serialize` gave in a process of this user: its HMAC was verified in memory, on
    // these very bytes, with a key that only this user can read. wasmtime itself refuses code of another version of
    // itself or of an engine with other settings.
    unsafe { Component::deserialize(engine, code) }
}
