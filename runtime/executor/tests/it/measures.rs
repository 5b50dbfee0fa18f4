//! What is counted and timed, as a recorder sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::Mutex;
use serde_json::json;

use super::kit::{Setup, submit};

/// Keeps every number under its name and labels.
#[derive(Default)]
struct Book {
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<String, Arc<Values>>>,
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.0.lock().push(value);
    }
}

fn name(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{} {}", key.name(), labels.join(" ")).trim_end().to_owned()
}

impl Recorder for Book {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.counters.lock().entry(name(key)).or_default().clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.histograms.lock().entry(name(key)).or_default().clone())
    }
}

#[tokio::test]
async fn executions_steps_and_attempts_are_counted_and_timed_under_few_labels() {
    let book = Book::default();
    let _recording = metrics::set_default_local_recorder(&book);
    let workflow = "tasks: {a: {action: t.echo, next: [{do: b}]}, b: {action: t.fail, retry: {count: 1, delay: 0}}}";
    let setup = Setup::in_memory(&[("w", workflow)]);
    let executor = setup.executor("one");
    for (action, parameters) in [("t.w", json!({})), ("t.echo", json!({})), ("t.noop", json!({}))] {
        submit(&executor, action, parameters).await.finished().await.unwrap();
    }
    let counted: Vec<_> =
        book.counters.lock().iter().map(|(name, count)| format!("{name}: {}", count.load(Ordering::Relaxed))).collect();
    assert_eq!(
        counted,
        [
            "runner_attempts_total pack=t outcome=failed: 2",
            "runner_attempts_total pack=t outcome=succeeded: 2",
            "runner_executions_total status=failed: 1",
            "runner_executions_total status=succeeded: 2",
            "runner_steps_total status=failed: 1",
            "runner_steps_total status=succeeded: 3",
        ]
    );
    let timed: BTreeMap<_, _> =
        book.histograms.lock().iter().map(|(name, values)| (name.clone(), values.0.lock().clone())).collect();
    let lengths: Vec<_> = timed.iter().map(|(name, values)| (name.as_str(), values.len())).collect();
    assert_eq!(
        lengths,
        [("runner_attempt_seconds pack=t", 4), ("runner_execution_seconds", 3), ("runner_guest_memory_bytes", 4)]
    );
    // A page of WebAssembly at the least, and not more than a guest may have.
    let memory = &timed["runner_guest_memory_bytes"];
    assert!(memory.iter().all(|bytes| (65_536.0..=67_108_864.0).contains(bytes)), "{memory:?}");
}
