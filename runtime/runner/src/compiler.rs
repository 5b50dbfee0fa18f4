//! This program as its own compiler: a child that limits itself, compiles one component and ends (decision 020).

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use runner_host::{Compiling, compile_limited};

/// What the child is called with. It stands in no help: it is of use to nobody else.
const COMMAND: &str = "compile-component";

/// What the allocator has to be told before it begins: memory that it keeps for later would count as used, and the child be
/// refused what it needs.
const NOTHING_IN_ADVANCE: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// Compiles, if this process is such a child. To be asked before anything else: it must not have opened a file.
pub(crate) fn if_asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    (arguments.next()? == COMMAND).then(|| compile_limited(arguments))
}

/// How this program compiles components.
pub(crate) fn compiling() -> Compiling {
    match program() {
        Some(program) if cfg!(unix) => {
            let (name, value) = NOTHING_IN_ADVANCE;
            let environment = vec![(name.into(), value.into())];
            Compiling::Child { program, arguments: vec![COMMAND.into()], environment }
        }
        _ => Compiling::Here,
    }
}

/// The very program that runs: the file may be another one by now, whose machine code would not fit.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps, reason = "there may be none elsewhere")]
fn program() -> Option<PathBuf> {
    Some(PathBuf::from("/proc/self/exe"))
}

#[cfg(not(target_os = "linux"))]
fn program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}
