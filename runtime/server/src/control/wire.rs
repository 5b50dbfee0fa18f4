//! What is said between processes.

use http::StatusCode;
use runner_executor::{ControlError, Delayed, ExecutorError};
use runner_model::{Code, ExecutionId, ItemIndex, NodeId, PolicyRef, Status, StepId, code};
use serde::{Deserialize, Serialize};

/// Where an execution stands after it was asked something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// Which one.
    pub id: ExecutionId,
    /// How.
    pub status: Status,
}

/// A run that waits for a policy's leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The policy.
    pub policy: PolicyRef,
    /// How many are before it.
    pub ahead: usize,
    /// The step; none if it is the execution as a whole that has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The item, in a step that runs over a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemIndex>,
}

impl From<Delayed> for Turn {
    fn from(delayed: Delayed) -> Self {
        let Delayed { unit, policy, ahead } = delayed;
        Self { policy, ahead, step: unit.map(|unit| unit.step), item: unit.and_then(|unit| unit.item) }
    }
}

/// A process, and how much it has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub node: NodeId,
    /// Its number.
    pub pid: u32,
    /// Executions at work.
    pub at_work: usize,
    /// Executions that wait.
    pub parked: usize,
}

/// Why something was not done, after RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// A lowercase sentence.
    pub detail: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// With one of runner's codes.
    #[must_use]
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status: status.as_u16(), code: code.id().to_owned(), detail: detail.into(), hint: None }
    }

    /// The process gave the execution up, or is about to end: another one may do what was asked.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        self.status == 503
    }
}

impl From<&ControlError> for Problem {
    fn from(error: &ControlError) -> Self {
        let status = match error {
            ControlError::Answer(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ControlError::Executor(ExecutorError::Interrupted) => StatusCode::SERVICE_UNAVAILABLE,
            ControlError::Executor(ExecutorError::Owned { .. }) => StatusCode::CONFLICT,
            ControlError::Executor(ExecutorError::Missing { .. }) => StatusCode::FAILED_DEPENDENCY,
            ControlError::Executor(error) if error.code() == code::STORE_NOT_FOUND => StatusCode::NOT_FOUND,
            ControlError::Executor(_) => StatusCode::INTERNAL_SERVER_ERROR,
            ControlError::Ended { .. }
            | ControlError::Unfit { .. }
            | ControlError::NotWaiting { .. }
            | ControlError::Ambiguous { .. }
            | ControlError::Rerun(_) => StatusCode::CONFLICT,
        };
        Self { hint: error.hint(), ..Self::new(status, error.code(), error.to_string()) }
    }
}
