//! WASI 0.2 with nothing behind it: no directory, no environment, no arguments, no socket, no name lookup. What a guest
//! prints becomes log lines; the time of day is the host's; requests go through the egress door (`http` below).

mod http;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use runner_model::Clock;
use runner_model::limits::{GuestLimits, RANDOM_BYTES_MAX, RESOURCES_MAX, WASI_FIELDS_BYTES_MAX};
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use self::http::Door;
use super::Guest;
use super::log::Sink;
use crate::attempt::LogLevel;

/// A guest's WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    http: WasiHttpCtx,
    door: Door,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let wasi = self.wasi();
        WasiHttpCtxView { ctx: &mut wasi.http, table: &mut wasi.table, hooks: &mut wasi.door }
    }
}

impl Guest {
    /// Its WASI, for one more call.
    fn wasi(&mut self) -> &mut Wasi {
        self.count_wasi();
        let make = || {
            let door = Door {
                pack: Arc::clone(&self.attempt.pack),
                observer: Arc::clone(&self.attempt.observer),
                log: Arc::clone(&self.log),
                limits: Arc::clone(&self.limits),
                span: self.attempt.span(),
                origin: self.attempt.origin(),
                until: self.until,
            };
            Box::new(Wasi::new(&self.log, &self.clock, &self.limits.guest, door))
        };
        self.wasi.get_or_insert_with(make)
    }
}

impl Wasi {
    fn new(log: &Arc<Sink>, clock: &Arc<dyn Clock>, limits: &GuestLimits, door: Door) -> Self {
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
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(WASI_FIELDS_BYTES_MAX);
        Self { context, http, door, table }
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
