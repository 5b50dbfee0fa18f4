//! What the tasks of this crate share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use runner_executor::Executor;
use runner_model::{ActionRef, Clock, EventId, ExecutionId, RuleRef, Timestamp};
use runner_store::{Access, Audited, Store, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::TriggersOptions;
use crate::dispatch::Queue;
use crate::overlap::Lanes;
use crate::schedule::Timetable;
use crate::sensor::Lookouts;
use crate::table::Table;
use crate::tally::{Arrivals, Tallies};

pub(crate) struct Shared {
    pub(crate) options: TriggersOptions,
    table: RwLock<Arc<Table>>,
    tallies: Tallies,
    pub(crate) arrivals: Arrivals,
    /// The rules that were switched. Whoever makes a new table holds it meanwhile, so that none is made of something old.
    switched: tokio::sync::Mutex<BTreeMap<RuleRef, bool>>,
    /// Grows with each table.
    changed: watch::Sender<u64>,
    /// The id that was made last.
    last_id: Mutex<Option<EventId>>,
    pub(crate) queue: Queue,
    pub(crate) lanes: Lanes,
    pub(crate) timetable: Timetable,
    /// Since when this process looks at schedules.
    pub(crate) began: Timestamp,
    pub(crate) lookouts: Lookouts,
    /// Said when an execution may have ended whose end somebody waits for.
    pub(crate) ended: tokio::sync::Notify,
    /// Some rule waits for ends.
    awaits_ends: AtomicBool,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Shared {
    /// With the table of the present library.
    pub(crate) async fn new(options: TriggersOptions) -> Result<Self, StoreError> {
        let switched = Access::switched_rules(&*options.store).await?;
        let shared = Self {
            began: options.clock.now(),
            options,
            table: RwLock::default(),
            tallies: Tallies::default(),
            arrivals: Arrivals::default(),
            switched: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(0),
            last_id: Mutex::default(),
            queue: Queue::default(),
            lanes: Lanes::default(),
            timetable: Timetable::default(),
            lookouts: Lookouts::default(),
            ended: tokio::sync::Notify::new(),
            awaits_ends: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        *shared.switched.lock().await = switched;
        shared.rebuild().await;
        Ok(shared)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.options.store
    }

    pub(crate) fn executor(&self) -> &Executor {
        &self.options.executor
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.options.clock
    }

    /// A new id. Those of one millisecond follow one another: what is read from the store in the order of ids is in the
    /// order in which it was recorded.
    pub(crate) fn new_id(&self) -> EventId {
        let mut last = self.last_id.lock();
        let new = EventId::new(self.clock(), &*self.options.entropy);
        let id = last.filter(|last| millisecond(*last) == millisecond(new)).map_or(new, next);
        *last = Some(id);
        id
    }

    /// The rules and sensors as they are now.
    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.read().clone()
    }

    /// Hears of new tables.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Makes the table anew: the packs were swapped.
    pub(crate) async fn rebuild(&self) {
        let switched = self.switched.lock().await;
        self.put(&switched);
    }

    /// Switches a rule, in the store and in the table.
    pub(crate) async fn switch(&self, rule: &RuleRef, enabled: Option<bool>, by: Audited) -> Result<(), StoreError> {
        let mut switched = self.switched.lock().await;
        Access::switch_rule(self.store(), rule, enabled, by).await?;
        match enabled {
            Some(enabled) => switched.insert(rule.clone(), enabled),
            None => switched.remove(rule),
        };
        self.put(&switched);
        Ok(())
    }

    /// Makes the table anew whenever packs are swapped.
    pub(crate) async fn follow_swaps(self: Arc<Self>, mut swaps: watch::Receiver<u64>) {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                swapped = swaps.changed() => match swapped {
                    Ok(()) => self.rebuild().await,
                    Err(_) => return,
                },
            }
        }
    }

    fn put(&self, switched: &BTreeMap<RuleRef, bool>) {
        let table = Arc::new(Table::new(&self.options.packs.library(), switched, &self.tallies));
        *self.table.write() = table.clone();
        let awaited = table.awaited();
        self.awaits_ends.store(awaited.is_some(), Ordering::Relaxed);
        let wanted = awaited.map(|patterns| {
            let wanted = move |action: &ActionRef| {
                patterns.iter().any(|pattern| pattern.as_ref().is_none_or(|pattern| pattern.matches(action)))
            };
            Arc::new(wanted) as Arc<dyn Fn(&ActionRef) -> bool + Send + Sync>
        });
        self.options.executor.announce(wanted);
        self.lanes.forget_what_is_open();
        self.queue.wake.notify_one();
        self.changed.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// An execution is about to end: what is said of it comes before the commit.
    pub(crate) fn heard_end(&self, id: ExecutionId) {
        if self.lanes.heard_end(id) || self.awaits_ends.load(Ordering::Relaxed) {
            self.ended.notify_one();
        }
    }
}

/// The part of an id that is its time (RFC 9562).
fn millisecond(id: EventId) -> u128 {
    u128::from_be_bytes(*id.as_bytes()) >> 80
}

/// The id after this one. The random part that it counts on has 62 bits below the mark of the variant.
fn next(id: EventId) -> EventId {
    EventId::from_bytes(u128::from_be_bytes(*id.as_bytes()).wrapping_add(1).to_be_bytes())
}
