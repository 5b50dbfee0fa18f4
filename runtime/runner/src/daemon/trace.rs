//! Traces of executions for an OpenTelemetry collector (OTLP over HTTP, as the `OTEL_*` variables say). **They are made of
//! journals, not of what this process happened to see**: an execution that was taken up after a crash has its whole trace,
//! and one that is sent twice has the same.
//!
//! Nobody waits for a trace: what ends goes into a queue that is bounded, and what does not fit is left out.

mod spans;
mod times;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, RetryPolicy, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use runner_executor::{Executor, Heard, Listener, Progress};
use runner_model::{Entry, ExecutionId, Version};
use runner_store::{Catalogue as _, Journal as _, SqliteStore, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::config::Environment;

/// Executions that wait for their traces to be sent: an id each.
const QUEUE_MAX: usize = 4096;
/// Spans in one request: some hundred kilobytes.
const SPANS_MAX: usize = 512;
/// How long the collector may take to let this one in.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request may take, if `OTEL_EXPORTER_OTLP_TIMEOUT` does not say it: the specification's default.
const ANSWER: Duration = Duration::from_secs(10);
/// Before spans are sent again that could not be: then they are left out.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25)];
/// When to look after an end was heard of: it is said before it is committed, which mostly takes some milliseconds.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
/// How long the end of the process may wait for traces.
const FLUSH: Duration = Duration::from_secs(3);

/// Sends the trace of whatever ends, until `stop`. Without an endpoint in the environment nothing happens.
pub(super) fn start(
    environment: &Environment,
    executor: &Executor,
    store: &Arc<SqliteStore>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let endpoint = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let is_off = environment.get("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
    if is_off || !endpoint.iter().any(|name| environment.get(name).is_some()) {
        return;
    }
    let exporter = match exporter(environment) {
        Ok(exporter) => exporter,
        Err(error) => return warn!(%error, "no traces are sent: the `OTEL_*` variables cannot be used"),
    };
    let (sender, queue) = mpsc::channel(QUEUE_MAX);
    let mut sending = Sending { exporter, store: store.clone(), stop: stop.clone(), is_down: false };
    tasks.spawn(hear(executor.listen(), sender, stop.clone()));
    tasks.spawn(async move { sending.run(queue).await });
    info!("traces are sent");
}

fn exporter(environment: &Environment) -> Result<SpanExporter, ExporterBuildError> {
    // Whoever installed one before has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let timeout = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let timeout = timeout.iter().find_map(|name| environment.get(name)?.parse().ok());
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(timeout.map_or(ANSWER, Duration::from_millis))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("runner/", env!("CARGO_PKG_VERSION")))
        .build();
    let client = client.map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
    let builder = SpanExporter::builder().with_http().with_http_client(client);
    // Tried again here, where a pause stops nobody.
    let mut exporter = builder.with_retry_policy(RetryPolicy::disabled()).build()?;
    exporter.set_resource(&resource(environment));
    Ok(exporter)
}

/// What sends: named `runner` unless the environment names it.
fn resource(environment: &Environment) -> Resource {
    let attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named = environment.get("OTEL_SERVICE_NAME").is_some() || attributes.contains("service.name=");
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { builder.build() } else { builder.with_service_name("runner").build() }
}

/// Notes what ends. Until `stop`, and then everything that was said before.
async fn hear(mut listener: Listener, queue: mpsc::Sender<ExecutionId>, stop: CancellationToken) {
    let mut is_full = false;
    loop {
        let heard = tokio::select! {
            biased;
            heard = listener.recv() => heard,
            () = stop.cancelled() => return,
        };
        match heard {
            Some(Heard::Event(event)) if event.depth == 0 && matches!(event.progress, Progress::Finished { .. }) => {
                let was_full = is_full;
                is_full = queue.try_send(event.root).is_err();
                if is_full && !was_full {
                    warn!("traces are left out: too many wait to be sent");
                }
            }
            Some(Heard::Event(_)) => {}
            Some(Heard::Lost(events)) => warn!(events, "traces may be left out: too much happened at once"),
            None => return,
        }
    }
}

/// Why a trace was not sent.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error("the journal cannot be read")]
    Store(#[from] StoreError),
    #[error("the collector did not take it: {0}")]
    Collector(#[from] OTelSdkError),
}

struct Sending {
    exporter: SpanExporter,
    store: Arc<SqliteStore>,
    stop: CancellationToken,
    /// Whether the collector did not take what was sent last: said once.
    is_down: bool,
}

impl Sending {
    /// Sends what the queue brings; when the process ends, not for long any more.
    async fn run(&mut self, mut queue: mpsc::Receiver<ExecutionId>) {
        let stop = self.stop.clone();
        let late = async move {
            stop.cancelled().await;
            tokio::time::sleep(FLUSH).await;
        };
        let all = async {
            while let Some(root) = queue.recv().await {
                if self.stop.is_cancelled() && self.is_down {
                    return;
                }
                if let Err(error) = self.trace(root).await {
                    debug!(execution_id = %root, %error, "trace not sent");
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = late => warn!("traces are left out: the process ends"),
        }
    }

    /// Sends the spans of an execution, and of all that its steps started: mostly in one request.
    async fn trace(&mut self, root: ExecutionId) -> Result<(), Unsent> {
        if !self.has_ended(root).await? {
            return Ok(());
        }
        let mut open = vec![root];
        let mut unsent = Vec::new();
        while let Some(id) = open.pop() {
            let entries: Vec<Entry> = self.store.read(id, Version(0)).await?;
            unsent.extend(spans::spans(id, &entries));
            while unsent.len() >= SPANS_MAX {
                self.send(unsent.drain(..SPANS_MAX).collect()).await?;
            }
            open.extend(self.store.children(id).await?.into_iter().map(|child| child.id));
        }
        if unsent.is_empty() { Ok(()) } else { Ok(self.send(unsent).await?) }
    }

    /// Whether it has ended, as the disk says: its end may be on the way there. It may also run again by now; then its
    /// next end is heard of.
    async fn has_ended(&self, id: ExecutionId) -> Result<bool, StoreError> {
        for look in LOOKS {
            if self.store.get(id).await?.status.is_terminal() {
                return Ok(true);
            }
            tokio::time::sleep(look).await;
        }
        Ok(self.store.get(id).await?.status.is_terminal())
    }

    async fn send(&mut self, spans: Vec<SpanData>) -> Result<(), OTelSdkError> {
        let mut pauses = PAUSES.iter();
        loop {
            let Err(error) = self.exporter.export(spans.clone()).await else {
                if std::mem::take(&mut self.is_down) {
                    info!("traces are sent again");
                }
                return Ok(());
            };
            if !std::mem::replace(&mut self.is_down, true) {
                warn!(%error, "traces cannot be sent: they are tried again for a while, then left out");
            }
            let Some(pause) = pauses.next() else { return Err(error) };
            tokio::select! {
                () = self.stop.cancelled() => return Err(error),
                () = tokio::time::sleep(*pause) => {}
            }
        }
    }
}
