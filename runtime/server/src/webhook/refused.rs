//! Why a delivery is not taken.

use runner_model::{Code, code};

/// A delivery that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// The stable code.
    pub code: Code,
    /// A lowercase sentence, fit for the one who sent it.
    pub reason: String,
}

impl Refused {
    /// A header that counts is not there.
    pub(super) fn missing(header: &str) -> Self {
        Self::signature(format!("the header {header} is missing"))
    }

    /// A header that counts stands more than once.
    pub(super) fn repeated(header: &str) -> Self {
        Self::signature(format!("the header {header} stands more than once"))
    }

    /// A header that counts cannot be read.
    pub(super) fn malformed(header: &str) -> Self {
        Self::signature(format!("the header {header} is not what the scheme says"))
    }

    /// The signature is not that of the body.
    pub(super) fn unfit() -> Self {
        Self::signature("the signature does not fit what was sent".to_owned())
    }

    /// It was signed by somebody who knows the secret, but not now.
    pub(super) fn untimely(reason: String) -> Self {
        Self { code: code::HOOK_REPLAY, reason }
    }

    /// The operator's secret cannot be used.
    pub(super) fn secret() -> Self {
        Self { code: code::HOOK_SECRET, reason: "the webhook has no secret that can be used".to_owned() }
    }

    const fn signature(reason: String) -> Self {
        Self { code: code::HOOK_SIGNATURE, reason }
    }
}
