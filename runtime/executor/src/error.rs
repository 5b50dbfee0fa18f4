//! What can go wrong before an execution begins, and while one is driven.

use std::time::Duration;

use runner_engine::Mismatch;
use runner_model::{ActionRef, Code, ExecutionId, code};
use runner_pack::ParameterError;
use runner_store::StoreError;

use crate::catalogue::NotGranted;

/// Why a request was refused. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no such action.
    #[error("there is no action `{action}`")]
    UnknownAction {
        /// The action that was asked for.
        action: ActionRef,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// The action is there and may not be run.
    #[error("the action `{action}` is disabled")]
    Disabled {
        /// The action.
        action: ActionRef,
    },
    /// It needs something that was not granted.
    #[error("`{action}` cannot do its work: {}", needs(missing))]
    NotGranted {
        /// The action.
        action: ActionRef,
        /// The packs that lack a grant.
        missing: Vec<NotGranted>,
    },
    /// The parameters do not fit the action's.
    #[error("the parameters do not fit `{action}`: {}", list(mistakes))]
    Parameters {
        /// The action.
        action: ActionRef,
        /// Every mistake.
        mistakes: Vec<ParameterError>,
    },
    /// As many executions are at work, or wait for a place, as are allowed.
    #[error("as many executions are at work as are allowed")]
    Full {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The process stops.
    #[error("the process stops and begins nothing new")]
    Draining,
    /// There is an execution with this id already: nothing was begun.
    #[error("there is an execution {id} already")]
    Exists {
        /// The execution.
        id: ExecutionId,
    },
    /// It could not be recorded.
    #[error(transparent)]
    Begin(ExecutorError),
}

fn needs(missing: &[NotGranted]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn list(mistakes: &[ParameterError]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl RequestError {
    /// Its stable code: for parameters, that of the first mistake.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownAction { .. } => code::EXEC_UNKNOWN_ACTION,
            Self::Disabled { .. } => code::EXEC_DISABLED,
            Self::NotGranted { missing, .. } => missing.first().map_or(code::PACK_NOT_GRANTED, NotGranted::code),
            Self::Parameters { mistakes, .. } => mistakes.first().map_or(code::PARAM_INVALID, |mistake| mistake.code),
            Self::Full { .. } => code::EXEC_FULL,
            Self::Draining => code::EXEC_DRAINING,
            Self::Exists { .. } => code::EXEC_EXISTS,
            Self::Begin(error) => error.code(),
        }
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownAction { hint, .. } => hint.clone(),
            Self::Disabled { .. } => Some("set `enabled: true` in the action's file".to_owned()),
            Self::NotGranted { missing, .. } => {
                let commands: Vec<_> = missing.iter().map(|one| format!("`{}`", one.command)).collect();
                Some(format!("grant it: {}", commands.join(", then ")))
            }
            Self::Parameters { action, mistakes } => {
                let own = mistakes.iter().find_map(|mistake| mistake.hint.clone());
                Some(own.unwrap_or_else(|| format!("see `runner exec {action} --help`")))
            }
            Self::Full { retry_after } => {
                Some(format!("ask again in {} s, or let more be at work: `queue_max`", retry_after.as_secs().max(1)))
            }
            Self::Draining => Some("ask again when it has started anew".to_owned()),
            Self::Exists { id } => Some(format!("see `runner execution get {id}`")),
            Self::Begin(error) => error.hint().map(str::to_owned),
        }
    }
}

/// Why an execution could not be driven to its end. What is recorded of it stays, and it can be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The store failed, or gave the execution to somebody else.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal does not fit the pack that is installed.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The pack or the action is no longer installed.
    #[error("the action `{action}` of this execution is not installed")]
    Missing {
        /// The action.
        action: ActionRef,
    },
    /// It began with simulated systems and would go on with real ones, or the other way round.
    #[error("the execution {id} is {}", if *simulated { "simulated, and this process is not" } else { "real, and this process simulates" })]
    OtherWorld {
        /// The execution.
        id: ExecutionId,
        /// Whether it is simulated.
        simulated: bool,
    },
    /// Another process works on it.
    #[error("another process works on the execution {id}")]
    Owned {
        /// The execution.
        id: ExecutionId,
    },
    /// This process stops, and does not take the execution up for it.
    #[error("the process stops: the execution {id} is left as it stands")]
    Draining {
        /// The execution.
        id: ExecutionId,
    },
    /// The task that drove it ended without a result.
    #[error("the execution was not driven to its end")]
    Interrupted,
}

impl ExecutorError {
    /// Whether it is worth looking again a little later: the disk was full or busy, could not be read or written once, or
    /// somebody else took the execution, and may be done with it.
    pub(crate) const fn may_pass(&self) -> bool {
        use StoreError::{Busy, Fenced, Full, Io};
        matches!(self, Self::Store(Full | Busy | Fenced | Io { .. }))
    }

    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Mismatch(_) => code::EXEC_JOURNAL,
            Self::Missing { .. } => code::EXEC_UNKNOWN_ACTION,
            Self::OtherWorld { .. } => code::EXEC_SIMULATED,
            Self::Owned { .. } => code::EXEC_OWNED,
            Self::Draining { .. } => code::EXEC_DRAINING,
            Self::Interrupted => code::EXEC_UNKNOWN_OUTCOME,
        }
    }

    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => Some(error.hint()),
            Self::Mismatch(_) => Some("install the version of the pack that the execution began with"),
            Self::Missing { .. } => Some("name the directory of its pack with `--packs DIR`"),
            Self::OtherWorld { .. } => Some("`runner execution resume` goes on as it began"),
            Self::Owned { .. } => Some("wait for it; if its process was killed, its lease runs out after 15 s"),
            Self::Draining { .. } => Some("ask again when it has started anew"),
            Self::Interrupted => None,
        }
    }
}
