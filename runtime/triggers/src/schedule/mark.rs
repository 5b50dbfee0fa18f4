//! How far a schedule has come, as it is kept: `schedule/<rule>`; and which schedules are at work: `schedules`.
//!
//! The mark of a schedule that is not at work is void, so that it begins anew when it is at work again. The list is
//! there for those that went while no process ran.

use std::collections::BTreeSet;

use runner_engine::schedule::Schedule;
use runner_model::{RuleRef, Timestamp};
use runner_pack::Scheduled;
use runner_store::{Advance, Events, Store, StoreError};
use serde::{Deserialize, Serialize};

const LIST: &str = "schedules";

/// How far a schedule has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Which schedule: another one begins anew.
    pub(crate) fingerprint: String,
    /// The last instant that is dealt with, or since when it is at work.
    pub(crate) last: Timestamp,
}

impl Mark {
    pub(crate) fn advance(&self, rule: &RuleRef) -> Advance {
        let value = serde_json::to_string(self).unwrap_or_default();
        Advance::Mark { name: name(rule), value }
    }

    /// The mark of a schedule; none if there is none, or it cannot be read.
    pub(crate) async fn read(store: &dyn Store, rule: &RuleRef) -> Result<Option<Self>, StoreError> {
        let value = Events::mark(store, &name(rule)).await?;
        Ok(value.and_then(|value| serde_json::from_str(&value).ok()))
    }

    /// Of a schedule that is not at work.
    pub(crate) const fn void(now: Timestamp) -> Self {
        Self { fingerprint: String::new(), last: now }
    }
}

fn name(rule: &RuleRef) -> String {
    format!("schedule/{rule}")
}

/// The schedules that were at work.
pub(crate) async fn read_list(store: &dyn Store) -> Result<BTreeSet<RuleRef>, StoreError> {
    let value = Events::mark(store, LIST).await?;
    Ok(value.and_then(|value| serde_json::from_str(&value).ok()).unwrap_or_default())
}

pub(crate) fn advance_list(rules: &BTreeSet<RuleRef>) -> Advance {
    Advance::Mark { name: LIST.to_owned(), value: serde_json::to_string(rules).unwrap_or_default() }
}

/// What makes a schedule another one. How it overlaps and what it makes up for does not.
pub(crate) fn fingerprint(scheduled: &Scheduled) -> String {
    match &scheduled.schedule {
        Schedule::Cron(_) => format!("cron {}", scheduled.what),
        Schedule::Interval { every_ms, start } => {
            format!("interval {every_ms} {}", start.map(|start| start.to_string()).unwrap_or_default())
        }
        Schedule::Date(moment) => format!("date {moment}"),
    }
}
