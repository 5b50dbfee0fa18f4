//! One poll of a sensor: what it found, checked, and recorded together with its cursor.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use runner_model::{Failure, TriggerRef, code, limits};
use runner_pack::TriggerType;
use runner_store::{Advance, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Polled, mark_of};
use crate::examine::Occurrence;
use crate::shared::Shared;
use crate::table::Watcher;

impl Shared {
    pub(super) async fn poll(&self, watcher: Watcher, cursor: Option<String>, cancel: CancellationToken) -> Polled {
        let (sensor, at) = (watcher.sensor.reference.clone(), self.now());
        // A defect of ours in one poll is a failure of that poll.
        let result = AssertUnwindSafe(self.poll_once(&watcher, cursor, cancel)).catch_unwind().await;
        let result = result.unwrap_or_else(|_| Err(Failure::new(code::HOST_OTHER, "the host failed during the poll")));
        if let Err(failure) = &result {
            tracing::warn!(%sensor, %failure, "sensor failed");
        }
        Polled { sensor, at, result }
    }

    async fn poll_once(
        &self,
        watcher: &Watcher,
        cursor: Option<String>,
        cancel: CancellationToken,
    ) -> Result<(Option<String>, u64), Failure> {
        let Watcher { sensor, pack } = watcher;
        let polled = self.options.sensors.poll(pack.clone(), sensor.clone(), cursor.clone(), cancel.clone()).await?;
        if cancel.is_cancelled() {
            // It was switched off or removed meanwhile; the next one finds the same again.
            return Err(Failure::new(code::EXEC_CANCELED, "the poll was stopped"));
        }
        let emitted = u64::try_from(polled.events.len()).unwrap_or(u64::MAX);
        let checked = polled.events.into_iter().map(|event| self.check(watcher, event));
        let occurrences = checked.collect::<Result<Vec<_>, _>>()?;
        let table = self.table();
        let drafts = occurrences.into_iter().map(|occurrence| {
            let members = table.waiting_for(&occurrence.trigger, &occurrence.payload);
            self.draft(occurrence, &members)
        });
        // What no rule matches is counted, and not kept.
        let drafts: Vec<_> = drafts.filter(|draft| !draft.event.matches.is_empty()).collect();
        let moved = polled.cursor.filter(|moved| Some(moved) != cursor.as_ref());
        let mark = |value: &String| Advance::Mark { name: mark_of(&sensor.reference), value: value.clone() };
        let advance: Vec<_> = moved.iter().map(mark).collect();
        if !(drafts.is_empty() && advance.is_empty()) {
            self.record(drafts, advance).await.map_err(|error| not_recorded(&error))?;
        }
        Ok((moved, emitted))
    }

    /// What a sensor emitted, if it may.
    fn check(&self, watcher: &Watcher, event: runner_host::Emitted) -> Result<Occurrence, Failure> {
        let sensor = &watcher.sensor;
        let trigger = TriggerRef::new(watcher.pack.reference(), &event.trigger).ok();
        let declared = trigger.and_then(|trigger| sensor.triggers.iter().find(|own| own.reference == trigger));
        let Some(declared) = declared else { return Err(undeclared(&event.trigger, &sensor.triggers)) };
        let trigger = declared.reference.clone();
        declared.check_payload(&event.payload).map_err(|reason| {
            Failure::new(code::EVENT_PAYLOAD, format!("the payload does not fit `{trigger}`: {reason}"))
                .with_hint(format!("mend the sensor, or `payload_schema` in {}", sensor.source.display()))
        })?;
        if let Some(bytes) =
            event.deduplication_key.as_ref().map(String::len).filter(|bytes| *bytes > limits::EVENT_KEY_BYTES_MAX)
        {
            let message = format!("the key of an event has {bytes} bytes");
            return Err(Failure::new(code::EVENT_KEY, message));
        }
        let now = self.now();
        Ok(Occurrence {
            trigger,
            source: sensor.reference.to_string(),
            key: event.deduplication_key,
            payload: Arc::new(event.payload),
            occurred_at: now,
            trace_parent: None,
            chain: 0,
            sealed: false,
        })
    }
}

fn undeclared(trigger: &str, declared: &[TriggerType]) -> Failure {
    let names: Vec<_> = declared.iter().map(|own| format!("`{}`", own.reference.name())).collect();
    let message = format!("it emitted `{trigger}`, which it does not declare");
    Failure::new(code::EVENT_UNDECLARED, message)
        .with_hint(format!("it declares {}; add it to `trigger_types`", names.join(", ")))
}

fn not_recorded(error: &StoreError) -> Failure {
    let failure = Failure::new(error.code(), format!("what it found was not recorded: {error}"));
    failure.with_hint(error.hint())
}
