//! One try of a unit: whatever its action is made of, it ends in an outcome.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt as _;
use parking_lot::Mutex;
use runner_engine::UnitId;
use runner_host::{LogLine, Observer, RequestSummary, TraceParent};
use runner_model::{
    ActionRef, AttemptNumber, Clock, ExecutionId, ExecutionView, Failure, Outcome, Status, Timestamp, code,
};
use runner_pack::{Action, Body, Pack, ParameterError};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::RequestError;
use crate::executor::Shared;
use crate::gate::Place;
use crate::guests::Call;
use crate::measure;
use crate::progress::{Herald, Progress};

pub(crate) struct Task {
    pub(crate) shared: Arc<Shared>,
    /// The pack of the execution, in the version that it began with.
    pub(crate) caller: Arc<Pack>,
    pub(crate) execution: ExecutionId,
    pub(crate) unit: UnitId,
    /// What its step is called in the idempotency key; none is its number.
    pub(crate) name: Option<String>,
    pub(crate) attempt: AttemptNumber,
    pub(crate) action: ActionRef,
    pub(crate) input: Arc<Value>,
    /// Whether the input is checked and complete: an execution's own parameters are.
    pub(crate) bound: bool,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) heartbeat_ms: Option<i64>,
    /// How far the last attempt that said so was.
    pub(crate) progress: Option<String>,
    pub(crate) trace: Option<TraceParent>,
    pub(crate) signals: mpsc::UnboundedSender<Signal>,
    pub(crate) herald: Herald,
    pub(crate) cancel: CancellationToken,
    /// Given back when the attempt has ended.
    pub(crate) place: Option<Place>,
}

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) unit: UnitId,
    pub(crate) attempt: AttemptNumber,
    pub(crate) outcome: Outcome,
}

/// What an attempt says about its progress.
pub(crate) struct Signal {
    pub(crate) unit: UnitId,
    pub(crate) attempt: AttemptNumber,
    pub(crate) progress: String,
}

/// Runs the attempt.
pub(crate) fn run(task: Task) -> Pin<Box<dyn Future<Output = Ended> + Send>> {
    Box::pin(async move {
        let (unit, attempt) = (task.unit, task.attempt);
        let _counted = Counted::new(&task.shared);
        let known = task.shared.options.packs.action(&task.action).map(|_| task.action.pack().to_owned());
        let begun = Instant::now();
        // A defect of ours in one attempt is the end of that attempt, and of nothing else.
        let outcome = AssertUnwindSafe(outcome(task)).catch_unwind().await.unwrap_or_else(|_| {
            let failure =
                Failure::new(code::HOST_OTHER, "the host failed while the action ran: what it did is unknown")
                    .with_hint("this is a defect of runner: please report it with what stands on standard error");
            Outcome::Abandoned { failure }
        });
        measure::attempt(known, &outcome, begun.elapsed());
        Ended { unit, attempt, outcome }
    })
}

/// An attempt among those that run.
struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.attempts.fetch_add(1, Ordering::Relaxed);
        Self(shared.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.attempts.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn outcome(mut task: Task) -> Outcome {
    let _place = task.place.take();
    let shared = task.shared.clone();
    let Some((pack, action)) = shared.options.packs.action_for(Some(&task.caller), &task.action) else {
        let hint = shared.options.packs.library().suggest(task.action.as_str());
        return refused(&RequestError::UnknownAction { action: task.action.clone(), hint });
    };
    if !action.enabled {
        return refused(&RequestError::Disabled { action: task.action });
    }
    let Value::Object(given) = Value::clone(&task.input) else {
        let message = format!("the input of `{}` is not a map", task.action);
        return Outcome::Failed { failure: Failure::new(code::PARAM_INVALID, message) };
    };
    let input = match if task.bound { Ok(given) } else { bind(&action, given) } {
        Ok(input) => input,
        Err(outcome) => return outcome,
    };
    if !matches!(action.body, Body::Wasm { .. }) {
        // Everything else was done when its intent was recorded.
        return Outcome::Succeeded { result: Value::Null };
    }
    let clock = shared.options.clock.clone();
    let beat = Arc::new(Mutex::new(Instant::now()));
    let left = task.deadline.map(|deadline| {
        let millis = deadline.as_millis().saturating_sub(clock.now().as_millis()).max(0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    });
    let mask = task.herald.mask.clone();
    let ear = Ear {
        herald: task.herald,
        unit: task.unit,
        attempt: task.attempt,
        clock,
        signals: task.signals,
        beat: beat.clone(),
    };
    let call = Call {
        execution: task.execution,
        unit: task.unit,
        name: task.name,
        attempt: task.attempt,
        timeout: shorter(left, action.timeout),
        pack,
        action,
        input,
        last_heartbeat: task.progress,
        trace: task.trace,
        cancel: task.cancel.clone(),
        observer: Arc::new(ear),
        mask,
    };
    let guest = shared.options.guests.run(call);
    match task.heartbeat_ms {
        None => guest.await,
        Some(silence) => watched(guest, &beat, silence, &task.cancel).await,
    }
}

/// Runs an attempt that has to give signs of life.
async fn watched(
    guest: impl Future<Output = Outcome>,
    beat: &Mutex<Instant>,
    silence_ms: i64,
    cancel: &CancellationToken,
) -> Outcome {
    let silence = Duration::from_millis(u64::try_from(silence_ms).unwrap_or(0));
    let mut guest = std::pin::pin!(guest);
    loop {
        let until = *beat.lock() + silence;
        tokio::select! {
            biased;
            outcome = &mut guest => return outcome,
            () = tokio::time::sleep_until(until) => {}
        }
        if Instant::now() >= *beat.lock() + silence {
            cancel.cancel();
            let outcome = guest.await;
            // It may have ended at this very moment.
            if outcome != Outcome::Canceled {
                return outcome;
            }
            let seconds = silence.as_secs_f64();
            let message = format!("the attempt gave no sign of life for {seconds} s");
            return Outcome::Timeout { failure: Failure::new(code::FLOW_HEARTBEAT, message) };
        }
    }
}

fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The outcome of an action that does nothing, for which no attempt has to be made.
pub(crate) fn nothing(action: &Action, given: Map<String, Value>) -> Outcome {
    bind(action, given).map_or_else(|outcome| outcome, |_| Outcome::Succeeded { result: Value::Null })
}

/// The outcome of a step that called a workflow, from the execution that it started.
pub(crate) fn of_workflow(view: ExecutionView) -> Outcome {
    let result = view.result.unwrap_or(Value::Null);
    let status = view.record.status;
    let mut failure = Failure::new(code::EXEC_CANCELED, format!("the workflow ended as {status}"));
    if let Some(error) = view.errors.first() {
        failure = Failure { code: error.code.clone(), message: error.message.clone(), ..failure };
        failure.hint.clone_from(&error.hint);
    }
    failure.details = Some(json!({"execution_id": view.record.id, "output": result, "errors": view.errors}));
    match status {
        Status::Succeeded => Outcome::Succeeded { result },
        Status::Canceled => Outcome::Canceled,
        Status::Timeout => Outcome::Timeout { failure },
        Status::Abandoned => Outcome::Abandoned { failure },
        _ => Outcome::Failed { failure },
    }
}

/// The outcome of a request that was refused.
pub(crate) fn refused(error: &RequestError) -> Outcome {
    let mut failure = Failure::new(error.code(), error.to_string());
    failure.hint = error.hint();
    Outcome::Failed { failure }
}

/// The outcome of a call with parameters that do not fit.
pub(crate) fn misfit(action: &Action, mistakes: Vec<ParameterError>) -> Outcome {
    refused(&RequestError::Parameters { action: action.reference.clone(), mistakes })
}

/// The parameters with their defaults.
pub(crate) fn bind(action: &Action, given: Map<String, Value>) -> Result<Map<String, Value>, Outcome> {
    action.parameters.bind(given).map_err(|mistakes| misfit(action, mistakes))
}

/// Passes on what a guest says.
struct Ear {
    herald: Herald,
    unit: UnitId,
    attempt: AttemptNumber,
    clock: Arc<dyn Clock>,
    signals: mpsc::UnboundedSender<Signal>,
    /// When it last gave a sign of life.
    beat: Arc<Mutex<Instant>>,
}

impl Observer for Ear {
    fn log(&self, line: LogLine) {
        self.herald.say(self.clock.now(), Progress::Log { unit: self.unit, line });
    }

    fn heartbeat(&self, progress: &str) {
        *self.beat.lock() = Instant::now();
        let (unit, attempt, progress) = (self.unit, self.attempt, progress.to_owned());
        // The execution may have ended; then nobody needs it.
        let _ = self.signals.send(Signal { unit, attempt, progress: progress.clone() });
        self.herald.say(self.clock.now(), Progress::Heartbeat { unit: self.unit, progress });
    }

    fn request(&self, summary: RequestSummary) {
        self.herald.say(self.clock.now(), Progress::Request { unit: self.unit, summary });
    }
}
