//! Where something belongs in a trace: a `traceparent` of W3C Trace Context.
//!
//! An execution that nobody gave a trace is one itself: its id has as many bytes. The span of an attempt follows from the
//! attempt, so that both can be found again without anything being kept.

use std::fmt;
use std::str::FromStr;

use runner_model::{AttemptNumber, ExecutionId};
use sha2::{Digest as _, Sha256};

/// A trace and a span of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of W3C Trace Context")]
pub struct NotATraceParent;

impl TraceParent {
    /// The span of an attempt, within the trace `around` it if there is one. `key` is its idempotency key.
    #[must_use]
    pub fn of_attempt(around: Option<Self>, execution: ExecutionId, key: &str, attempt: AttemptNumber) -> Self {
        let mut digest = Sha256::new();
        digest.update(execution.as_bytes());
        digest.update(key.as_bytes());
        digest.update(attempt.0.to_be_bytes());
        let span = digest.finalize().first_chunk::<8>().copied().unwrap_or([1; 8]);
        let own = Self { trace: *execution.as_bytes(), span, flags: 1 };
        around.map_or(own, |around| Self { span, ..around })
    }

    /// Another span of the same trace: for a request.
    #[must_use]
    pub fn fresh_span(&self) -> Self {
        let mut span = [0; 8];
        // Without randomness the request belongs to the attempt itself.
        match getrandom::fill(&mut span) {
            Ok(()) if span != [0; 8] => Self { span, ..*self },
            _ => *self,
        }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", hex::encode(self.trace), hex::encode(self.span), self.flags)
    }
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    /// Reads version 00, and of later versions the part that is the same.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_lowercase = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(NotATraceParent);
        let [version] = bytes(part()?)?;
        let parsed = Self { trace: bytes(part()?)?, span: bytes(part()?)?, flags: bytes::<1>(part()?)?[0] };
        let is_whole = parts.next().is_none() || version > 0;
        let is_real = version != 0xff && parsed.trace != [0; 16] && parsed.span != [0; 8];
        if is_lowercase && is_whole && is_real { Ok(parsed) } else { Err(NotATraceParent) }
    }
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], NotATraceParent> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| NotATraceParent)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written_again() {
        assert_eq!(GIVEN.parse::<TraceParent>().unwrap().to_string(), GIVEN);
        let later = format!("cc-{}-what-comes-later", &GIVEN[3..]);
        assert_eq!(later.parse::<TraceParent>().unwrap().to_string(), GIVEN);
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let zero_trace = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let zero_span = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        let forbidden = GIVEN.replacen("00", "ff", 1);
        let more = format!("{GIVEN}-00");
        for text in ["", "00", zero_trace, zero_span, &forbidden, &more, &GIVEN.to_uppercase(), &GIVEN[..54], "00-é"] {
            assert_eq!(text.parse::<TraceParent>(), Err(NotATraceParent), "{text}");
        }
    }

    #[test]
    fn attempts_have_spans_of_their_own_in_the_trace_around_them() {
        let around: TraceParent = GIVEN.parse().unwrap();
        let id = ExecutionId::from_bytes([7; 16]);
        let first = TraceParent::of_attempt(Some(around), id, "k", AttemptNumber(1));
        let second = TraceParent::of_attempt(Some(around), id, "k", AttemptNumber(2));
        assert_eq!(first, TraceParent::of_attempt(Some(around), id, "k", AttemptNumber(1)));
        assert!(first != second && first.trace == around.trace && first.span != around.span);
        assert_eq!(TraceParent::of_attempt(None, id, "k", AttemptNumber(1)).trace, [7; 16]);
        assert_ne!(first.fresh_span().span, first.fresh_span().span);
    }
}
