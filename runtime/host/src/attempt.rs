//! What the executor hands in for one attempt, and what it hears of it while it runs.

use std::sync::Arc;
use std::time::Duration;

use runner_model::{ActionRef, AttemptNumber, ExecutionId, PackRef, Permissions, StepId};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::egress::Connections;
use crate::grant::CurrentGrant;
use crate::kv::Kv;
use crate::trace::TraceParent;
use crate::traffic::Origin;

/// One attempt of one step.
pub struct Attempt {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// The action, as the guest and the log see it.
    pub action: ActionRef,
    /// The name that the component knows the action by: the `entry_point` of its metadata.
    pub function: String,
    /// Which try of the step this is.
    pub number: AttemptNumber,
    /// The same for all tries of a step and for no other step.
    pub idempotency_key: String,
    /// What its span is named by; none is the idempotency key.
    pub span_key: Option<String>,
    /// The parameters: an object.
    pub input: Value,
    /// Wall-clock time for the attempt, the wait for a free place included.
    pub timeout: Duration,
    /// What the last heartbeat of an earlier attempt of the step said.
    pub last_heartbeat: Option<String>,
    /// The trace around it; none makes its execution one.
    pub trace: Option<TraceParent>,
    /// Stops the attempt at once, its requests included.
    pub cancel: CancellationToken,
    /// The pack it belongs to.
    pub pack: Arc<PackContext>,
    /// Who hears of it.
    pub observer: Arc<dyn Observer>,
}

impl Attempt {
    /// Its own span.
    pub(crate) fn span(&self) -> TraceParent {
        let key = self.span_key.as_ref().unwrap_or(&self.idempotency_key);
        TraceParent::of_attempt(self.trace, self.execution, key, self.number)
    }

    /// Whose its requests are.
    pub(crate) fn origin(&self) -> Origin {
        Origin { action: self.action.to_string(), key: self.idempotency_key.clone() }
    }
}

/// What attempts of one pack have in common.
pub struct PackContext {
    /// The pack.
    pub pack: PackRef,
    /// Its version, as written in `pack.yaml`: goes into the `user-agent` header.
    pub version: String,
    /// What the pack asks for.
    pub permissions: Permissions,
    /// What the operator granted, as it was when the attempt began.
    pub grant: Permissions,
    /// The same as it is now: what was taken back meanwhile is not allowed any more. None: it does not change.
    pub current: Option<CurrentGrant>,
    /// Its checked configuration: a JSON object.
    pub config: String,
    /// Where its key-value data is kept.
    pub kv: Arc<dyn Kv>,
    /// The connections of the process.
    pub connections: Connections,
}

/// Hears what an attempt says while it runs. Called from the attempt's own task: an observer that takes long holds it up.
pub trait Observer: Send + Sync {
    /// A log line: control characters escaped, cut, within the attempt's number of lines.
    fn log(&self, line: LogLine);
    /// A heartbeat's progress: JSON, if the guest keeps to the contract.
    fn heartbeat(&self, progress: &str);
    /// A request that ended, in an answer or an error.
    fn request(&self, summary: RequestSummary);
}

/// An observer that listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deaf;

impl Observer for Deaf {
    fn log(&self, _: LogLine) {}
    fn heartbeat(&self, _: &str) {}
    fn request(&self, _: RequestSummary) {}
}

/// One line of an attempt's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The text, on one line.
    pub message: String,
    /// Names and values beside it.
    pub fields: Vec<(String, String)>,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Every detail.
    Trace,
    /// For whoever mends the action.
    Debug,
    /// For whoever watches the execution.
    Info,
    /// Something to look at.
    Warn,
    /// Something that failed.
    Error,
}

/// A request of an attempt that has ended. Holds no query, header or body: those may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSummary {
    /// Its method.
    pub method: String,
    /// The connection's name, or the origin of the URL.
    pub target: String,
    /// The path as sent.
    pub path: String,
    /// The status of the answer, or the code of the error.
    pub result: Result<u16, String>,
    /// How long it took.
    pub elapsed: Duration,
}

impl RequestSummary {
    /// Masks what is secret in it.
    pub fn hide(&mut self, mask: &runner_model::Mask) {
        mask.hide_text(&mut self.target);
        mask.hide_text(&mut self.path);
        if let Err(code) = &mut self.result {
            mask.hide_text(code);
        }
    }
}

/// What a poll of a sensor found.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// What happened since the cursor, oldest first.
    pub events: Vec<Emitted>,
    /// Where to go on next time; none leaves the cursor as it was.
    pub cursor: Option<String>,
}

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Emitted {
    /// The trigger it belongs to, without the pack.
    pub trigger: String,
    /// What happened: an object.
    pub payload: Value,
    /// Two events with the same key are one event.
    pub deduplication_key: Option<String>,
}
