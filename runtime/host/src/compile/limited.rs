//! The child's side: limits itself, then reads a component, compiles it on one thread, writes the machine code and ends.
//!
//! It opens no file, and nothing that it reads is believed before the limits hold.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::process::ExitCode;

use runner_model::limits::COMPONENT_BYTES_MAX;

use super::wire;
use crate::component::chain;
use crate::engine;

/// What a child cannot do for a reason of its own; [`ExitCode::SUCCESS`] also means "not compiled, and said why".
const BROKEN: u8 = 3;

/// Does what a parent with [`Compiling::Child`](super::Compiling::Child) expects of its program: standard input is a
/// component, standard output its machine code. `arguments` are those that the parent added.
///
/// Call it first thing in `main`, before there is a thread or an open file.
#[must_use]
pub fn compile_limited(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let numbers: Vec<u64> = arguments.into_iter().filter_map(|text| text.to_str()?.parse().ok()).collect();
    let result = match numbers.as_slice() {
        [cpu_seconds, memory_bytes] => {
            limit(*cpu_seconds, *memory_bytes).map_err(io::Error::from).and_then(|()| compile())
        }
        _ => Err(io::Error::other("this is for runner itself: it takes processor time and memory")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(BROKEN)
        }
    }
}

fn compile() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let settings = wire::read_head(&mut input)?;
    let mut wasm = Vec::new();
    input.take(u64::try_from(COMPONENT_BYTES_MAX).unwrap_or(u64::MAX)).read_to_end(&mut wasm)?;
    match engine::compiler(settings.stack_bytes_max).and_then(|engine| engine.precompile_component(&wasm)) {
        Ok(code) => wire::answer(&mut output, wire::CODE, &code),
        Err(error) => wire::answer(&mut output, wire::REASON, chain(&error).as_bytes()),
    }
}

/// Nothing that follows takes more than this, and nothing can raise it again.
#[cfg(unix)]
fn limit(cpu_seconds: u64, memory_bytes: u64) -> rustix::io::Result<()> {
    use runner_model::limits::COMPILE_NICE;
    use rustix::process::{Resource, Rlimit, nice, setrlimit};

    /// Standard input, output and error.
    const FILES: u64 = 3;
    let hard = |resource, most: u64| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    // The signal of the soft limit says what happened; the hard one is for whoever does not heed it.
    setrlimit(Resource::Cpu, Rlimit { current: Some(cpu_seconds), maximum: Some(cpu_seconds.saturating_add(1)) })?;
    // What is written to, and not what is merely reserved: code and guard pages would count as the latter.
    hard(Resource::Data, memory_bytes)?;
    hard(Resource::Core, 0)?;
    hard(Resource::Fsize, 0)?;
    hard(Resource::Nofile, FILES)?;
    nice(COMPILE_NICE).map(|_| ())
}

#[cfg(not(unix))]
fn limit(_: u64, _: u64) -> io::Result<()> {
    Err(io::Error::other("there are no limits for processes here"))
}
