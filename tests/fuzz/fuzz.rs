//! One target with libFuzzer: the one that the binary is called after.

#![no_main]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "a target fails by a panic")]

mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (_, target) = targets::TARGETS.iter().find(|(name, _)| *name == env!("CARGO_BIN_NAME")).unwrap();
    target(data);
});
