//! The parent's side: starts a child, feeds it, and bounds what comes back and how long that may take.

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;

use runner_model::limits::CompileLimits;
use runner_model::{Failure, code};

use super::ending::{self, Ending};
use super::watch::{Cut, Watch};
use super::{uncompilable, wire};

/// What a child says about its own failure, in bytes.
const COMPLAINT_BYTES_MAX: u64 = 4 * 1024;

/// What a child is started with.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) limits: CompileLimits,
    pub(super) stack_bytes_max: usize,
}

/// Has a component compiled. Whoever drops the future ends the child.
pub(super) async fn compile(order: Order, wasm: Arc<[u8]>) -> Result<Vec<u8>, Failure> {
    let watch = Arc::new(Watch::default());
    let _no_longer_wanted = watch.cut_on_drop();
    let ended = tokio::task::spawn_blocking(move || converse(&order, &wasm, &watch)).await;
    ended.unwrap_or_else(|_| Err(broken(&io::Error::other("its thread ended"))))
}

/// What a child said, and how it ended.
struct Said {
    status: ExitStatus,
    answer: Vec<u8>,
    complaint: Vec<u8>,
    cut: Option<Cut>,
}

fn converse(order: &Order, wasm: &[u8], watch: &Watch) -> Result<Vec<u8>, Failure> {
    let limits = &order.limits;
    let said = talk(order, wasm, watch).map_err(|error| broken(&error))?;
    match said.cut {
        Some(Cut::Late) => return Err(ending::failure(&Ending::Late, limits)),
        Some(Cut::TooLarge) => return Err(ending::failure(&Ending::TooLarge, limits)),
        // Nobody hears this.
        Some(Cut::Unwanted) => return Err(broken(&io::Error::other("it was called off"))),
        None => {}
    }
    let mut answer = said.answer;
    match answer.first() {
        Some(&wire::CODE) if said.status.success() => {
            answer.remove(0);
            Ok(answer)
        }
        Some(&wire::REASON) if said.status.success() => {
            Err(uncompilable(wasm, &String::from_utf8_lossy(answer.get(1..).unwrap_or_default())))
        }
        _ => Err(ending::failure(&Ending::of(said.status, &said.complaint), limits)),
    }
}

/// Sends and reads at the same time: a pipe holds less than either.
fn talk(order: &Order, wasm: &[u8], watch: &Watch) -> io::Result<Said> {
    let head = wire::head(&wire::Settings { stack_bytes_max: order.stack_bytes_max })?;
    let mut child = start(order)?;
    let (input, output, complaint) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let code_bytes_max = order.limits.code_bytes_max;
    let most = u64::try_from(code_bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    std::thread::scope(|scope| {
        scope.spawn(|| feed(input, &head, wasm));
        let complaining = scope.spawn(|| read(complaint, COMPLAINT_BYTES_MAX));
        let ending = scope.spawn(|| watch.end(&mut child, order.limits.time));
        let answer = read(output, most);
        let too_large = (answer.len() > code_bytes_max).then_some(Cut::TooLarge);
        if let Some(why) = too_large {
            watch.cut(why);
        }
        let joined = || io::Error::other("a thread of the compiler's parent failed");
        let (status, cut) = ending.join().map_err(|_| joined())??;
        // It may have ended before that, because nobody reads the rest.
        let cut = cut.or(too_large);
        Ok(Said { status, answer, complaint: complaining.join().map_err(|_| joined())?, cut })
    })
}

/// A child with nothing of this process: no environment, no directory, no file but the three pipes.
fn start(order: &Order) -> io::Result<Child> {
    Command::new(&order.program)
        .args(&order.arguments)
        .arg(order.limits.cpu.as_secs().max(1).to_string())
        .arg(order.limits.memory_bytes_max.to_string())
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Sends it all; a child that ends before it has read everything says why in another way.
fn feed(input: Option<ChildStdin>, head: &[u8], wasm: &[u8]) {
    let Some(mut input) = input else { return };
    if input.write_all(head).is_ok() {
        input.write_all(wasm).ok();
    }
}

/// Reads so many bytes at the most; what cannot be read is missing then.
fn read(from: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most).read_to_end(&mut bytes).ok();
    }
    bytes
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(code::HOST_COMPILE_CRASH, format!("the compiler cannot be started: {error}"))
}
