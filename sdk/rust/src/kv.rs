//! Key-value data of the pack, which outlives the execution.
//!
//! Values are whatever serde can write as JSON. A pack sees only its own keys, and needs `permissions: {kv: read_write}`.
//!
//! ```no_run
//! # use runner_sdk::prelude::*;
//! # fn f() -> Result<()> {
//! let seen: u64 = kv::get("seen")?.unwrap_or(0);
//! kv::set("seen", &(seen + 1))?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, host, json};

/// Why an operation was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The pack has no permission for this. Says which line to add.
    Denied(String),
    /// The key or the value is larger than allowed. Says the limit.
    TooLarge(String),
    /// The value cannot be written as JSON, or the stored one is of another type. Says where.
    BadValue(String),
    /// The store failed.
    Store(String),
}

impl Error {
    pub(crate) fn to_failure(&self) -> Failure {
        match self {
            Self::Denied(message) => Failure::new("kv-denied", message),
            Self::TooLarge(message) => Failure::new("kv-too-large", message),
            Self::BadValue(message) => Failure::new("kv-bad-value", message),
            Self::Store(message) => Failure::new("kv-store", message).retryable(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Denied(text) | Self::TooLarge(text) | Self::BadValue(text) | Self::Store(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Error {}

/// The value of a key; none if it is not there or has expired.
///
/// # Errors
/// Refused, or the value is of another type.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let Some(text) = host::kv_get(key)? else { return Ok(None) };
    let misfit = |misfit| Error::BadValue(format!("the value of the key `{key}`: {misfit}"));
    json::read(text.as_bytes()).map(Some).map_err(misfit)
}

/// Sets a key, for ever.
///
/// # Errors
/// Refused.
pub fn set(key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
    host::kv_set(key, &to_json(value)?, None)
}

/// Sets a key that expires after `ttl`, in whole seconds, rounded up.
///
/// # Errors
/// Refused.
pub fn set_for(key: &str, value: &(impl Serialize + ?Sized), ttl: Duration) -> Result<(), Error> {
    host::kv_set(key, &to_json(value)?, Some(seconds(ttl)))
}

/// Removes a key. Returns whether it was there.
///
/// # Errors
/// Refused.
pub fn delete(key: &str) -> Result<bool, Error> {
    host::kv_delete(key)
}

/// Sets a key to `value` only if it holds `expected` now; none means "is not there", on both sides. Returns whether it did.
/// With a `ttl` the new value expires.
///
/// # Errors
/// Refused.
pub fn compare_and_swap<T: Serialize + ?Sized>(
    key: &str,
    expected: Option<&T>,
    value: Option<&T>,
    ttl: Option<Duration>,
) -> Result<bool, Error> {
    let expected = expected.map(to_json).transpose()?;
    let value = value.map(to_json).transpose()?;
    host::kv_compare_and_swap(key, expected.as_deref(), value.as_deref(), ttl.map(seconds))
}

/// Keys that begin with `prefix`, sorted, at most `limit` of them.
///
/// # Errors
/// Refused.
pub fn keys(prefix: &str, limit: u32) -> Result<Vec<String>, Error> {
    host::kv_keys(prefix, limit)
}

fn to_json(value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
    json::write(value).map_err(|error| Error::BadValue(error.to_string()))
}

fn seconds(ttl: Duration) -> u64 {
    ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0)
}
