//! A schedule as it is shown: what a daemon answers, and what the files here say in the same words.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use runner_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::command::exec::indented;
use crate::output::{printable, table};

/// A rule with a schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ScheduleView {
    pub(super) rule: String,
    /// When, as people read it.
    pub(super) what: String,
    /// The time zone of its wall clock; none if it has none. A daemon says it of the rule.
    #[serde(default)]
    pub(super) timezone: Option<String>,
    pub(super) overlap: String,
    pub(super) on_missed: String,
    pub(super) enabled: bool,
    /// Up to which moment it is dealt with; none if it is not at work.
    pub(super) last: Option<Timestamp>,
    /// When it comes next.
    pub(super) next: Vec<Timestamp>,
}

impl ScheduleView {
    /// In some lines.
    pub(super) fn shown(&self, app: &App) -> String {
        let mut lines = vec![format!("{}  {}", self.rule, printable(&self.what))];
        let mut fact = |name: &str, value: &str| lines.push(format!("  {name:<10} {}", printable(value)));
        fact("state", if self.enabled { "on" } else { "off" });
        fact("overlap", &self.overlap);
        fact("on missed", &self.on_missed);
        if let Some(last) = &self.last {
            fact("last", &last.to_string());
        }
        if self.next.is_empty() {
            fact("next", if self.enabled { "never again" } else { "not as long as it is off" });
            return lines.join("\n");
        }
        let zone = self.timezone.as_deref().and_then(zone);
        let rows = self.next.iter().map(|instant| match &zone {
            Some(zone) => vec![local(*instant, zone), instant.to_string()],
            None => vec![instant.to_string()],
        });
        // Which zone it is stands in the first line.
        let headings: &[&str] = if zone.is_some() { &["next, local time", "UTC"] } else { &["next, UTC"] };
        lines.push(indented(&table(&app.output, headings, rows)));
        lines.join("\n")
    }
}

/// The zone with this name, of the database that is built in: what the daemon reckons with too.
fn zone(name: &str) -> Option<TimeZone> {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    // What is UTC anyway need not be said twice.
    DATABASE.get_or_init(TimeZoneDatabase::bundled).get(name).ok().filter(|_| name != "UTC")
}

/// What the wall clock of a zone shows.
fn local(instant: Timestamp, zone: &TimeZone) -> String {
    let Ok(moment) = jiff::Timestamp::from_millisecond(instant.as_millis()) else { return String::new() };
    moment.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_as_the_clock_on_the_wall_shows_it() {
        let zone = zone("Europe/Berlin").unwrap();
        let shown = |text: &str| local(text.parse().unwrap(), &zone);
        assert_eq!(shown("2026-11-22T01:30:00Z"), "Sun 2026-11-22 02:30:00 +01:00");
        // Half past two comes twice on that day.
        assert_eq!(shown("2026-10-25T00:30:00Z"), "Sun 2026-10-25 02:30:00 +02:00");
        assert!(super::zone("UTC").is_none() && super::zone("Nowhere").is_none());
    }
}
