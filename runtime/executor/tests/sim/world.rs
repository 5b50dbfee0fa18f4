//! What all processes of a simulation share: time, chance, the disk, and the record of what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use runner_executor::{Call, UnitId};
use runner_model::{ActionRef, AttemptNumber, Clock, ExecutionId, Timestamp};
use runner_pack::PolicyKind;
use runner_store::MemoryStore;
use serde_json::Value;
use tokio::time::Instant;

use super::chance::Chance;
use super::door::Door;

/// When every simulation begins.
const BEGINNING: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// How often things go wrong, of ten thousand calls of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) crash: u64,
    pub(crate) fail: u64,
    /// Written, and an error seen.
    pub(crate) lost_ack: u64,
    pub(crate) freeze: u64,
    /// Of ten thousand orders, those that are sent twice.
    pub(crate) twice: u64,
}

impl Rates {
    const NONE: Self = Self { crash: 0, fail: 0, lost_ack: 0, freeze: 0, twice: 0 };

    fn draw(chance: &mut Chance) -> Self {
        Self {
            crash: chance.of(&[0, 20, 60, 150]),
            fail: chance.of(&[0, 0, 50, 150]),
            lost_ack: chance.of(&[0, 0, 50, 150]),
            freeze: chance.of(&[0, 0, 0, 20]),
            twice: chance.of(&[0, 2_500]),
        }
    }
}

/// A call of an action, as the system on which it works sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) action: ActionRef,
    pub(crate) attempt: AttemptNumber,
    pub(crate) key: String,
    /// Whether it may have begun before that was on the disk.
    pub(crate) ahead: bool,
    /// What it answered, if the answer was given.
    pub(crate) answer: Option<Value>,
}

pub(crate) type Calls = BTreeMap<(ExecutionId, UnitId), Vec<Seen>>;

pub(crate) struct World {
    began: Instant,
    chance: Mutex<Chance>,
    rates: Mutex<Rates>,
    trace: Mutex<String>,
    /// The disk: it outlives every process.
    pub(crate) disk: Arc<MemoryStore>,
    pub(crate) calls: Mutex<Calls>,
    pub(crate) wrong: Mutex<Vec<String>>,
    pub(crate) door: Door,
    /// How many attempts of an action run in a process.
    running: Mutex<BTreeMap<(usize, ActionRef), usize>>,
}

/// An attempt among those that run.
pub(crate) struct Running {
    world: Arc<World>,
    of: (usize, ActionRef),
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.world.running.lock().get_mut(&self.of).unwrap() -= 1;
    }
}

impl World {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let mut chance = Chance::new(seed);
        let rates = Rates::draw(&mut chance);
        let world = Self {
            began: Instant::now(),
            chance: Mutex::new(chance),
            rates: Mutex::new(rates),
            trace: Mutex::default(),
            disk: Arc::default(),
            calls: Mutex::default(),
            wrong: Mutex::default(),
            door: Door::default(),
            running: Mutex::default(),
        };
        world.say(|| format!("seed {seed}: {rates:?}"));
        Arc::new(world)
    }

    pub(crate) fn draw<T>(&self, choose: impl FnOnce(&mut Chance) -> T) -> T {
        choose(&mut self.chance.lock())
    }

    pub(crate) fn rates(&self) -> Rates {
        *self.rates.lock()
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        self.say(|| "faults stop".to_owned());
        *self.rates.lock() = Rates::NONE;
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Adds a line to the trace.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        let millis = self.began.elapsed().as_millis();
        let _ = writeln!(self.trace.lock(), "{millis:>8} {}", line());
    }

    /// I10: policies are kept, within each process.
    pub(crate) fn runs(self: &Arc<Self>, node: usize, call: &Call) -> Running {
        let of = (node, call.action.reference.clone());
        let count = {
            let mut running = self.running.lock();
            let count = running.entry(of.clone()).or_default();
            *count += 1;
            *count
        };
        for policy in call.pack.policies.values().filter(|policy| policy.resource == of.1) {
            if let PolicyKind::Concurrency { threshold, .. } = policy.kind
                && count > threshold as usize
            {
                self.accuse(format!("I10: {count} of {} run at once in node {node}", of.1));
            }
        }
        Running { world: self.clone(), of }
    }

    /// How many attempts run.
    pub(crate) fn running_now(&self) -> usize {
        self.running.lock().values().sum()
    }

    /// Notes that something happened that must not.
    pub(crate) fn accuse(&self, what: String) {
        self.say(|| format!("WRONG: {what}"));
        self.wrong.lock().push(what);
    }

    pub(crate) fn take_trace(&self) -> String {
        std::mem::take(&mut self.trace.lock())
    }
}

/// The time of day in a world.
pub(crate) struct SimulatedClock(pub(crate) Arc<World>);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        BEGINNING.plus_ms(i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}
