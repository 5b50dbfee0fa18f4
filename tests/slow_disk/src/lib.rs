//! A disk whose flushes take longer. Loaded into a process before the C library (`LD_PRELOAD`), it lets `fsync` and
//! `fdatasync` return so many microseconds after the flush as `SLOW_DISK_US` says. The disk of a virtual machine often
//! flushes in 0.1 ms, a volume over a network in 1 ms and more: a measurement shall not depend on having one at hand.
//!
//! It knows nothing of whom it slows down, and keeps nothing of what they write.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "it takes the place of two functions of the C library")]

use std::ffi::{c_int, c_long};
use std::sync::LazyLock;
use std::time::Duration;

/// How much longer a flush takes.
static LONGER: LazyLock<Duration> = LazyLock::new(|| {
    #[allow(clippy::disallowed_methods, reason = "a library that is put before another one has nothing else to read")]
    let text = std::env::var("SLOW_DISK_US").unwrap_or_default();
    Duration::from_micros(text.parse().unwrap_or(0))
});

/// Flushes a file, and waits.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(file: c_int) -> c_int {
    flush(libc::SYS_fsync, file)
}

/// Flushes a file's content, and waits.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(file: c_int) -> c_int {
    flush(libc::SYS_fdatasync, file)
}

fn flush(call: c_long, file: c_int) -> c_int {
    // SAFETY: nothing but a number is passed, and the kernel looks whether it names a file.
    if unsafe { libc::syscall(call, file) } != 0 {
        return -1;
    }
    std::thread::sleep(*LONGER);
    0
}
