//! Sensors: functions that are called on an interval, emit events, and keep a cursor.
//!
//! A sensor is a plain function from the cursor that its last successful poll returned to what it found. The cursor is any
//! type that serde can write and read; it is recorded together with the events.
//!
//! ```
//! use runner_sdk::prelude::*;
//! use runner_sdk::sensor::{Event, Poll};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Alert {
//!     id: u64,
//!     text: String,
//! }
//!
//! fn alerts(cursor: Option<u64>) -> Result<Poll<u64>> {
//!     let last = cursor.unwrap_or(0);
//!     let found: Vec<Alert> = http::get("array", "/v1/alerts").query("after", last).send()?.ok()?.json()?;
//!     let mut poll = Poll::new();
//!     for alert in found {
//!         poll = poll.event(Event::new("alert", &alert)?.once(alert.id)).cursor(alert.id);
//!     }
//!     Ok(poll)
//! }
//!
//! runner_sdk::export_sensor!(alerts);
//! # fn main() {
//! let found = runner_sdk::testing::Host::new()
//!     .on("GET", "array", "/v1/alerts", 200, json!([{ "id": 8, "text": "disk failed" }]))
//!     .inside(|| poll_sensor("alerts", Some("7")))
//!     .unwrap();
//! assert_eq!(found.cursor.as_deref(), Some("8"));
//! assert_eq!(found.events[0].deduplication_key.as_deref(), Some("8"));
//! # }
//! ```

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, Result, json};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The trigger it belongs to, without the pack.
    pub trigger: String,
    /// What happened: an object.
    pub payload: Value,
    /// Two events with the same key are one event; without it, each is its own.
    pub deduplication_key: Option<String>,
}

impl Event {
    /// An event with a payload.
    ///
    /// # Errors
    /// `bad-payload`: the payload is not an object.
    pub fn new(trigger: impl Into<String>, payload: &(impl Serialize + ?Sized)) -> Result<Self> {
        let payload = serde_json::to_value(payload)?;
        if !payload.is_object() {
            return Err(Failure::new("bad-payload", "an event's payload is an object"));
        }
        Ok(Self { trigger: trigger.into(), payload, deduplication_key: None })
    }

    /// The same event, which is one with all others that have this key.
    #[must_use]
    pub fn once(mut self, key: impl Display) -> Self {
        self.deduplication_key = Some(key.to_string());
        self
    }
}

/// What a poll found.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll<C> {
    events: Vec<Event>,
    cursor: Option<C>,
}

impl<C> Poll<C> {
    /// Nothing; the cursor stays as it was.
    #[must_use]
    pub fn new() -> Self {
        Self { events: Vec::new(), cursor: None }
    }

    /// Adds an event, after those that were there.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Sets where to go on next time.
    #[must_use]
    pub fn cursor(mut self, cursor: C) -> Self {
        self.cursor = Some(cursor);
        self
    }
}

impl<C> Default for Poll<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// What a poll found, the cursor as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// What happened since the cursor, oldest first.
    pub events: Vec<Event>,
    /// Where to go on next time.
    pub cursor: Option<String>,
}

/// Calls a sensor's function.
///
/// # Errors
/// `bad-cursor`, or what the function returned.
pub fn run<C: Serialize + DeserializeOwned>(
    sensor: impl FnOnce(Option<C>) -> Result<Poll<C>>,
    cursor: Option<&str>,
) -> Result<Polled> {
    let cursor = cursor
        .map(|text| json::read(text.as_bytes()))
        .transpose()
        .map_err(|misfit| Failure::new("bad-cursor", format!("the recorded cursor is of another type: {misfit}")))?;
    let poll = sensor(cursor)?;
    let cursor = poll.cursor.map(|cursor| json::write(&cursor)).transpose()?;
    Ok(Polled { events: poll.events, cursor })
}

/// What a component answers for a sensor that it does not have.
#[doc(hidden)]
pub fn unknown(sensor: &str) -> Result<Polled> {
    Err(Failure::new("unknown-sensor", format!("this component has no sensor `{sensor}`")))
}

/// What was found, as the world `sensor` has it.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub fn to_wit(polled: Polled) -> crate::bindings::sensor::Polled {
    use crate::bindings::sensor::{Emitted, Polled};
    let emitted = |event: Event| Emitted {
        trigger: event.trigger,
        payload: json::write(&event.payload).unwrap_or_default(),
        deduplication_key: event.deduplication_key,
    };
    Polled { events: polled.events.into_iter().map(emitted).collect(), cursor: polled.cursor }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(cursor: Option<u64>) -> Result<Poll<u64>> {
        let next = cursor.unwrap_or(0) + 1;
        Ok(Poll::new().event(Event::new("tick", &serde_json::json!({ "count": next }))?).cursor(next))
    }

    #[test]
    fn a_sensor_goes_on_from_its_cursor() {
        let first = run(count, None).unwrap();
        assert_eq!(first.cursor.as_deref(), Some("1"));
        let second = run(count, first.cursor.as_deref()).unwrap();
        assert_eq!(second.events[0].payload["count"], 2);
    }

    #[test]
    fn a_cursor_of_another_version_is_reported() {
        assert_eq!(run(count, Some("\"x\"")).unwrap_err().code, "bad-cursor");
    }

    #[test]
    fn a_payload_is_an_object() {
        assert_eq!(Event::new("tick", &1).unwrap_err().code, "bad-payload");
    }
}
