//! Signed deliveries: whether a request was made by somebody who knows the secret of its webhook, and what its rules see
//! of it.
//!
//! - **What is signed are the bytes that came**, before anything reads them.
//! - **Signatures are compared in constant time**, with every secret there is: while a secret is replaced two hold.
//! - **A header that counts stands once**: what stands twice is read one way here and another way elsewhere.
//! - **A refusal says which rule was broken and nothing that helps to keep it**: no part of a signature that would fit.
//!   That a time is too old is said only to who signed it.
//!
//! Nothing here listens, reads a configuration or knows a rule.

mod challenge;
mod github;
mod header;
mod mac;
mod payload;
mod plain;
mod refused;
mod slack;
mod standard;
mod stripe;
mod window;

use std::time::Duration;

use http::HeaderMap;
use runner_model::{Secret, Timestamp};
use runner_pack::Scheme;

pub use challenge::challenge;
pub use header::{delivery, own_headers};
pub use payload::{Arrived, Unreadable, payload};
pub use refused::Refused;

/// A delivery that was signed by somebody who knows the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What makes it the same as another one: what the sender repeats when it tries again.
    pub delivery: Option<String>,
    /// When it was signed, where that is signed too.
    pub timestamp: Option<Timestamp>,
}

/// Checks the signature of a delivery by one of `secrets`, and that it was made at most `window` before or after `now`,
/// where the scheme signs the time.
///
/// # Errors
/// The first rule that is broken.
pub fn verify(
    scheme: &Scheme,
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    window: Duration,
) -> Result<Verified, Refused> {
    match scheme {
        Scheme::GitHub => github::verify(secrets, headers, body),
        Scheme::Stripe => stripe::verify(secrets, headers, body, now, window),
        Scheme::StandardWebhooks => standard::verify(secrets, headers, body, now, window),
        Scheme::Slack => slack::verify(secrets, headers, body, now, window),
        Scheme::Plain { header, prefix, encoding, algorithm } => {
            plain::verify(header, prefix, *encoding, *algorithm, secrets, headers, body)
        }
    }
}

#[cfg(test)]
mod tests;
