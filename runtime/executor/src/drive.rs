//! Driving one execution: decide, record, act, and again; until it has ended, or only waits.

mod ahead;
mod attempts;
mod children;
mod decide;
mod journal;
mod names;
mod orders;
mod take_up;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runner_engine::{InFlight, Plan, State, UnitId};
use runner_model::{
    ActionRef, AttemptNumber, Entry, ExecutionId, ExecutionView, Fact, FencingToken, Outcome, Status, TaskName,
    Timestamp, Version, limits,
};
use runner_pack::{Action, Pack};
use runner_store::{Catalogue, Lease, StoreError};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::ahead::Flight;
use self::attempts::Attempts;
use self::names::Names;
use crate::alarm;
use crate::attempt::{self, Ended};
use crate::error::ExecutorError;
use crate::executor::Shared;
use crate::gate::Place;
use crate::progress::{Herald, Progress};
use crate::registry::Order;

/// One execution that this process owns.
pub(crate) struct Drive {
    shared: Arc<Shared>,
    /// The version of its pack that it began with.
    pack: Arc<Pack>,
    plan: Arc<Plan>,
    /// The token of the lease; none until the execution is recorded for the first time.
    token: Option<FencingToken>,
    state: State,
    /// What the entries alone make of it, if that is compared.
    shadow: Option<Box<State>>,
    /// The journal as recorded; after it what is on its way there; after that what is decided since.
    entries: Vec<Entry>,
    recorded: usize,
    taken: usize,
    /// What is on its way, in a relaxed workflow.
    flight: Option<Flight>,
    /// What is told of what is decided, once so many entries are recorded.
    untold: Vec<(usize, Timestamp, Progress)>,
    /// What is to begin once its intent is recorded.
    due: Vec<Due>,
    /// What steps are called in their idempotency keys, where that is not their number.
    names: Names,
    herald: Herald,
    attempts: Attempts,
    running: BTreeMap<UnitId, Running>,
    /// Executions that steps started, and until when they may run.
    children: BTreeMap<ExecutionId, Child>,
    signals: mpsc::UnboundedSender<attempt::Signal>,
    heard: mpsc::UnboundedReceiver<attempt::Signal>,
    /// Whether to look at the leases of other processes again: one of them has a child of this execution.
    adopts: BTreeSet<ExecutionId>,
    /// Attempts of a lost process that are to be made again.
    again: BTreeMap<UnitId, InFlight>,
    /// What was asked of policies when it was last decided what is to be done; none is the execution as a whole.
    asked: BTreeSet<Option<UnitId>>,
    /// When that was: what the time said until then is done, or waits for a policy's leave.
    decided_at: Timestamp,
}

/// What an execution waits for.
enum News {
    Order(Order),
    Signal(attempt::Signal),
    Ended(Result<Ended, tokio::task::JoinError>),
    /// What was on its way is recorded, and something follows from that.
    Landed,
    Time,
}

/// An attempt that runs.
struct Running {
    cancel: CancellationToken,
    /// What it last said about its progress and is not recorded, and when something was.
    progress: Option<String>,
    recorded_at: Option<Timestamp>,
}

/// An execution that a step started.
#[derive(Clone, Copy)]
struct Child {
    unit: UnitId,
    attempt: AttemptNumber,
    deadline: Option<Timestamp>,
    /// Whether it was cancelled because its time is over.
    is_late: bool,
    /// Whether it said that it is paused.
    is_paused: bool,
}

/// An attempt that is recorded as begun and is to begin.
struct Due {
    unit: UnitId,
    attempt: AttemptNumber,
    task: TaskName,
    action: ActionRef,
    input: Arc<Value>,
    deadline: Option<Timestamp>,
    heartbeat_ms: Option<i64>,
    progress: Option<String>,
    /// The place that policies gave it.
    place: Option<Place>,
}

impl Drive {
    /// An execution that is asked for: decided as far as it goes without an attempt, and recorded in one commit.
    pub(crate) async fn open(
        shared: Arc<Shared>,
        pack: Arc<Pack>,
        plan: Arc<Plan>,
        herald: Herald,
        requested: Entry,
        secrets: Vec<String>,
        state: State,
    ) -> Result<Self, ExecutorError> {
        let mut drive = Self::new(shared, pack, plan, herald, None, state, vec![requested]);
        if !secrets.is_empty() {
            drive.take(Fact::SecretsLearned { texts: secrets }).await?;
        }
        drive.decide_all().await?;
        Ok(drive)
    }

    /// An execution that is recorded.
    pub(crate) fn reopen(
        shared: Arc<Shared>,
        pack: Arc<Pack>,
        plan: Arc<Plan>,
        herald: Herald,
        token: FencingToken,
        state: State,
        entries: Vec<Entry>,
    ) -> Self {
        let recorded = entries.len();
        let mut drive = Self::new(shared, pack, plan, herald, Some(token), state, entries);
        (drive.recorded, drive.taken) = (recorded, recorded);
        drive
    }

    fn new(
        shared: Arc<Shared>,
        pack: Arc<Pack>,
        plan: Arc<Plan>,
        herald: Herald,
        token: Option<FencingToken>,
        state: State,
        entries: Vec<Entry>,
    ) -> Self {
        let (signals, heard) = mpsc::unbounded_channel();
        let shadow = shared.options.verify.then(|| Box::new(state.clone()));
        let mut names = Names::default();
        for entry in &entries {
            herald.mask.learn_fact(&entry.fact);
            names.learn(&plan, &state, entry);
        }
        Self {
            shared,
            pack,
            plan,
            token,
            state,
            shadow,
            entries,
            recorded: 0,
            taken: 0,
            flight: None,
            untold: Vec::new(),
            due: Vec::new(),
            names,
            herald,
            attempts: Attempts::default(),
            running: BTreeMap::new(),
            children: BTreeMap::new(),
            signals,
            heard,
            adopts: BTreeSet::new(),
            again: BTreeMap::new(),
            asked: BTreeSet::new(),
            decided_at: Timestamp::default(),
        }
    }

    pub(crate) const fn id(&self) -> ExecutionId {
        self.herald.execution
    }

    /// An action and its pack, as this execution calls it: one of its own pack in the version that it began with.
    fn action(&self, action: &ActionRef) -> Option<(Arc<Pack>, Arc<Action>)> {
        self.shared.options.packs.action_for(Some(&self.pack), action)
    }

    /// The execution of which a step started this one.
    pub(crate) fn parent(&self) -> Option<ExecutionId> {
        self.requested().and_then(|requested| requested.origin.parent())
    }

    /// Drives it to its end, or until it only waits, or is left because the process stops (none). Dropping the future stops what runs and leaves the journal
    /// as it is.
    pub(crate) async fn run(
        mut self,
        mut mailbox: mpsc::UnboundedReceiver<Order>,
    ) -> Result<Option<ExecutionView>, ExecutorError> {
        let shared = self.shared.clone();
        let registry = &shared.registry;
        loop {
            self.decide_all().await?;
            for due in std::mem::take(&mut self.due) {
                self.attempts.hand_over();
                self.begin(due).await?;
            }
            if self.has_outstanding() {
                self.attempts.hand_over();
                continue;
            }
            if self.has_ended() && mailbox.is_empty() {
                return self.view().map(Some);
            }
            let rests = self.attempts.is_empty() && !self.is_ahead();
            if self.shared.is_draining() && rests && registry.drop_off(self.id(), &mailbox) {
                return Ok(None);
            }
            if rests && !self.has_ended() && self.park(&mut mailbox).await? {
                return Ok(None);
            }
            self.wait(&mut mailbox).await?;
        }
    }

    /// Whether beginning what was due has left something to decide.
    fn has_outstanding(&self) -> bool {
        self.taken < self.entries.len() || !self.due.is_empty()
    }

    /// Whether the end is decided and recorded.
    pub(crate) fn has_ended(&self) -> bool {
        self.state.status().is_terminal() && self.recorded == self.entries.len()
    }

    /// The journal as a reader sees it.
    pub(crate) fn view(&self) -> Result<ExecutionView, ExecutorError> {
        ExecutionView::fold(self.id(), &self.entries).ok_or(ExecutorError::Interrupted)
    }

    fn now(&self) -> Timestamp {
        let last = self.entries.last().map(|entry| entry.at).unwrap_or_default();
        // The journal's time never goes back, whatever the machine's clock does.
        self.shared.options.clock.now().max(last)
    }

    /// When the time says something new.
    fn next_due(&self) -> Option<Timestamp> {
        self.state.next_due_after(self.decided_at)
    }

    /// Waits for something to happen and takes everything that has happened.
    async fn wait(&mut self, mailbox: &mut mpsc::UnboundedReceiver<Order>) -> Result<(), ExecutorError> {
        let deadlines = self.children.values().filter(|child| !child.is_late).filter_map(|child| child.deadline);
        let mut next = deadlines.chain(self.next_due()).min();
        if !self.adopts.is_empty() {
            let look = self.now().plus_ms(ADOPT_MS);
            next = Some(next.map_or(look, |next| next.min(look)));
        }
        let clock = self.shared.options.clock.clone();
        let news = loop {
            tokio::select! {
                biased;
                landed = ahead::landing(&mut self.flight) => {
                    if landed.is_err() {
                        self.attempts.hand_over();
                    }
                    self.landed(landed).await?;
                    if !self.is_ahead() && (self.attempts.is_empty() || self.has_ended()) {
                        break News::Landed;
                    }
                    // Nothing follows from it.
                }
                Some(order) = mailbox.recv() => break News::Order(order),
                Some(signal) = self.heard.recv() => break News::Signal(signal),
                Some(ended) = self.attempts.next() => break News::Ended(ended),
                () = alarm::until(&*clock, next) => break News::Time,
            }
        };
        self.attempts.hand_over();
        match news {
            News::Order(order) => self.obey(order).await?,
            News::Signal(signal) => self.hear(signal).await?,
            News::Ended(ended) => self.ended(ended).await?,
            News::Landed | News::Time => {}
        }
        while let Ok(order) = mailbox.try_recv() {
            self.obey(order).await?;
        }
        while let Ok(signal) = self.heard.try_recv() {
            self.hear(signal).await?;
        }
        while let Some(ended) = self.attempts.try_next() {
            self.ended(ended).await?;
        }
        self.stop_late_children();
        self.adopt_again().await
    }

    async fn ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<(), ExecutorError> {
        // An attempt's task catches panics and is not aborted while its execution is driven.
        let Ended { unit, attempt, outcome } = ended.map_err(|_| ExecutorError::Interrupted)?;
        // What it said last is heard before its end is.
        while let Ok(signal) = self.heard.try_recv() {
            self.hear(signal).await?;
        }
        let running = self.running.remove(&unit);
        if let Some(progress) = running.and_then(|running| running.progress).filter(|_| outcome_may_repeat(&outcome)) {
            let (step, item) = (unit.step, unit.item);
            self.take(Fact::AttemptProgressed { step, item, attempt, progress }).await?;
        }
        self.finish(unit, attempt, outcome).await
    }

    /// Takes what an attempt says about its progress: recorded now and then, so that a later attempt can go on there.
    async fn hear(&mut self, signal: attempt::Signal) -> Result<(), ExecutorError> {
        let attempt::Signal { unit, attempt, progress } = signal;
        let now = self.now();
        let Some(running) = self.running.get_mut(&unit) else { return Ok(()) };
        let is_early = running.recorded_at.is_some_and(|at| now < at.plus_ms(limits::PROGRESS_RECORD_MS));
        if is_early {
            running.progress = Some(progress);
            return Ok(());
        }
        (running.progress, running.recorded_at) = (None, Some(now));
        self.take(Fact::AttemptProgressed { step: unit.step, item: unit.item, attempt, progress }).await
    }

    /// Parks the execution if it only waits, and not for something that is near; says whether it is parked now.
    async fn park(&mut self, mailbox: &mut mpsc::UnboundedReceiver<Order>) -> Result<bool, ExecutorError> {
        let registry = &self.shared.registry;
        let near = self.shared.options.clock.now().plus_ms(limits::PARK_AFTER_MS);
        let deadlines = self.children.values().filter_map(|child| child.deadline);
        let wake_at = deadlines.chain(self.next_due()).min();
        let works = !self.attempts.is_empty() || !self.running.is_empty() || !self.adopts.is_empty();
        let children_wait = self.children.keys().all(|child| registry.is_parked(*child));
        let (Some(token), false, true) = (self.token, works, children_wait) else { return Ok(false) };
        let delayed = self.shared.gate.is_waiting(self.id());
        if wake_at.is_some_and(|at| at <= near) || !registry.park(self.id(), token, wake_at, delayed, mailbox) {
            return Ok(false);
        }
        if delayed {
            // Whoever takes it up after a crash has to read it, so that it stands in line again.
            return Ok(true);
        }
        let store = &self.shared.options.store;
        let lease = Lease { id: self.id(), token, version: Version(u64::try_from(self.recorded).unwrap_or(u64::MAX)) };
        match store.park_if_unchanged(lease, wake_at).await {
            Ok(()) => {}
            // It belongs to somebody else: parked here it would keep its places in the policies' lines for good.
            Err(error @ StoreError::Fenced) => return Err(error.into()),
            // It is parked here; that the store does not know only makes it be read after a crash. Or it was woken and
            // has gone on in the meantime.
            Err(error) => tracing::debug!(execution_id = %self.id(), %error, "parking not recorded"),
        }
        // One that ended before this was recorded does not wake it any more, should the process end here.
        for child in self.children.keys() {
            if Catalogue::get(&**store, *child).await.is_ok_and(|record| record.status.is_terminal()) {
                self.shared.order(self.id(), Order::ChildEnded(*child));
            }
        }
        Ok(true)
    }
}

/// How often to look whether another process has given up a child, in milliseconds.
const ADOPT_MS: i64 = 5_000;

/// Whether an outcome can be followed by another attempt.
const fn outcome_may_repeat(outcome: &Outcome) -> bool {
    !matches!(outcome.status(), Status::Succeeded | Status::Canceled)
}
