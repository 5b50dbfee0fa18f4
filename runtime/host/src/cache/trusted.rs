//! The one place that turns bytes into machine code.

use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads a compiled component: one whose seal was verified, or what a compiler of this process just gave it.
#[allow(unsafe_code, reason = "wasmtime cannot know who wrote the bytes; the caller does")]
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what wasmtime's compiler gave in a process of this user. Either it came straight from there, from
    // this process or through the pipe of a child that runs the same program; or its seal was verified in memory, on
    // these very bytes, with a key that only this user can read. wasmtime itself refuses code of another version of
    // itself or of an engine with other settings.
    unsafe { Component::deserialize(engine, code) }
}
