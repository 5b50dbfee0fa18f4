//! How a child ended, and what is said about it.

use std::process::ExitStatus;

use runner_model::limits::CompileLimits;
use runner_model::{Failure, code};

use crate::escape::one_line;

/// A complaint as it is passed on, in bytes.
const SHOWN_BYTES_MAX: usize = 512;

/// Why there is no machine code, though nothing is wrong with the component in itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its processor time was used up.
    Cpu,
    /// Its memory was.
    Memory,
    /// It took too long on the clock.
    Late,
    /// It made more code than is taken.
    TooLarge,
    /// Something else.
    Crash(String),
}

impl Ending {
    /// What the end of a child means that gave no answer.
    pub(super) fn of(status: ExitStatus, complaint: &[u8]) -> Self {
        let complaint = String::from_utf8_lossy(complaint);
        // What Rust says when an allocation fails, before it aborts; and Cranelift, which panics.
        if ["memory allocation of", "unhandled out-of-memory error"].iter().any(|says| complaint.contains(says)) {
            return Self::Memory;
        }
        match signal(status) {
            Some(XCPU) => Self::Cpu,
            // Nobody here sent it: the system needed the memory.
            Some(KILL) => Self::Memory,
            _ => Self::Crash(one_line(&format!("{status}: {}", complaint.trim()), SHOWN_BYTES_MAX)),
        }
    }
}

/// `SIGKILL`.
const KILL: i32 = 9;
/// `SIGXCPU`.
const XCPU: i32 = 24;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// The failure that an ending is.
pub(super) fn failure(ending: &Ending, limits: &CompileLimits) -> Failure {
    let smaller = "make the component smaller: leave out what is not used, split its actions over several components";
    match ending {
        Ending::Cpu => {
            let seconds = limits.cpu.as_secs();
            let message = format!("the component was not compiled within {seconds} s of processor time");
            Failure::new(code::HOST_COMPILE_CPU, message).with_hint(smaller)
        }
        Ending::Memory => {
            let mebibytes = limits.memory_bytes_max / (1024 * 1024);
            let message = format!("the component was not compiled within {mebibytes} MiB of memory");
            Failure::new(code::HOST_COMPILE_MEMORY, message).with_hint(smaller)
        }
        Ending::Late => {
            let seconds = limits.time.as_secs();
            let message = format!("the compiler did not end within {seconds} s");
            let mut failure = Failure::new(code::HOST_COMPILE_LATE, message)
                .with_hint("run it again when the machine has less to do");
            failure.retryable = true;
            failure
        }
        Ending::TooLarge => {
            let limit = limits.code_bytes_max;
            let message = format!("the component's machine code has more than {limit} bytes");
            Failure::new(code::HOST_COMPONENT_TOO_LARGE, message).with_hint(smaller)
        }
        Ending::Crash(how) => Failure::new(code::HOST_COMPILE_CRASH, format!("the compiler failed: {how}"))
            .with_hint("say where the component is from when you report this; nothing but this action is affected"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn each_way_to_end_is_told_apart() {
        let of = |raw, complaint: &str| Ending::of(ExitStatus::from_raw(raw), complaint.as_bytes());
        assert_eq!(of(XCPU, ""), Ending::Cpu);
        assert_eq!(of(KILL, ""), Ending::Memory);
        assert_eq!(of(6, "memory allocation of 33554432 bytes failed\n"), Ending::Memory);
        let panicked = "thread 'main' panicked at map.rs:402:55:\nunhandled out-of-memory error: out of memory (failed to allocate 262145 bytes)";
        assert_eq!(of(101 << 8, panicked), Ending::Memory);
        assert!(matches!(of(11, ""), Ending::Crash(_)));
        assert!(matches!(of(101 << 8, "thread 'main' panicked\nat x"), Ending::Crash(how) if how.contains("\\nat x")));
    }
}
