//! Sensors: one task that polls each on its interval, never twice at the same time, and at most
//! [`limits::SENSOR_POLLS_MAX`] at once.
//!
//! **What a poll found and the cursor that it returns are one commit**: nothing is lost, and nothing seen twice, whenever
//! the process ends. A poll that fails, or that found something it may not emit, leaves the cursor where it was; the
//! next one comes later and later.

mod host;
mod poll;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use runner_model::{Failure, SensorRef, Timestamp, limits};
use runner_store::{Events, StoreError};
use tokio_util::sync::CancellationToken;

use crate::SensorState;
use crate::shared::Shared;
use crate::sleep::{self, millis};
use crate::table::{Table, Watcher};

pub use host::HostSensors;

/// Sensors that are at work.
#[derive(Default)]
pub(crate) struct Lookouts {
    inner: Mutex<BTreeMap<SensorRef, Lookout>>,
    /// Said when the clock is to be looked at.
    pub(crate) look: tokio::sync::Notify,
}

/// A sensor that is at work.
struct Lookout {
    watcher: Watcher,
    cursor: Option<String>,
    last_poll: Option<Timestamp>,
    last_error: Option<Failure>,
    failures: u32,
    emitted: u64,
    next: Timestamp,
    /// Stops the poll that runs.
    polling: Option<CancellationToken>,
    /// It is gone from the rules; what runs of it is stopped.
    gone: bool,
}

/// How a poll ended.
struct Polled {
    sensor: SensorRef,
    at: Timestamp,
    /// The cursor, if it is another one now, and how much was emitted.
    result: Result<(Option<String>, u64), Failure>,
}

impl Lookouts {
    /// How the sensors of a table stand.
    pub(crate) fn states(&self, table: &Table) -> Vec<SensorState> {
        let lookouts = self.inner.lock();
        let state = |(name, watcher): (&SensorRef, &Watcher)| {
            let lookout = lookouts.get(name).filter(|lookout| !lookout.gone);
            SensorState {
                sensor: name.clone(),
                enabled: watcher.sensor.enabled,
                cursor: lookout.and_then(|lookout| lookout.cursor.clone()),
                last_poll: lookout.and_then(|lookout| lookout.last_poll),
                last_error: lookout.and_then(|lookout| lookout.last_error.clone()),
                emitted: lookout.map_or(0, |lookout| lookout.emitted),
                next: lookout.filter(|lookout| lookout.polling.is_none()).map(|lookout| lookout.next),
            }
        };
        table.sensors().iter().map(state).collect()
    }

    fn earliest(&self) -> Option<Timestamp> {
        self.inner.lock().values().filter(|lookout| lookout.polling.is_none()).map(|lookout| lookout.next).min()
    }

    /// The sensors whose turn it is, at most `room`, the first due first.
    fn due(&self, now: Timestamp, room: usize) -> Vec<(Watcher, Option<String>, CancellationToken)> {
        let mut lookouts = self.inner.lock();
        let mut due: Vec<_> = lookouts
            .values_mut()
            .filter(|lookout| lookout.polling.is_none() && !lookout.gone && lookout.next <= now)
            .collect();
        due.sort_by_key(|lookout| lookout.next);
        let begin = |lookout: &mut Lookout| {
            let cancel = CancellationToken::new();
            lookout.polling = Some(cancel.clone());
            (lookout.watcher.clone(), lookout.cursor.clone(), cancel)
        };
        due.into_iter().take(room).map(begin).collect()
    }

    /// A poll has ended.
    fn ended(&self, polled: Polled, now: Timestamp) {
        let mut lookouts = self.inner.lock();
        let Some(lookout) = lookouts.get_mut(&polled.sensor) else { return };
        lookout.polling = None;
        if lookout.gone {
            lookouts.remove(&polled.sensor);
            return;
        }
        lookout.last_poll = Some(polled.at);
        match polled.result {
            Ok((cursor, emitted)) => {
                lookout.cursor = cursor.or_else(|| lookout.cursor.take());
                lookout.emitted += emitted;
                (lookout.failures, lookout.last_error) = (0, None);
            }
            Err(failure) => {
                lookout.failures = lookout.failures.saturating_add(1);
                lookout.last_error = Some(failure);
            }
        }
        lookout.next = now.plus_ms(millis(pause(lookout.watcher.sensor.interval, lookout.failures)));
    }
}

/// From the end of one poll to the next: doubled with each failure.
fn pause(interval: Duration, failures: u32) -> Duration {
    let longest = limits::SENSOR_BACKOFF_MAX.max(interval);
    interval.saturating_mul(1_u32.checked_shl(failures.min(20)).unwrap_or(u32::MAX)).min(longest)
}

impl Shared {
    /// Polls sensors until the process ends.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut changes = self.changes();
        let mut polls = FuturesUnordered::new();
        loop {
            changes.mark_unchanged();
            let followed = self.follow_sensors().await;
            if let Err(error) = &followed {
                tracing::warn!(%error, "cursors of sensors not read, tried again");
            }
            let room = limits::SENSOR_POLLS_MAX.saturating_sub(polls.len());
            for (watcher, cursor, cancel) in self.lookouts.due(self.now(), room) {
                polls.push(self.poll(watcher, cursor, cancel));
            }
            let full = polls.len() >= limits::SENSOR_POLLS_MAX;
            let sleep = async {
                match followed.is_err() {
                    true => tokio::time::sleep(limits::STORE_RETRY_LAST).await,
                    // Those whose turn it is wait for an end.
                    false => sleep::until(self.clock(), self.lookouts.earliest().filter(|_| !full)).await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(polled) = polls.next() => self.lookouts.ended(polled, self.now()),
                _ = changes.changed() => {}
                () = self.lookouts.look.notified() => {}
                () = sleep => {}
            }
        }
        self.stop_polls();
    }

    /// Takes up sensors that are new, changes those that were edited, and stops those that are gone.
    pub(crate) async fn follow_sensors(&self) -> Result<(), StoreError> {
        let table = self.table();
        let enabled = || table.sensors().iter().filter(|(_, watcher)| watcher.sensor.enabled);
        let mut cursors = BTreeMap::new();
        for (name, _) in enabled() {
            if !self.lookouts.inner.lock().contains_key(name) {
                cursors.insert(name.clone(), Events::mark(self.store(), &mark_of(name)).await?);
            }
        }
        let now = self.now();
        let mut lookouts = self.lookouts.inner.lock();
        lookouts.retain(|name, lookout| {
            let stays = table.sensors().get(name).is_some_and(|watcher| watcher.sensor.enabled);
            lookout.gone = !stays;
            if let Some(polling) = lookout.polling.as_ref().filter(|_| !stays) {
                polling.cancel();
            }
            stays || lookout.polling.is_some()
        });
        for (name, watcher) in enabled() {
            if let Some(lookout) = lookouts.get_mut(name) {
                lookout.edit(watcher, now);
            } else if let Some(cursor) = cursors.remove(name) {
                lookouts.insert(name.clone(), Lookout::new(watcher.clone(), cursor, now));
            }
        }
        Ok(())
    }

    fn stop_polls(&self) {
        for lookout in self.lookouts.inner.lock().values() {
            if let Some(polling) = &lookout.polling {
                polling.cancel();
            }
        }
    }
}

impl Lookout {
    const fn new(watcher: Watcher, cursor: Option<String>, now: Timestamp) -> Self {
        Self {
            watcher,
            cursor,
            last_poll: None,
            last_error: None,
            failures: 0,
            emitted: 0,
            next: now,
            polling: None,
            gone: false,
        }
    }

    /// Goes on with its cursor. One that failed may be mended now.
    fn edit(&mut self, watcher: &Watcher, now: Timestamp) {
        if Arc::ptr_eq(&self.watcher.sensor, &watcher.sensor) && Arc::ptr_eq(&self.watcher.pack, &watcher.pack) {
            return;
        }
        self.watcher = watcher.clone();
        let soon = now.plus_ms(millis(watcher.sensor.interval));
        self.next = match self.failures {
            0 => self.next.min(soon),
            _ => now,
        };
        self.failures = 0;
    }
}

/// The name of a sensor's cursor in the store.
fn mark_of(sensor: &SensorRef) -> String {
    format!("sensor/{sensor}")
}
