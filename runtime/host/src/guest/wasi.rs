//! WASI 0.2 with nothing behind it: no directory, no environment, no arguments, no socket, no name lookup. What a guest
//! prints becomes log lines; the time of day is the host's.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use runner_model::Clock;
use runner_model::limits::{GuestLimits, RANDOM_BYTES_MAX};
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::Guest;
use super::log::Sink;
use crate::attempt::LogLevel;

/// Resources that one guest may hold: streams, pollables, clocks. Enough for a program, too few to fill the host.
const RESOURCES_MAX: usize = 1_000;

/// A guest's WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| Box::new(Wasi::new(&self.log, &self.clock, &self.limits.guest)));
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

impl Wasi {
    fn new(log: &Arc<Sink>, clock: &Arc<dyn Clock>, limits: &GuestLimits) -> Self {
        let printer = |level| Printer {
            log: Arc::clone(log),
            level,
            line_bytes_max: limits.log_line_bytes_max,
            unfinished: Arc::default(),
        };
        let context = WasiCtxBuilder::new()
            .stdout(printer(LogLevel::Info))
            .stderr(printer(LogLevel::Warn))
            .wall_clock(WallClock(Arc::clone(clock)))
            .max_random_size(RANDOM_BYTES_MAX as u64)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .allow_blocking_current_thread(false)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self { context, table }
    }
}

struct WallClock(Arc<dyn Clock>);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(super::now_ms(&*self.0))
    }
}

/// Makes lines of what a guest prints.
#[derive(Clone)]
struct Printer {
    log: Arc<Sink>,
    level: LogLevel,
    line_bytes_max: usize,
    unfinished: Arc<Mutex<Vec<u8>>>,
}

impl Printer {
    fn print(&self, bytes: &[u8]) {
        let mut unfinished = self.unfinished.lock();
        for byte in bytes {
            // A line that never ends is printed in pieces.
            if *byte == b'\n' || unfinished.len() >= self.line_bytes_max {
                self.line(&mut unfinished);
            }
            if *byte != b'\n' {
                unfinished.push(*byte);
            }
        }
    }

    fn line(&self, unfinished: &mut Vec<u8>) {
        self.log.line(self.level, &String::from_utf8_lossy(unfinished), &[]);
        unfinished.clear();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let mut unfinished = self.unfinished.lock();
        if Arc::strong_count(&self.unfinished) == 1 && !unfinished.is_empty() {
            self.line(&mut unfinished);
        }
    }
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Printer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
