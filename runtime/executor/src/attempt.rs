//! One try of a step: whatever its action is made of, it ends in an outcome.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures::FutureExt as _;
use runner_host::{Attempt, LogLine, Observer, RequestSummary};
use runner_model::{
    ActionRef, AttemptNumber, Clock, ExecutionId, ExecutionView, Failure, Origin, Outcome, Status, StepId, code, limits,
};
use runner_pack::{Action, Body, Pack};
use runner_store::StoreError;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::ExecutionRequest;
use crate::error::{ExecutorError, RequestError};
use crate::executor::{BeginError, Shared};
use crate::progress::{Herald, Progress};

pub(crate) struct Task {
    pub(crate) shared: Arc<Shared>,
    pub(crate) execution: ExecutionId,
    pub(crate) step: StepId,
    pub(crate) attempt: AttemptNumber,
    pub(crate) action: ActionRef,
    pub(crate) input: Value,
    /// Whether the input is checked and complete: an execution's own parameters are.
    pub(crate) bound: bool,
    pub(crate) herald: Herald,
    pub(crate) cancel: CancellationToken,
}

/// Runs the attempt. Boxed, because a workflow's attempt drives an execution, which runs attempts.
pub(crate) fn run(task: Task) -> Pin<Box<dyn Future<Output = (StepId, AttemptNumber, Outcome)> + Send>> {
    Box::pin(async move {
        let (step, attempt) = (task.step, task.attempt);
        // A defect of ours in one attempt is the end of that attempt, and of nothing else.
        let outcome = AssertUnwindSafe(outcome(task)).catch_unwind().await.unwrap_or_else(|_| {
            let failure =
                Failure::new(code::HOST_OTHER, "the host failed while the action ran: what it did is unknown")
                    .with_hint("this is a defect of runner: please report it with what stands on standard error");
            Outcome::Abandoned { failure }
        });
        (step, attempt, outcome)
    })
}

async fn outcome(task: Task) -> Outcome {
    let shared = task.shared.clone();
    let Some((pack, action)) = shared.options.packs.action(&task.action) else {
        let error = RequestError::UnknownAction {
            action: task.action.clone(),
            hint: shared.options.packs.library().suggest(task.action.as_str()),
        };
        return failed(&error);
    };
    if !action.enabled {
        return failed(&RequestError::Disabled { action: task.action });
    }
    let Value::Object(given) = task.input.clone() else {
        let message = format!("the input of `{}` is not a map", task.action);
        return Outcome::Failed { failure: Failure::new(code::PARAM_INVALID, message) };
    };
    match &action.body {
        Body::Workflow(_) => workflow(task, given).await,
        Body::Noop => nothing(action, given),
        Body::Wasm { component, function } => match if task.bound { Ok(given) } else { bind(action, given) } {
            Ok(input) => guest(&task, pack, action, (component, function), input).await,
            Err(outcome) => outcome,
        },
    }
}

/// The outcome of an action that does nothing, for which no attempt has to be made.
pub(crate) fn at_once(action: &Action, input: &Value) -> Option<Outcome> {
    let (Body::Noop, true, Value::Object(given)) = (&action.body, action.enabled, input) else { return None };
    Some(nothing(action, given.clone()))
}

fn nothing(action: &Action, given: Map<String, Value>) -> Outcome {
    bind(action, given).map_or_else(|outcome| outcome, |_| Outcome::Succeeded { result: Value::Null })
}

fn failed(error: &RequestError) -> Outcome {
    let mut failure = Failure::new(error.code(), error.to_string());
    failure.hint = error.hint();
    Outcome::Failed { failure }
}

/// The parameters with their defaults.
fn bind(action: &Action, given: Map<String, Value>) -> Result<Map<String, Value>, Outcome> {
    action
        .parameters
        .bind(given)
        .map_err(|mistakes| failed(&RequestError::Parameters { action: action.reference.clone(), mistakes }))
}

async fn guest(
    task: &Task,
    pack: &Arc<Pack>,
    action: &Action,
    (component, function): (&str, &str),
    input: Map<String, Value>,
) -> Outcome {
    let options = &task.shared.options;
    let loaded = async {
        let loaded = options.packs.loaded(&options.host, pack).await?;
        let component = loaded.component(&options.host, component).await?;
        Ok::<_, Failure>((loaded.context(&task.shared.kv), component))
    };
    let (context, component) = match loaded.await {
        Ok(ready) => ready,
        Err(failure) => return Outcome::Failed { failure },
    };
    let attempt = Attempt {
        execution: task.execution,
        step: task.step,
        action: task.action.clone(),
        function: function.to_owned(),
        number: task.attempt,
        idempotency_key: format!("{}/{}", task.execution, task.step),
        input: Value::Object(input),
        timeout: action.timeout.unwrap_or(options.limits.guest.timeout),
        last_heartbeat: None,
        cancel: task.cancel.clone(),
        pack: context,
        observer: Arc::new(Ear { herald: task.herald.clone(), step: task.step, clock: options.clock.clone() }),
    };
    options.host.run(&component, attempt).await
}

/// A step that calls a workflow is an execution of its own, with an id that follows from the step: after a crash it is
/// found again and taken up.
async fn workflow(task: Task, parameters: Map<String, Value>) -> Outcome {
    if task.herald.depth + 1 > limits::WORKFLOW_DEPTH_MAX {
        let message = format!("workflows are nested deeper than {}", limits::WORKFLOW_DEPTH_MAX);
        let failure = Failure::new(code::EXEC_DEPTH, message).with_hint("does a workflow call itself without an end?");
        return Outcome::Failed { failure };
    }
    let id = task.execution.child(task.step, task.attempt);
    let origin = Origin::Step { execution: task.execution, step: task.step };
    let herald = task.herald.child(id);
    let request = ExecutionRequest { action: task.action.clone(), parameters, origin };
    let begun = task.shared.begin(request, id, herald.clone(), task.cancel.clone()).await;
    let drive = match begun {
        Ok(drive) => Ok(drive),
        Err(BeginError::Executor(ExecutorError::Store(StoreError::Exists))) => {
            task.shared.take_up(id, herald, task.cancel.clone()).await
        }
        Err(BeginError::Request(error)) => return failed(&error),
        Err(BeginError::Executor(error)) => Err(error),
    };
    let ended = match drive {
        Ok(drive) => drive.run().await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(view) => of_workflow(view),
        Err(error) => unknown(&error),
    }
}

/// The outcome of a step from the execution that it started.
fn of_workflow(view: ExecutionView) -> Outcome {
    let result = view.result.unwrap_or(Value::Null);
    let failure = || {
        let first = view.errors.first();
        let mut failure = Failure::new(code::EXEC_CANCELED, format!("the workflow ended as {}", view.record.status));
        if let Some(error) = first {
            failure.code.clone_from(&error.code);
            failure.message.clone_from(&error.message);
            failure.hint.clone_from(&error.hint);
        }
        failure.details = Some(serde_json::json!({
            "execution_id": view.record.id, "output": result, "errors": view.errors,
        }));
        failure
    };
    match view.record.status {
        Status::Succeeded => Outcome::Succeeded { result },
        Status::Canceled => Outcome::Canceled,
        Status::Timeout => Outcome::Timeout { failure: failure() },
        Status::Abandoned => Outcome::Abandoned { failure: failure() },
        _ => Outcome::Failed { failure: failure() },
    }
}

fn unknown(error: &ExecutorError) -> Outcome {
    Outcome::Abandoned { failure: Failure::new(error.code(), error.to_string()) }
}

/// Passes on what a guest says.
struct Ear {
    herald: Herald,
    step: StepId,
    clock: Arc<dyn Clock>,
}

impl Observer for Ear {
    fn log(&self, line: LogLine) {
        self.herald.say(self.clock.now(), Progress::Log { step: self.step, line });
    }

    fn heartbeat(&self, progress: &str) {
        let progress = progress.to_owned();
        self.herald.say(self.clock.now(), Progress::Heartbeat { step: self.step, progress });
    }

    fn request(&self, summary: RequestSummary) {
        self.herald.say(self.clock.now(), Progress::Request { step: self.step, summary });
    }
}
