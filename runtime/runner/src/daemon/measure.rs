//! What the daemon tells of itself: the recorder behind all counters, and what is read at the moment somebody looks.

use std::sync::Arc;
use std::sync::OnceLock;

use metrics::{counter, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use runner_executor::Executor;
use runner_model::code;
use runner_store::{SqliteStore, Upkeep as _};
use runner_triggers::Triggers;

use crate::error::CliError;
use crate::exit::Exit;

/// Upper bounds of what takes time, in seconds: from a commit to a long attempt.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0];
/// Upper bounds of memory, in bytes.
const BYTES: [f64; 7] =
    [262_144.0, 1_048_576.0, 2_097_152.0, 4_194_304.0, 16_777_216.0, 67_108_864.0, 268_435_456.0];

/// The figures of this process.
#[derive(Clone)]
pub(super) struct Measures {
    handle: PrometheusHandle,
    executor: Executor,
    store: Arc<SqliteStore>,
    triggers: Arc<OnceLock<Triggers>>,
}

/// Takes every counter of the process from now on.
pub(super) fn install(executor: Executor, store: Arc<SqliteStore>) -> Result<Measures, CliError> {
    let failed = |error: &dyn std::error::Error| {
        CliError::new(Exit::Broken, code::HOST_OTHER, "the figures of the process cannot be recorded").caused_by(error)
    };
    let builder = PrometheusBuilder::new();
    let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
    let builder = builder.and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &BYTES));
    let handle = builder.and_then(PrometheusBuilder::install_recorder).map_err(|error| failed(&error))?;
    Ok(Measures { handle, executor, store, triggers: Arc::default() })
}

impl Measures {
    /// Also tells of these.
    pub(super) fn also_of(&self, triggers: &Triggers) {
        // There is one set of them in a process.
        let _ = self.triggers.set(triggers.clone());
    }

    /// Everything, as Prometheus reads it.
    pub(super) fn text(&self) -> String {
        self.look();
        self.handle.run_upkeep();
        self.handle.render()
    }

    #[allow(clippy::cast_precision_loss, reason = "gauges are floating-point numbers")]
    fn look(&self) {
        let load = self.executor.load();
        gauge!("runner_executions_at_work").set(load.at_work as f64);
        gauge!("runner_executions_parked").set(load.parked as f64);
        gauge!("runner_executions_delayed").set(load.delayed as f64);
        gauge!("runner_attempts_running").set(load.attempts_running as f64);
        if let Some(triggers) = self.triggers.get() {
            gauge!("runner_trigger_backlog").set(triggers.backlog() as f64);
        }
        let stats = self.store.stats();
        counter!("runner_store_commits_total").absolute(stats.commits);
        counter!("runner_store_commands_total").absolute(stats.commands);
        counter!("runner_store_checkpoints_total").absolute(stats.checkpoints);
        gauge!("runner_store_commit_seconds_sum").set(stats.commit_time.as_secs_f64());
        gauge!("runner_store_commit_seconds_max").set(stats.commit_time_max.as_secs_f64());
        gauge!("runner_store_batch_max").set(stats.batch_max as f64);
    }
}
