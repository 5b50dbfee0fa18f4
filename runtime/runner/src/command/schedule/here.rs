//! Schedules as the files and the store here say: when a daemon would fire them if it ran from now on.

use std::collections::BTreeMap;

use runner_engine::Schedule;
use runner_model::{RuleRef, Timestamp};
use runner_pack::{Rule, Scheduled, Trigger};
use runner_store::SqliteStore;

use super::view::ScheduleView;
use crate::app::App;
use crate::command::rule::{marked, switched};
use crate::error::CliError;

/// All schedules, by the names of their rules.
pub(super) async fn schedules(
    app: &App,
    store: Option<&SqliteStore>,
    count: usize,
) -> Result<Vec<ScheduleView>, CliError> {
    let switched = switched(store).await?;
    let mut views = Vec::new();
    for (_, rule) in app.library().0.rules() {
        let Trigger::Schedule(scheduled) = &rule.trigger else { continue };
        let last = match is_on(rule, &switched) {
            true => marked(store, &rule.reference).await?,
            false => None,
        };
        views.push(view(rule, scheduled, is_on(rule, &switched), last, app.now(), count));
    }
    views.sort_by(|one, other| one.rule.cmp(&other.rule));
    Ok(views)
}

fn is_on(rule: &Rule, switched: &BTreeMap<RuleRef, bool>) -> bool {
    switched.get(&rule.reference).copied().unwrap_or(rule.enabled)
}

fn view(
    rule: &Rule,
    scheduled: &Scheduled,
    enabled: bool,
    last: Option<Timestamp>,
    now: Timestamp,
    count: usize,
) -> ScheduleView {
    // What was missed meanwhile is up to `on_missed`; it does not come as an instant any more.
    let from = last.map_or(now, |last| last.max(now));
    let schedule = &scheduled.schedule;
    let instants = std::iter::successors(schedule.next_after(from), |last| schedule.next_after(*last));
    let next = if enabled { instants.take(count).collect() } else { Vec::new() };
    ScheduleView {
        rule: rule.reference.to_string(),
        what: scheduled.what.clone(),
        timezone: match schedule {
            Schedule::Cron(cron) => Some(cron.timezone().to_owned()),
            Schedule::Interval { .. } | Schedule::Date(_) => None,
        },
        overlap: scheduled.overlap.as_str().to_owned(),
        on_missed: scheduled.on_missed.as_str().to_owned(),
        enabled,
        last: last.filter(|last| schedule.comes_at(*last)),
        next,
    }
}
