//! How a try of a step ended.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Code, Status};

/// Why something failed: what a program can branch on, and what a person has to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable code: one of runner's own (`E-HOST-0003`), or whatever the action chose.
    pub code: String,
    /// A lowercase sentence without a full stop, fit to follow "failed: ".
    pub message: String,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Data that belongs to the failure, as the action gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Whether the same attempt may succeed later without anything being changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retryable: bool,
}

impl Failure {
    /// A failure with one of runner's own codes.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.id().to_owned(), message: message.into(), hint: None, details: None, retryable: false }
    }

    /// The same failure with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// How an attempt ended. Every way an attempt can end is one of these: traps, limits and denied requests are `Failed`
/// with a code that says which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// The action returned a value.
    Succeeded {
        /// What it returned.
        result: Value,
    },
    /// The action returned an error, trapped, or was stopped at a limit.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// The action was stopped at its deadline.
    Timeout {
        /// Which deadline.
        failure: Failure,
    },
    /// The execution was cancelled while the action ran.
    Canceled,
    /// The process ended while the action ran: what it did is unknown.
    Abandoned {
        /// What is known.
        failure: Failure,
    },
}

impl Outcome {
    /// The status a step takes that ends this way.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Succeeded { .. } => Status::Succeeded,
            Self::Failed { .. } => Status::Failed,
            Self::Timeout { .. } => Status::Timeout,
            Self::Canceled => Status::Canceled,
            Self::Abandoned { .. } => Status::Abandoned,
        }
    }

    /// The same as it is read again: what is written as null is nothing when it is read.
    #[must_use]
    pub fn as_read(&self) -> Cow<'_, Self> {
        let has_null = self.failure().is_some_and(|failure| failure.details == Some(Value::Null));
        if !has_null {
            return Cow::Borrowed(self);
        }
        let mut tidy = self.clone();
        if let Self::Failed { failure } | Self::Timeout { failure } | Self::Abandoned { failure } = &mut tidy {
            failure.details = None;
        }
        Cow::Owned(tidy)
    }

    /// Why it did not succeed, if it did not and a reason is known.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed { failure } | Self::Timeout { failure } | Self::Abandoned { failure } => Some(failure),
            Self::Succeeded { .. } | Self::Canceled => None,
        }
    }
}
