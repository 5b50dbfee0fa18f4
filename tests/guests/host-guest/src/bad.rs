//! What no action should do.

use serde_json::Value;

use crate::runner::plugin::{clock, log};

pub fn loop_forever() -> Value {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

pub fn allocate_forever() -> Value {
    let mut kept = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1_u8; 1024 * 1024]));
    }
}

#[allow(unconditional_recursion, reason = "that is the point")]
pub fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 32]);
    if depth == 0 { 0 } else { 1 + std::hint::black_box(recurse(frame[7] - 1)) }
}

pub fn call_host_forever() -> Value {
    loop {
        std::hint::black_box(clock::now_ms());
    }
}

pub fn pass_much(bytes: u64) -> Value {
    let message = "x".repeat(bytes as usize);
    log::emit(log::Level::Info, &message, &[]);
    Value::Null
}

/// A JSON string of `input` bytes. The input is not parsed, so that nothing else takes memory.
pub fn big_result(input: &str) -> String {
    let digits: String = input.chars().filter(char::is_ascii_digit).collect();
    let bytes: usize = digits.parse().unwrap_or(0);
    let mut text = String::with_capacity(bytes);
    text.push('"');
    text.extend(std::iter::repeat_n('x', bytes.saturating_sub(2)));
    text.push('"');
    text
}
