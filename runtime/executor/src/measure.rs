//! What is counted and timed. Whoever wants the numbers installs a recorder; without one this costs next to nothing.
//!
//! **Every label has few values**: statuses, packs, connections; never an id, a path or a URL.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use runner_model::{ExecutionView, Outcome, Timestamp};

/// Says what the numbers mean, to the recorder that is installed.
pub(crate) fn describe() {
    describe_counter!("runner_executions_total", "Executions that ended, by their status.");
    describe_counter!("runner_steps_total", "Steps of executions that ended, by their status.");
    describe_counter!("runner_attempts_total", "Attempts that ended, by pack and outcome.");
    describe_histogram!(
        "runner_attempt_seconds",
        Unit::Seconds,
        "How long attempts took, the wait for a place included."
    );
    describe_histogram!("runner_execution_seconds", Unit::Seconds, "How long executions took, from request to end.");
    describe_histogram!("runner_guest_memory_bytes", Unit::Bytes, "The most memory that each guest had.");
    describe_counter!("runner_http_requests_total", "Requests of guests, by connection and outcome.");
    describe_histogram!("runner_http_request_seconds", Unit::Seconds, "How long requests of guests took.");
}

/// An execution ended.
pub(crate) fn execution(view: &ExecutionView) {
    let record = &view.record;
    counter!("runner_executions_total", "status" => record.status.as_str()).increment(1);
    if let Some(end) = record.finished_at {
        histogram!("runner_execution_seconds").record(seconds(record.created_at, end));
    }
    for step in &view.steps {
        counter!("runner_steps_total", "status" => step.status.as_str()).increment(1);
    }
}

/// An attempt ended.
pub(crate) fn attempt(pack: Option<String>, outcome: &Outcome, took: Duration) {
    // One of a pack that is not there could have any name.
    let pack = pack.unwrap_or_default();
    counter!("runner_attempts_total", "pack" => pack.clone(), "outcome" => outcome.status().as_str()).increment(1);
    histogram!("runner_attempt_seconds", "pack" => pack).record(took.as_secs_f64());
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of some years fit")]
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.as_millis().saturating_sub(from.as_millis()) as f64 / 1_000.0
}
