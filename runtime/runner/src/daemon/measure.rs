//! What the daemon tells of itself: the recorder behind all counters, and what is read at the moment somebody looks.

mod histogram;

use std::sync::Arc;
use std::sync::OnceLock;

use metrics::{SharedString, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use runner_executor::Executor;
use runner_model::code;
use runner_store::{SqliteStore, StoreStats, Upkeep as _};
use runner_triggers::Triggers;

use self::histogram::Histogram;
use crate::error::CliError;
use crate::exit::Exit;

/// Upper bounds of what takes time, in seconds: from a commit to a long attempt.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0];
/// Upper bounds of memory, in bytes.
const BYTES: [f64; 7] = [262_144.0, 1_048_576.0, 2_097_152.0, 4_194_304.0, 16_777_216.0, 67_108_864.0, 268_435_456.0];

/// Takes every counter of the process.
pub(super) struct Recorder(PrometheusHandle);

/// The figures of this process.
#[derive(Clone)]
pub(super) struct Measures {
    handle: PrometheusHandle,
    executor: Executor,
    store: Arc<SqliteStore>,
    triggers: Arc<OnceLock<Triggers>>,
}

impl Recorder {
    /// Takes them from now on, and what others say of theirs.
    pub(super) fn install() -> Result<Self, CliError> {
        let failed = |error: &dyn std::error::Error| {
            CliError::new(Exit::Broken, code::HOST_OTHER, "the figures of the process cannot be recorded")
                .caused_by(error)
        };
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        let builder = builder.and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &BYTES));
        let handle = builder.and_then(PrometheusBuilder::install_recorder).map_err(|error| failed(&error))?;
        describe();
        Ok(Self(handle))
    }

    /// With what is looked at when somebody asks.
    pub(super) fn of(self, executor: Executor, store: Arc<SqliteStore>) -> Measures {
        Measures { handle: self.0, executor, store, triggers: Arc::default() }
    }
}

impl Measures {
    /// Also tells of these.
    pub(super) fn also_of(&self, triggers: &Triggers) {
        // There is one set of them in a process.
        let _ = self.triggers.set(triggers.clone());
    }

    /// Everything, as Prometheus reads it.
    pub(super) fn text(&self) -> String {
        let stats = self.store.stats();
        self.look(&stats);
        self.handle.run_upkeep();
        let mut text = self.handle.render();
        for histogram in of_store(&stats) {
            histogram.write(&mut text);
        }
        text
    }

    #[allow(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
    fn look(&self, stats: &StoreStats) {
        let load = self.executor.load();
        gauge!("runner_executions_at_work").set(load.at_work as f64);
        gauge!("runner_executions_parked").set(load.parked as f64);
        gauge!("runner_executions_delayed").set(load.delayed as f64);
        gauge!("runner_attempts_running").set(load.attempts_running as f64);
        if let Some(triggers) = self.triggers.get() {
            gauge!("runner_trigger_backlog").set(triggers.backlog() as f64);
        }
        counter!("runner_store_commands_total").absolute(stats.commands);
        counter!("runner_store_commits_total").absolute(stats.commits);
        counter!("runner_store_checkpoints_total").absolute(stats.checkpoints);
        gauge!("runner_store_queued").set(stats.queued as f64);
        gauge!("runner_store_commit_seconds_max").set(stats.commit_time_max.as_secs_f64());
        gauge!("runner_store_batch_commands_max").set(stats.batch_max as f64);
    }
}

/// What the store counted by itself.
#[allow(clippy::cast_precision_loss, reason = "bounds and sums are floating-point numbers")]
fn of_store(stats: &StoreStats) -> [Histogram; 2] {
    [
        Histogram {
            name: "runner_store_commit_seconds",
            help: "How long commits took, from the begin of the transaction to the end of its flush.",
            bounds: StoreStats::COMMIT_BOUNDS.iter().map(std::time::Duration::as_secs_f64).collect(),
            counts: stats.commits_by_time.to_vec(),
            sum: stats.commit_time.as_secs_f64(),
        },
        Histogram {
            name: "runner_store_batch_commands",
            help: "How many commands each commit carried.",
            bounds: StoreStats::BATCH_BOUNDS.iter().map(|bound| *bound as f64).collect(),
            counts: stats.commits_by_batch.to_vec(),
            sum: stats.commands as f64,
        },
    ]
}

/// Says what the numbers mean that the daemon asks for, and those of triggers; the executor does it for its own.
fn describe() {
    let gauges: [(&'static str, &'static str); 8] = [
        ("runner_executions_at_work", "Executions that are being driven."),
        ("runner_executions_parked", "Executions that wait for a time, an answer or another execution."),
        ("runner_executions_delayed", "Executions and attempts that wait for a policy's leave."),
        ("runner_attempts_running", "Attempts that run."),
        ("runner_trigger_backlog", "Matches of rules whose executions are still to be begun."),
        ("runner_store_queued", "Commands that wait to be committed."),
        ("runner_store_commit_seconds_max", "The longest commit since the start, in seconds."),
        ("runner_store_batch_commands_max", "The most commands that one commit carried since the start."),
    ];
    for (name, help) in gauges {
        describe_gauge!(name, SharedString::const_str(help));
    }
    describe_counter!("runner_store_commands_total", "Commands that were committed.");
    describe_counter!("runner_store_commits_total", "Transactions that were committed, each with one flush.");
    describe_counter!("runner_store_checkpoints_total", "How often the log was moved into the database.");
    describe_counter!("runner_events_total", "Events that came, by trigger, and whether they were known already.");
    describe_counter!("runner_rule_matches_total", "Events that matched, by rule.");
    let dispatch = "How long it took from the match of a rule to the begin of its execution.";
    describe_histogram!("runner_dispatch_seconds", Unit::Seconds, dispatch);
    let lag = "How late instants of schedules were recorded.";
    describe_histogram!("runner_schedule_lag_seconds", Unit::Seconds, lag);
}
