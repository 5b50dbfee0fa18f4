//! Searches the whole linear memory for texts that must not be there.

use serde_json::{Value, json};

use crate::host;

/// Sends the request in `request`, then searches for each of `needles`: pairs of halves, which are compared one after the
/// other and never put together, so that a needle is not found because of the search itself.
pub fn search(input: &Value) -> Value {
    let answer = host::http(&input["request"]);
    let bytes = core::arch::wasm32::memory_size(0) * 65_536;
    let found: Vec<u64> = input["needles"].as_array().into_iter().flatten().map(|needle| count(bytes, needle)).collect();
    json!({ "answer": answer, "found": found, "searched_bytes": bytes })
}

fn count(bytes: usize, needle: &Value) -> u64 {
    let half = |at: usize| needle[at].as_str().unwrap_or("").as_bytes();
    let (head, tail) = (half(0), half(1));
    let length = head.len() + tail.len();
    (1..=bytes.saturating_sub(length)).filter(|at| holds(*at, head) && holds(at + head.len(), tail)).count() as u64
}

fn holds(at: usize, text: &[u8]) -> bool {
    // Reading any byte of one's own linear memory is what this is about.
    text.iter().enumerate().all(|(i, byte)| unsafe { core::ptr::read_volatile((at + i) as *const u8) } == *byte)
}
