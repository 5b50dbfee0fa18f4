//! Why a guest was stopped, and what its end looks like from outside.

use runner_model::limits::{GuestLimits, RESOURCES_MAX, WASI_FIELDS_BYTES_MAX};
use runner_model::{Failure, code};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi_http::FieldMapError;

use crate::component::chain;
use crate::engine::BACKTRACE_FRAMES_MAX;

/// Functions that call each other in a recursion. An interpreter that walks a tree has about ten.
const RECURSIVE_FUNCTIONS_MAX: usize = 16;

/// The host stopped a guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("the guest asked for more than {limit} bytes of memory")]
    Memory { limit: usize },
    #[error("the guest asked for a table of more than {limit} elements")]
    Table { limit: usize },
    #[error("the guest called the host more than {limit} times")]
    Calls { limit: u64 },
    #[error("the guest passed the host more than {limit} bytes in one call")]
    CallBytes { limit: usize },
    #[error("the guest holds more than {limit} resources of the host")]
    Resources { limit: usize },
    #[error("the guest built headers of more than {limit} bytes")]
    Fields { limit: usize },
    #[error("the operating system gives no random numbers")]
    NoRandomness,
}

impl From<&Stop> for Failure {
    fn from(stop: &Stop) -> Self {
        let code = match stop {
            Stop::Memory { .. } => code::HOST_MEMORY,
            Stop::Table { .. } | Stop::Resources { .. } => code::HOST_TABLE,
            Stop::Calls { .. } | Stop::CallBytes { .. } | Stop::Fields { .. } => code::HOST_CALLS,
            Stop::NoRandomness => code::HOST_OTHER,
        };
        Self::new(code, stop.to_string())
    }
}

/// What part of a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Making the instance.
    Start,
    /// The call.
    Call,
}

/// What an error of the engine means.
pub(crate) fn failure(error: &wasmtime::Error, phase: Phase, limits: &GuestLimits) -> Failure {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return stop.into();
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        let mut busy = Failure::new(code::HOST_BUSY, "as many guests run already as the pool has places for");
        busy.retryable = true;
        return busy;
    }
    if let Some(stop) = of_wasi(error) {
        return (&stop).into();
    }
    let trace = error.downcast_ref::<WasmBacktrace>();
    if is_out_of_fuel(error) {
        // A guest that was inside a call of its own left a trace; what it returned is read after its last frame.
        return match trace {
            Some(_) => (&Stop::CallBytes { limit: limits.host_call_bytes_max }).into(),
            None => result_too_large(limits),
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => {
            let limit = limits.stack_bytes_max;
            Failure::new(code::HOST_STACK, format!("the guest's stack overflowed its {limit} bytes"))
        }
        Some(Trap::MemoryOutOfBounds) if trace.is_some_and(is_recursion) => {
            Failure::new(code::HOST_STACK, format!("the guest's stack in its memory overflowed{}", place(trace)))
        }
        Some(trap) => Failure::new(code::HOST_TRAP, format!("the guest trapped: {trap}{}", place(trace))),
        None if phase == Phase::Call && trace.is_none() => {
            Failure::new(code::HOST_BAD_RESULT, format!("the result cannot be read: {}", chain(error)))
        }
        None => Failure::new(code::HOST_TRAP, format!("the guest was stopped: {}{}", chain(error), place(trace))),
    }
}

/// A limit that the library behind WASI keeps for us.
fn of_wasi(error: &wasmtime::Error) -> Option<Stop> {
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return Some(Stop::Resources { limit: RESOURCES_MAX });
    }
    match error.downcast_ref::<FieldMapError>() {
        Some(FieldMapError::TooManyFields | FieldMapError::TotalSizeTooBig) => {
            Some(Stop::Fields { limit: WASI_FIELDS_BYTES_MAX })
        }
        _ => None,
    }
}

/// The result is larger than allowed.
pub(crate) fn result_too_large(limits: &GuestLimits) -> Failure {
    let limit = limits.result_bytes_max;
    Failure::new(code::HOST_RESULT_TOO_LARGE, format!("the result is larger than {limit} bytes"))
        .with_hint("return a part, or keep the data elsewhere and return where")
}

/// The engine gives this error no type of its own that can be named; a test with a real guest keeps the words right.
fn is_out_of_fuel(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls has been exhausted"))
}

/// Compilers keep part of the stack in linear memory, as a rule at its beginning: where that part overflows first, the
/// engine sees only an access out of bounds. A few functions that call each other without end tell it from other ones.
fn is_recursion(trace: &WasmBacktrace) -> bool {
    let functions: std::collections::BTreeSet<u32> =
        trace.frames().iter().map(wasmtime::FrameInfo::func_index).collect();
    trace.frames().len() >= BACKTRACE_FRAMES_MAX && functions.len() <= RECURSIVE_FUNCTIONS_MAX
}

/// The functions that a trap went through, innermost first, if the component still has its names.
fn place(trace: Option<&WasmBacktrace>) -> String {
    let frames = trace.map(WasmBacktrace::frames).unwrap_or_default();
    let names: Vec<_> = frames.iter().filter_map(wasmtime::FrameInfo::func_name).take(5).collect();
    if names.is_empty() { String::new() } else { format!(" (in {})", crate::escape::one_line(&names.join(" < "), 512)) }
}
