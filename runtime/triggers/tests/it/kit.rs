//! A pack of rules in a directory of its own, processes over it that can end or die, and a clock that is set by hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_executor::{Call, Executor, ExecutorOptions, Grants, Guests, Packs, PacksOptions};
use runner_host::{Connections, Polled};
use runner_model::{
    Clock, Event, ExecutionId, ExecutionRecord, Failure, Limits, ManualClock, MatchState, NodeId, Outcome, RuleRef,
    SeededEntropy, Timestamp, limits,
};
use runner_pack::{Library, Pack, Sensor};
use runner_store::{
    Advance, AuditOrigin, Audited, Catalogue, EventFilter, ExecutionFilter, MemoryStore, Order, SqliteOptions,
    SqliteStore, Store,
};
use runner_triggers::{Delivered, Delivery, Sensors, TriggerError, Triggers, TriggersOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Everything that outlives a process.
pub(crate) struct World {
    directory: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) guests: Arc<Waiting>,
    pub(crate) sensors: Arc<Scripted>,
    processes: AtomicU64,
}

/// Somebody who changes something.
pub(crate) fn by() -> Audited {
    Audited { at: at(NOON), actor: "a test".to_owned(), origin: AuditOrigin::Cli }
}

/// Noon of a Saturday.
pub(crate) const NOON: &str = "2026-11-21T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl World {
    pub(crate) fn new(rules: &[(&str, &str)]) -> Self {
        Self::with(rules, Arc::new(MemoryStore::default()))
    }

    pub(crate) fn on_disk(rules: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = runtime();
        let path = directory.path().join("data");
        let store = runtime.block_on(SqliteStore::open(&path, SqliteOptions::default())).unwrap();
        let world = Self::with(rules, Arc::new(store));
        // The database lives as long as the world.
        std::mem::forget(directory);
        world
    }

    fn with(rules: &[(&str, &str)], store: Arc<dyn Store>) -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
            store,
            clock: Arc::new(ManualClock::at(at(NOON))),
            guests: Arc::default(),
            sensors: Arc::default(),
            processes: AtomicU64::new(0),
        };
        world.write("pack.yaml", "ref: t\nname: Test\ndescription: x\nversion: 1.0.0\nauthor: The project\n");
        world.write(
            "actions/quick.yaml",
            "description: x\nrunner_type: noop\nparameters: {n: {}, text: {type: string}}\n",
        );
        world.write("actions/wait.yaml", "description: x\nrunner_type: wasm\n");
        world.write("actions/strict.yaml", "description: x\nrunner_type: noop\nparameters: {n: {type: integer}}\n");
        let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
        std::fs::create_dir_all(world.directory.path().join("t/components")).unwrap();
        std::fs::copy(guest, world.directory.path().join("t/components/t.wasm")).unwrap();
        for (name, text) in rules {
            world.rule(name, text);
        }
        world
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join("t").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.directory.path().join("t").join(path)).unwrap();
    }

    pub(crate) fn rule(&self, name: &str, text: &str) {
        self.write(&format!("rules/{name}.yaml"), &format!("description: x\n{text}\n"));
    }

    pub(crate) fn library(&self) -> Library {
        let (library, report) = Library::load(&[self.directory.path().to_owned()], None);
        assert!(!report.has_errors(), "{}", report.plain());
        library
    }

    /// A process that takes up what was left.
    pub(crate) fn start(&self) -> Process {
        self.start_with(limits::QUEUE_MAX)
    }

    /// One that takes few executions at a time.
    pub(crate) fn start_with(&self, queue_max: usize) -> Process {
        let number = self.processes.fetch_add(1, Ordering::SeqCst);
        let runtime = runtime();
        let entropy = Arc::new(SeededEntropy::new(1 + number));
        let packs = Arc::new(Packs::new(PacksOptions {
            library: self.library(),
            grants: Grants::default(),
            connections: Connections::none(&Limits::default()),
            simulate: false,
            archive: None,
        }));
        let (executor, triggers) = runtime.block_on(async {
            let executor = Executor::new(ExecutorOptions {
                node: NodeId(format!("process {number}")),
                guests: self.guests.clone(),
                store: self.store.clone(),
                packs: packs.clone(),
                clock: self.clock.clone(),
                entropy: entropy.clone(),
                verify: true,
                queue_max,
            });
            let triggers = Triggers::start(TriggersOptions {
                executor: executor.clone(),
                store: self.store.clone(),
                packs: packs.clone(),
                clock: self.clock.clone(),
                entropy,
                sensors: self.sensors.clone(),
            });
            let triggers = triggers.await.unwrap();
            executor.recover_all().await.unwrap();
            (executor, triggers)
        });
        Process { clock: self.clock.clone(), store: self.store.clone(), runtime, executor, triggers, packs }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A process. Its tasks run only while something is awaited in it.
pub(crate) struct Process {
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    runtime: Runtime,
    pub(crate) executor: Executor,
    pub(crate) triggers: Triggers,
    pub(crate) packs: Arc<Packs>,
}

impl Process {
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Dies at this very moment.
    pub(crate) fn dies(self) {
        let Self { runtime: own, executor, triggers, store, .. } = self;
        drop(own);
        drop((executor, triggers));
        // What it gave the store before is written by now, or never: its writer would have died with it.
        let last = Advance::Mark { name: "last".to_owned(), value: String::new() };
        runtime().block_on(store.record(Vec::new(), vec![last])).unwrap();
    }

    /// Ends as it should.
    pub(crate) fn ends(self) {
        self.run(async {
            self.triggers.shutdown().await;
            self.executor.shutdown().await;
        });
    }

    /// Lets its tasks run a little: `turns` of them.
    pub(crate) fn turns(&self, turns: usize) {
        self.run(async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Sets the clock, and waits until nothing follows from it any more.
    pub(crate) fn sets_clock(&self, to: Timestamp) {
        self.clock.set(to);
        self.triggers.look_at_clock();
        self.settles();
    }

    pub(crate) fn passes(&self, seconds: i64) {
        self.sets_clock(self.clock.now().plus_ms(seconds * 1000));
    }

    /// Waits until every match that can be dispatched is.
    pub(crate) fn settles(&self) {
        self.turns(50);
        self.until("no instant is due", || async {
            let schedules = self.triggers.schedules(1);
            schedules.iter().all(|one| one.next.first().is_none_or(|next| *next > self.clock.now()))
        });
        let store = self.store.clone();
        self.until("every match is dispatched", || {
            let store = store.clone();
            async move {
                let open = store.open_events(None, 1000).await.unwrap();
                let pending = |event: &Event| event.matches.iter().any(|one| one.state == MatchState::Pending);
                !open.iter().any(pending)
            }
        });
    }

    /// Waits for a condition, and fails when it takes too long.
    pub(crate) fn until<F: Future<Output = bool>>(&self, what: &str, condition: impl Fn() -> F) {
        let deadline = Instant::now() + Duration::from_secs(30);
        self.run(async {
            while !condition().await {
                assert!(Instant::now() < deadline, "it does not come to this: {what}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }

    pub(crate) fn deliver(&self, path: &str, key: Option<&str>, body: Value) -> Result<Delivered, TriggerError> {
        self.run(delivered(&self.triggers, path, key, body))
    }

    /// What has become of a match.
    pub(crate) fn state(&self, event: &Event, rule: &str) -> MatchState {
        let event = self.run(self.store.event(event.id)).unwrap();
        event.matches.iter().find(|one| one.rule.as_str() == rule).unwrap().state.clone()
    }

    /// Events, the oldest first.
    pub(crate) fn events(&self, trigger: &str) -> Vec<Event> {
        let filter = EventFilter { trigger: Some(trigger.parse().unwrap()), ..EventFilter::default() };
        let mut events = self.run(self.store.events(&filter, None, 100_000)).unwrap();
        events.reverse();
        events
    }

    /// Executions of a rule, the oldest first.
    pub(crate) fn executions(&self, rule: &str) -> Vec<ExecutionRecord> {
        let rule = Some(rule.parse::<RuleRef>().unwrap());
        let filter = ExecutionFilter { rule, order: Order::Oldest, ..ExecutionFilter::default() };
        self.run(Catalogue::list(&*self.store, &filter, None, 100_000)).unwrap()
    }

    /// Takes in the packs as they are now.
    pub(crate) fn swaps(&self, world: &World) {
        self.packs.swap(world.library());
        self.turns(50);
    }
}

pub(crate) async fn delivered(
    triggers: &Triggers,
    path: &str,
    key: Option<&str>,
    body: Value,
) -> Result<Delivered, TriggerError> {
    let endpoint = triggers.endpoints(path).first().expect("an endpoint").clone();
    let payload =
        json!({"body": body, "headers": {}, "headers_lower": {}, "query": {}, "method": "POST", "path": path});
    let key = key.map(str::to_owned);
    triggers.deliver(Delivery { endpoint, key, payload, trace_parent: None }).await
}

/// Actions that run until they are let go, or cancelled.
#[derive(Default)]
pub(crate) struct Waiting {
    /// Those that run, in the order of their start.
    running: Mutex<Vec<(ExecutionId, Arc<tokio::sync::Notify>)>>,
}

impl Waiting {
    pub(crate) fn running(&self) -> Vec<ExecutionId> {
        self.running.lock().iter().map(|(id, _)| *id).collect()
    }

    /// Lets the first of them end.
    pub(crate) fn release_first(&self) -> Option<ExecutionId> {
        let (id, gate) = self.running.lock().first().cloned()?;
        gate.notify_one();
        Some(id)
    }
}

/// Takes an action out of those that run, also when its process dies.
struct Leave<'a>(&'a Waiting, ExecutionId);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.running.lock().retain(|(id, _)| *id != self.1);
    }
}

#[async_trait]
impl Guests for Waiting {
    async fn run(&self, call: Call) -> Outcome {
        let gate = Arc::new(tokio::sync::Notify::new());
        self.running.lock().push((call.execution, gate.clone()));
        let _leave = Leave(self, call.execution);
        tokio::select! {
            () = gate.notified() => Outcome::Succeeded { result: json!({"done": true}) },
            () = call.cancel.cancelled() => Outcome::Canceled,
        }
    }
}

/// Sensors that find what a test says.
#[derive(Default)]
pub(crate) struct Scripted {
    /// What the next polls of a sensor find; after the last, nothing.
    pub(crate) finds: Mutex<BTreeMap<String, Vec<Result<Polled, Failure>>>>,
    /// The cursors with which each was polled.
    pub(crate) polls: Mutex<BTreeMap<String, Vec<Option<String>>>>,
    /// Polls that run at this moment, and the most that did.
    pub(crate) at_once: Mutex<(usize, usize)>,
    /// Polls wait for this, if it is there.
    pub(crate) gate: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
}

impl Scripted {
    pub(crate) fn finds(&self, sensor: &str, what: Result<Polled, Failure>) {
        self.finds.lock().entry(sensor.to_owned()).or_default().push(what);
    }

    pub(crate) fn polls(&self, sensor: &str) -> Vec<Option<String>> {
        self.polls.lock().get(sensor).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl Sensors for Scripted {
    async fn poll(
        &self,
        _: Arc<Pack>,
        sensor: Arc<Sensor>,
        cursor: Option<String>,
        cancel: CancellationToken,
    ) -> Result<Polled, Failure> {
        let name = sensor.reference.to_string();
        self.polls.lock().entry(name.clone()).or_default().push(cursor);
        let gate = self.gate.lock().clone();
        if let Some(gate) = gate {
            {
                let mut at_once = self.at_once.lock();
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            tokio::select! {
                permit = gate.acquire() => permit.unwrap().forget(),
                () = cancel.cancelled() => {}
            }
            self.at_once.lock().0 -= 1;
        }
        let mut finds = self.finds.lock();
        match finds.get_mut(&name) {
            Some(finds) if !finds.is_empty() => finds.remove(0),
            _ => Ok(Polled { events: Vec::new(), cursor: None }),
        }
    }
}
