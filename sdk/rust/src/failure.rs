//! Why an action did not succeed, as a value.

use std::any::Any;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{http, kv};

/// What a fallible function of a pack returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why something failed: what a workflow can branch on, and what a person has to read.
///
/// Every error converts into it with `?`. Those of the host keep their code: a request that was not granted fails with
/// `E-NET-0001`, as the operator finds it in the documentation. Any other error has the code `error`.
///
/// ```
/// use runner_sdk::prelude::*;
///
/// fn parse(size: &str) -> Result<u64> {
///     if size.is_empty() {
///         bail!("no-size", "the size is empty");
///     }
///     Ok(size.parse::<u64>()?)
/// }
///
/// assert_eq!(parse("").unwrap_err().code, "no-size");
/// assert_eq!(parse("x").unwrap_err().to_string(), "error: invalid digit found in string");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// A stable word that workflows can branch on, such as `not-found`. Codes that begin with `E-` are runner's.
    pub code: String,
    /// A lowercase sentence without a full stop, fit to follow "failed: ".
    pub message: String,
    /// Whether the same call may succeed later without anything being changed.
    pub retryable: bool,
    // Boxed: a `Value` is large, and every `Result` of a pack carries one of these.
    details: Option<Box<Value>>,
}

impl Failure {
    /// A failure that will not go away by trying again.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: false, details: None }
    }

    /// The same failure with data that belongs to it. What cannot be written as JSON is left out.
    #[must_use]
    pub fn with_details(mut self, details: impl Serialize) -> Self {
        self.details = serde_json::to_value(details).ok().map(Box::new);
        self
    }

    /// The same failure, worth another try.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The data that belongs to it.
    #[must_use]
    pub fn details(&self) -> Option<&Value> {
        self.details.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

// `Failure` itself is not a `std::error::Error`; if it were, this could not be written for all errors.
impl<E: std::error::Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &dyn Any = &error;
        if let Some(error) = any.downcast_ref::<http::Error>() {
            return error.to_failure();
        }
        if let Some(error) = any.downcast_ref::<kv::Error>() {
            return error.to_failure();
        }
        let code = if any.is::<serde_json::Error>() { "bad-json" } else { "error" };
        Self::new(code, with_causes(&error))
    }
}

/// The error's sentence and those of its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors repeat their cause in their own sentence.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Returns early with a [`Failure`](crate::Failure): a code, then a format string.
///
/// ```
/// # use runner_sdk::prelude::*;
/// fn check(size: u64) -> Result<()> {
///     if size == 0 {
///         bail!("too-small", "a size of {size} bytes is too small");
///     }
///     Ok(())
/// }
/// # assert_eq!(check(0).unwrap_err().message, "a size of 0 bytes is too small");
/// ```
#[macro_export]
macro_rules! bail {
    ($code:expr, $($message:tt)+) => {
        return ::core::result::Result::Err($crate::Failure::new($code, ::std::format!($($message)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_becomes_a_failure_with_its_causes() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cannot read the size")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let failure = Failure::from(Outer("x".parse::<u8>().unwrap_err()));
        assert_eq!(failure.to_string(), "error: cannot read the size: invalid digit found in string");
        assert!(!failure.retryable);
    }

    #[test]
    fn a_hosts_error_keeps_its_code() {
        let error = http::Error::new(http::ErrorKind::Timeout, "E-NET-0007", "no answer after 30 s");
        let failure = Failure::from(error);
        assert_eq!((failure.code.as_str(), failure.retryable), ("E-NET-0007", true));
    }

    #[test]
    fn unreadable_json_says_so() {
        let error = serde_json::from_str::<u8>("{").unwrap_err();
        assert_eq!(Failure::from(error).code, "bad-json");
    }
}
