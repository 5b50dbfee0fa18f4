//! Sensors that are code: polled in the sandbox. What they log goes into the process' own log.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use runner_executor::{HostPolls, Packs, Poll};
use runner_host::{Host, LogLevel, LogLine, Observer, Polled, RequestSummary};
use runner_model::{Failure, Limits, SensorRef};
use runner_pack::{Pack, Sensor};
use runner_store::Store;
use tokio_util::sync::CancellationToken;

use crate::Sensors;

/// Polls sensors in the sandbox.
pub struct HostSensors {
    polls: HostPolls,
    timeout: Duration,
}

impl HostSensors {
    /// Sensors of these packs, with key-value data in this store.
    #[must_use]
    pub fn new(host: Host, packs: Arc<Packs>, store: Arc<dyn Store>) -> Self {
        Self { polls: HostPolls::new(host, packs, store), timeout: Limits::default().guest.timeout }
    }

    /// With another time for sensors that name none.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

#[async_trait]
impl Sensors for HostSensors {
    async fn poll(
        &self,
        pack: Arc<Pack>,
        sensor: Arc<Sensor>,
        cursor: Option<String>,
        cancel: CancellationToken,
    ) -> Result<Polled, Failure> {
        let timeout = sensor.timeout.unwrap_or(self.timeout);
        let observer = Arc::new(Ear(sensor.reference.clone()));
        self.polls.run(Poll { pack, sensor, cursor, timeout, cancel, observer }).await
    }
}

/// Writes down what a sensor says.
struct Ear(SensorRef);

impl Observer for Ear {
    fn log(&self, line: LogLine) {
        let (sensor, LogLine { level, message, fields }) = (&self.0, line);
        match level {
            LogLevel::Trace => tracing::trace!(%sensor, said = message, ?fields, "sensor says"),
            LogLevel::Debug => tracing::debug!(%sensor, said = message, ?fields, "sensor says"),
            LogLevel::Info => tracing::info!(%sensor, said = message, ?fields, "sensor says"),
            LogLevel::Warn => tracing::warn!(%sensor, said = message, ?fields, "sensor says"),
            LogLevel::Error => tracing::error!(%sensor, said = message, ?fields, "sensor says"),
        }
    }

    fn heartbeat(&self, progress: &str) {
        tracing::debug!(sensor = %self.0, progress, "sensor goes on");
    }

    fn request(&self, summary: RequestSummary) {
        let RequestSummary { method, target, path, result, elapsed } = summary;
        tracing::debug!(sensor = %self.0, method, target, path, ?result, ?elapsed, "sensor sent a request");
    }
}
