//! What rules have done since the process started. It outlives the tables.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::Counter;
use parking_lot::{Mutex, RwLock};
use runner_model::{RuleRef, TriggerRef};

use crate::Counts;

/// What one rule has done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    examined: AtomicU64,
    matched: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    pub(crate) fn examined(&self) {
        self.examined.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn matched(&self) {
        self.matched.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { examined: read(&self.examined), matched: read(&self.matched), failed: read(&self.failed) }
    }
}

/// What all rules have done.
#[derive(Debug, Default)]
pub(crate) struct Tallies(Mutex<HashMap<RuleRef, Arc<Tally>>>);

impl Tallies {
    pub(crate) fn of(&self, rule: &RuleRef) -> Arc<Tally> {
        self.0.lock().entry(rule.clone()).or_default().clone()
    }
}

/// How many events have come, as the metrics say it: what is counted is looked up once a trigger.
#[derive(Default)]
pub(crate) struct Arrivals(RwLock<HashMap<TriggerRef, Arrived>>);

/// Those of one trigger.
struct Arrived {
    recorded: Counter,
    known: Counter,
}

impl Arrived {
    fn of(trigger: &TriggerRef) -> Self {
        let counter = |outcome: &'static str| metrics::counter!("runner_events_total", "trigger" => trigger.to_string(), "outcome" => outcome);
        Self { recorded: counter("recorded"), known: counter("known") }
    }

    fn count(&self, is_new: bool) {
        let counter = if is_new { &self.recorded } else { &self.known };
        counter.increment(1);
    }
}

impl Arrivals {
    /// One more event of this trigger.
    pub(crate) fn count(&self, trigger: &TriggerRef, is_new: bool) {
        if let Some(arrived) = self.0.read().get(trigger) {
            return arrived.count(is_new);
        }
        self.0.write().entry(trigger.clone()).or_insert_with(|| Arrived::of(trigger)).count(is_new);
    }
}
