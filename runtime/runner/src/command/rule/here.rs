//! Rules as the files and the store here say: what a daemon would make of them if it began now.

use std::collections::BTreeMap;

use runner_model::{RuleRef, Timestamp};
use runner_pack::{Scheduled, Trigger};
use runner_store::{Access as _, Events as _, SqliteStore};
use serde::Deserialize;

use super::RuleView;
use crate::app::App;
use crate::error::CliError;

/// How far a schedule has come, as daemons keep it.
#[derive(Deserialize)]
struct Mark {
    fingerprint: String,
    last: Timestamp,
}

/// All rules, by name.
pub(super) async fn rules(app: &App, store: Option<&SqliteStore>) -> Result<Vec<RuleView>, CliError> {
    let switched = switched(store).await?;
    let mut views = Vec::new();
    for (pack, rule) in app.library().0.rules() {
        let next = match &rule.trigger {
            Trigger::Schedule(scheduled) => {
                let last = marked(store, &rule.reference).await?;
                next_after(scheduled, last, app.now())
            }
            _ => None,
        };
        views.push(RuleView::of(pack, rule, switched.get(&rule.reference).copied(), next));
    }
    views.sort_by(|one, other| one.reference.cmp(&other.reference));
    Ok(views)
}

fn next_after(scheduled: &Scheduled, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    scheduled.schedule.next_after(last.map_or(now, |last| last.max(now)))
}

/// The rules that were switched.
pub(crate) async fn switched(store: Option<&SqliteStore>) -> Result<BTreeMap<RuleRef, bool>, CliError> {
    match store {
        Some(store) => Ok(store.switched_rules().await?),
        None => Ok(BTreeMap::new()),
    }
}

/// Up to which moment a daemon has dealt with the schedule of a rule; none if none has, or it was off since.
pub(crate) async fn marked(store: Option<&SqliteStore>, rule: &RuleRef) -> Result<Option<Timestamp>, CliError> {
    let Some(store) = store else { return Ok(None) };
    let value = store.mark(&format!("schedule/{rule}")).await?;
    let mark = value.and_then(|value| serde_json::from_str::<Mark>(&value).ok());
    Ok(mark.filter(|mark| !mark.fingerprint.is_empty()).map(|mark| mark.last))
}
