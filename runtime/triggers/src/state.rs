//! What goes in and out: deliveries, events, and how rules, schedules and sensors stand.

use std::sync::Arc;

use runner_model::{Event, Failure, RuleRef, SensorRef, Timestamp, TriggerRef};
use runner_pack::{OnMissed, Overlap, Pack, Rule, Webhook};
use serde_json::Value;

/// Where deliveries come in, for the rules that share the path and the settings.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The settings: those of the first of the rules, by name.
    pub webhook: Webhook,
    /// The trigger of its events.
    pub trigger: TriggerRef,
    /// The source of its events: the path, and a digest of what tells one sender from another. The same after a restart.
    pub source: String,
    /// The rules, all of them enabled.
    pub rules: Vec<RuleRef>,
}

/// A delivery to a webhook. Who it is from has been checked.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it came in.
    pub endpoint: Arc<Endpoint>,
    /// What makes it the same as another; none is the same as no other.
    pub key: Option<String>,
    /// What it brought: `headers`, `headers_lower`, `body`, `query`, `method`, `path`.
    pub payload: Value,
    /// The trace that it belongs to: a W3C `traceparent`.
    pub trace_parent: Option<String>,
}

/// An occurrence of a trigger that a sensor declares, from whoever may say so.
#[derive(Debug, Clone)]
pub struct Emitted {
    /// Of what kind.
    pub trigger: TriggerRef,
    /// From where.
    pub source: String,
    /// What makes it the same as another of its trigger and source; none is the same as no other.
    pub key: Option<String>,
    /// What it brings: it must fit the trigger's schema.
    pub payload: Value,
    /// When it happened; none is now.
    pub occurred_at: Option<Timestamp>,
    /// The trace that it belongs to: a W3C `traceparent`.
    pub trace_parent: Option<String>,
    /// How many executions came one after the other from the end of another, before it.
    pub chain: u32,
}

/// An event that is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// The event, with its matches and the ids of their executions.
    pub event: Event,
    /// Whether it is new. If not it was there already: this is the one that came first.
    pub fresh: bool,
}

/// A rule, and how it stands.
#[derive(Debug, Clone)]
pub struct RuleState {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its pack.
    pub pack: Arc<Pack>,
    /// Whether it is at work: what its file says, unless it was switched.
    pub enabled: bool,
    /// How it was switched, against its file.
    pub switched: Option<bool>,
    /// What it has done since the process started.
    pub counts: Counts,
    /// When its schedule comes next.
    pub next: Option<Timestamp>,
}

/// What a rule has done since the process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that it looked at.
    pub examined: u64,
    /// Events that it matched.
    pub matched: u64,
    /// Events that it failed at: its condition or its parameters could not be evaluated.
    pub failed: u64,
}

/// A rule with a schedule.
#[derive(Debug, Clone)]
pub struct ScheduleState {
    /// The rule.
    pub rule: RuleRef,
    /// When, as people read it.
    pub what: String,
    /// What happens while an earlier execution has not ended.
    pub overlap: Overlap,
    /// What happens with instants that were missed.
    pub on_missed: OnMissed,
    /// Whether it is at work.
    pub enabled: bool,
    /// The newest of its instants that is dealt with; none if it is not at work, or none has come.
    pub last: Option<Timestamp>,
    /// When it comes next; nothing if it is not at work, or never comes again.
    pub next: Vec<Timestamp>,
}

/// A sensor, and how it stands.
#[derive(Debug, Clone)]
pub struct SensorState {
    /// The sensor.
    pub sensor: SensorRef,
    /// Whether it is polled.
    pub enabled: bool,
    /// How far it has come.
    pub cursor: Option<String>,
    /// When it was last polled.
    pub last_poll: Option<Timestamp>,
    /// Why the last poll failed; none if it did not.
    pub last_error: Option<Failure>,
    /// Events that it emitted since the process started.
    pub emitted: u64,
    /// When it is polled next; none while it is, or if it is not at all.
    pub next: Option<Timestamp>,
}
