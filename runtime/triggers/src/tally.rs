//! What rules have done since the process started. It outlives the tables.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use runner_model::RuleRef;

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
