//! `[limits]`: what guests may use, as far as an operator changes it in the file.

use runner_model::Limits;
use runner_model::limits::{ACTION_TIMEOUT_MAX, PACK_REQUESTS_MAX};
use serde::Deserialize;
use toml::Spanned;

/// The limits that an operator changes most; the others stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLimits {
    /// Linear memory of an attempt, in bytes.
    memory_bytes_max: Option<Spanned<usize>>,
    /// Wall-clock time of an attempt whose action names none, in seconds.
    timeout: Option<Spanned<f64>>,
    /// Attempts at the same time.
    concurrency_max: Option<Spanned<u32>>,
    /// A result, in bytes of JSON.
    result_bytes_max: Option<Spanned<usize>>,
    /// Requests of one pack at the same time.
    pack_requests_max: Option<Spanned<usize>>,
}

impl WrittenLimits {
    /// Checks them; the place of a mistake is in the file.
    pub(super) fn apply(&self) -> Result<Limits, (std::ops::Range<usize>, &'static str)> {
        let mut limits = Limits::default();
        if let Some(bytes) = &self.memory_bytes_max {
            /// One page of WebAssembly.
            const PAGE_BYTES: usize = 64 * 1024;
            /// What 32-bit memories can address.
            const ADDRESSABLE_BYTES: usize = 4 * 1024 * 1024 * 1024;
            if !(PAGE_BYTES..=ADDRESSABLE_BYTES).contains(bytes.get_ref()) {
                return Err((bytes.span(), "the memory of an attempt is between 64 KiB and 4 GiB"));
            }
            limits.guest.memory_bytes_max = *bytes.get_ref();
        }
        if let Some(seconds) = &self.timeout {
            limits.guest.timeout = super::connection::seconds(*seconds.get_ref())
                .filter(|timeout| *timeout <= ACTION_TIMEOUT_MAX)
                .ok_or_else(|| (seconds.span(), "a timeout is more than 0 and at most 30 days"))?;
        }
        if let Some(count) = &self.concurrency_max {
            if !(1..=10_000).contains(count.get_ref()) {
                return Err((count.span(), "between 1 and 10000 attempts can run at the same time"));
            }
            limits.guest.concurrency_max = *count.get_ref();
        }
        if let Some(bytes) = &self.result_bytes_max {
            if *bytes.get_ref() == 0 {
                return Err((bytes.span(), "a result has at least one byte"));
            }
            limits.guest.result_bytes_max = *bytes.get_ref();
        }
        if let Some(count) = &self.pack_requests_max {
            if !(1..=PACK_REQUESTS_MAX).contains(count.get_ref()) {
                return Err((count.span(), "a pack can have between 1 and 1024 requests at the same time"));
            }
            limits.http.pack_requests_max = *count.get_ref();
        }
        Ok(limits)
    }
}

/// The same as a table that says what holds.
pub(super) fn dump(limits: &Limits) -> toml::Table {
    let guest = &limits.guest;
    let number = |value: usize| toml::Value::from(i64::try_from(value).unwrap_or(i64::MAX));
    let entries = [
        ("memory_bytes_max", number(guest.memory_bytes_max)),
        ("timeout", guest.timeout.as_secs_f64().into()),
        ("concurrency_max", i64::from(guest.concurrency_max).into()),
        ("result_bytes_max", number(guest.result_bytes_max)),
        ("pack_requests_max", number(limits.http.pack_requests_max)),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
