//! What can be asked of an execution while it runs, waits, or has ended.

use runner_engine::RerunError;
use runner_model::{Code, ExecutionId, ItemIndex, RerunTask, Status, TaskName, code};
use runner_pack::AnswerError;
use runner_store::{AuditAction, Deed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ExecutorError;

/// Something that is asked of an execution. `by` says who asks, in a few words. This is also how one process writes it
/// for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Control {
    /// Begin nothing new; what runs ends.
    Pause {
        /// Who asks.
        by: String,
    },
    /// Go on after a pause.
    Resume {
        /// Who asks.
        by: String,
    },
    /// Stop: what runs is interrupted, what is to be undone is undone.
    Cancel {
        /// Who asks.
        by: String,
    },
    /// The answer to what a step waits for.
    Respond {
        /// Who answers.
        by: String,
        /// The task that waits; none if only one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskName>,
        /// The item that waits; none if only one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<ItemIndex>,
        /// The answer.
        answer: Value,
    },
    /// An event came for the steps that wait for its key.
    Event {
        /// Where it came from.
        by: String,
        /// Its key.
        key: String,
        /// What it brought.
        payload: Value,
    },
    /// Run parts of an ended execution again.
    Rerun {
        /// Who asks.
        by: String,
        /// Which tasks; none of them means those that failed.
        #[serde(default)]
        tasks: Vec<RerunTask>,
    },
}

impl Control {
    /// How it is logged that somebody asks this. What an answer or an event brings is not: it may be secret.
    #[must_use]
    pub fn deed(&self, id: ExecutionId) -> Deed {
        let (action, details) = match self {
            Self::Pause { .. } => (AuditAction::ExecutionPause, json!({})),
            Self::Resume { .. } => (AuditAction::ExecutionResume, json!({})),
            Self::Cancel { .. } => (AuditAction::ExecutionCancel, json!({})),
            Self::Respond { task, item, .. } => {
                (AuditAction::ExecutionRespond, json!({ "task": task, "item": item.map(|item| item.0) }))
            }
            // What ties it to the execution may be secret, and stands in its journal.
            Self::Event { .. } => (AuditAction::EventSend, json!({})),
            Self::Rerun { tasks, .. } => {
                let tasks: Vec<_> = tasks.iter().map(|rerun| rerun.task.as_str()).collect();
                (AuditAction::ExecutionRerun, json!({ "tasks": tasks }))
            }
        };
        Deed::new(action, id.to_string(), details)
    }
}

/// Why something that was asked of an execution was not done. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It has ended.
    #[error("the execution {id} has ended: it is {status}")]
    Ended {
        /// The execution.
        id: ExecutionId,
        /// How it ended.
        status: Status,
    },
    /// That cannot be asked of it now.
    #[error("the execution {id} is {status}: it cannot be {what}")]
    Unfit {
        /// The execution.
        id: ExecutionId,
        /// Where it stands.
        status: Status,
        /// What was asked: `paused`, `resumed`.
        what: &'static str,
    },
    /// It does not wait for such a thing.
    #[error("the execution {id} does not wait for that")]
    NotWaiting {
        /// The execution.
        id: ExecutionId,
        /// What it does wait for.
        hint: String,
    },
    /// Several of its steps wait.
    #[error("several steps of the execution {id} wait: say which")]
    Ambiguous {
        /// The execution.
        id: ExecutionId,
        /// The steps.
        hint: String,
    },
    /// The answer does not fit.
    #[error("the answer does not fit what was asked: {0}")]
    Answer(AnswerError),
    /// It cannot be run again from there.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// It could not be reached, or the answer not be recorded.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
}

impl ControlError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Ended { .. } => code::EXEC_ENDED,
            Self::Unfit { .. } | Self::NotWaiting { .. } | Self::Ambiguous { .. } => code::EXEC_NOT_WAITING,
            Self::Answer(_) => code::EXEC_BAD_ANSWER,
            Self::Rerun(RerunError::NotEnded { .. }) => code::EXEC_NOT_ENDED,
            Self::Rerun(_) => code::EXEC_RERUN,
            Self::Executor(error) => error.code(),
        }
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ended { .. } => Some("`runner execution rerun` runs an ended execution again".to_owned()),
            Self::Unfit { .. } => None,
            Self::NotWaiting { hint, .. } | Self::Ambiguous { hint, .. } => Some(hint.clone()),
            Self::Answer(error) => error.hint.clone(),
            Self::Rerun(RerunError::NotEnded { .. }) => Some("wait for its end, or cancel it".to_owned()),
            Self::Rerun(RerunError::NothingFailed) => Some("name tasks with `--tasks`".to_owned()),
            Self::Rerun(_) => Some("run it anew: `runner execution rerun ID` without `--tasks`".to_owned()),
            Self::Executor(error) => error.hint().map(str::to_owned),
        }
    }
}
