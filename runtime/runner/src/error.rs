//! What a command can fail with: a code, a sentence, the causes, and what to do.

use runner_executor::{ControlError, ExecutorError, RequestError};
use runner_host::HostError;
use runner_model::{Code, Failure, code};
use runner_pack::ParameterError;
use runner_store::StoreError;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Exit;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CliError {
    /// The status that the process ends with.
    pub(crate) exit: Exit,
    /// Everything that is wrong, at least one thing.
    pub(crate) mistakes: Vec<Mistake>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    /// A stable code.
    pub(crate) code: String,
    /// A lowercase sentence.
    pub(crate) message: String,
    /// What led to it, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) causes: Vec<String>,
    /// Data that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Value>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl Mistake {
    /// A mistake with one of runner's codes.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.id().to_owned(), message: message.into(), causes: Vec::new(), details: None, hint: None }
    }

    /// The same with a hint, if there is one.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl CliError {
    /// One mistake.
    pub(crate) fn new(exit: Exit, code: Code, message: impl Into<String>) -> Self {
        Self { exit, mistakes: vec![Mistake::new(code, message)] }
    }

    /// With a hint for the last mistake.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    /// With a hint for the last mistake, if there is one.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        if let Some(last) = self.mistakes.last_mut() {
            last.hint = hint;
        }
        self
    }

    /// With the chain of what led to it.
    pub(crate) fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
        if let Some(last) = self.mistakes.last_mut() {
            last.causes.extend(chain);
        }
        self
    }

    /// A failure of the host, the executor or an action.
    pub(crate) fn of_failure(exit: Exit, failure: &Failure) -> Self {
        let (code, message) = (failure.code.clone(), failure.message.clone());
        let (details, hint) = (failure.details.clone(), failure.hint.clone());
        let mistake = Mistake { code, message, causes: Vec::new(), details, hint };
        Self { exit, mistakes: vec![mistake] }
    }

    /// Parameters that do not fit.
    pub(crate) fn of_parameters(mistakes: &[ParameterError]) -> Self {
        let mistake = |error: &ParameterError| Mistake::new(error.code, &error.message).maybe_hint(error.hint.clone());
        Self { exit: Exit::Usage, mistakes: mistakes.iter().map(mistake).collect() }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::NotFound | StoreError::NoSecret(_) => Exit::NotFound,
            StoreError::ShortPrefix { .. } => Exit::Usage,
            _ => Exit::Broken,
        };
        Self::new(exit, error.code(), error.to_string()).hint(error.hint())
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        Self::new(Exit::Broken, code::HOST_OTHER, error.to_string())
            .hint("run `runner doctor`; the engine reserves address space, so look at `ulimit -v` too")
    }
}

impl From<RequestError> for CliError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Begin(error) => error.into(),
            RequestError::Parameters { mistakes, .. } => Self::of_parameters(&mistakes),
            RequestError::UnknownAction { .. } => {
                Self::new(Exit::NotFound, error.code(), error.to_string()).maybe_hint(error.hint())
            }
            RequestError::Disabled { .. } | RequestError::NotGranted { .. } => {
                Self::new(Exit::Invalid, error.code(), error.to_string()).maybe_hint(error.hint())
            }
            RequestError::Full { .. } | RequestError::Draining => {
                Self::new(Exit::Broken, error.code(), error.to_string()).maybe_hint(error.hint())
            }
            RequestError::Exists { .. } => {
                Self::new(Exit::Usage, error.code(), error.to_string()).maybe_hint(error.hint())
            }
        }
    }
}

impl From<ControlError> for CliError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Executor(error) => error.into(),
            other => Self::new(Exit::Usage, other.code(), other.to_string()).maybe_hint(other.hint()),
        }
    }
}

impl From<ExecutorError> for CliError {
    fn from(error: ExecutorError) -> Self {
        match error {
            ExecutorError::Store(error) => error.into(),
            other => {
                Self::new(Exit::Broken, other.code(), other.to_string()).maybe_hint(other.hint().map(str::to_owned))
            }
        }
    }
}
