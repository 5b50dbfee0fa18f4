//! The executor: takes requests and orders, drives what they begin, takes up what a lost process left.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use parking_lot::Mutex;
use runner_model::{
    ActionRef, Clock, Entropy, ExecutionId, ExecutionView, Fact, FencingToken, NodeId, Origin, PackRef, Requested,
    Status, Timestamp, Version, limits,
};
use runner_pack::{Action, Pack};
use runner_store::{Catalogue, Claimed, Journal, Leases, Store, StoreError, WaitFilter, Waits};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::begin::BeginError;
use crate::control::{Control, ControlError};
use crate::drive::Drive;
use crate::error::{ExecutorError, RequestError};
use crate::gate::{self, Closed, Gate, Policies};
use crate::guests::Guests;
use crate::progress::{Herald, Listener};
use crate::registry::{Order, Registry, Sent};
use crate::whole::Whole;
use crate::{Delayed, Execution, ExecutionRequest, Load, Packs, alarm, lease, measure};

/// What an executor is made of.
pub struct ExecutorOptions {
    /// The name under which it owns executions: unique to the process.
    pub node: NodeId,
    /// Runs actions that are code.
    pub guests: Arc<dyn Guests>,
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// What there is to run.
    pub packs: Arc<Packs>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// Whether every commit is followed by a comparison of the state with one that was made of the entries alone. For
    /// tests and simulations: `cfg!(debug_assertions)`.
    pub verify: bool,
    /// Executions at work or waiting for a policy's leave before requests from outside are refused
    /// ([`limits::QUEUE_MAX`]). Parked ones do not count.
    pub queue_max: usize,
}

/// Whose end somebody wants to deal with ([`Executor::announce`]).
pub type Wanted = Arc<dyn Fn(&ActionRef) -> bool + Send + Sync>;

/// Drives executions. A clone is the same executor.
#[derive(Clone)]
pub struct Executor {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: ExecutorOptions,
    pub(crate) registry: Registry,
    /// Where policies are kept.
    pub(crate) gate: Arc<Gate>,
    pub(crate) events: broadcast::Sender<crate::ProgressEvent>,
    /// Everything that runs in the background, to be waited for at the end.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// Set when nothing new is to begin.
    pub(crate) draining: AtomicBool,
    /// Attempts that run, or wait for a place among the guests.
    pub(crate) attempts: AtomicUsize,
    pub(crate) wanted: Mutex<Option<Wanted>>,
}

impl Executor {
    /// An executor that also keeps the leases of its executions, and wakes those that wait.
    #[must_use]
    pub fn new(options: ExecutorOptions) -> Self {
        measure::describe();
        let policies = Policies::of(&options.packs.library());
        let gate = Arc::new(Gate::new(options.clock.clone(), policies));
        let shared = Arc::new(Shared {
            options,
            gate,
            registry: Registry::default(),
            events: broadcast::channel(limits::PROGRESS_QUEUE_MAX).0,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            draining: AtomicBool::new(false),
            attempts: AtomicUsize::new(0),
            wanted: Mutex::default(),
        });
        shared.tasks.spawn(lease::renew(shared.clone()));
        shared.tasks.spawn(alarm::watch(shared.clone()));
        shared.tasks.spawn(gate::watch(shared.clone()));
        Self { shared }
    }

    /// Checks a request, records it, and begins to drive it. When this returns the execution is durable.
    ///
    /// # Errors
    /// The request is wrong, too much is at work already, the process stops, there is an execution with the id that was
    /// asked for, or it cannot be recorded.
    pub async fn submit(&self, request: ExecutionRequest) -> Result<Execution, RequestError> {
        self.shared.admit()?;
        let new = || ExecutionId::new(&*self.shared.options.clock, &*self.shared.options.entropy);
        let id = request.id.unwrap_or_else(new);
        // Dropped, it forgets that somebody waited for the end.
        let execution = self.execution(id);
        let herald = Herald::new(id, id, self.shared.events.clone());
        let shared = self.shared.clone();
        let begun = Whole::new(&self.shared.tasks, async move { shared.begin(request, id, herald, None).await }).await;
        match begun.unwrap_or(Err(BeginError::Executor(ExecutorError::Interrupted))) {
            Ok(()) => Ok(execution),
            Err(BeginError::Executor(ExecutorError::Store(StoreError::Exists))) => Err(RequestError::Exists { id }),
            Err(BeginError::Request(error)) => Err(error),
            Err(BeginError::Executor(error)) => Err(RequestError::Begin(error)),
        }
    }

    /// Takes up an execution that a lost process left, where its journal ends. One that this process drives already is
    /// simply watched.
    ///
    /// # Errors
    /// Another process works on it, its pack is not installed or has changed, or the store failed.
    pub async fn recover(&self, id: ExecutionId) -> Result<Execution, ExecutorError> {
        let execution = self.execution(id);
        let shared = self.shared.clone();
        let taken = Whole::new(&self.shared.tasks, async move { shared.take_up(id, None).await }).await;
        taken.unwrap_or(Err(ExecutorError::Interrupted)).map(|()| execution)
    }

    /// Takes up every open execution that no living process has. What waits for a time or an answer stays parked.
    /// Gives how many they are.
    ///
    /// # Errors
    /// The store failed.
    pub async fn recover_all(&self) -> Result<usize, ExecutorError> {
        let shared = self.shared.clone();
        let work = async move {
            shared.registry.recovery_begins();
            let taken = shared.take_up_all().await;
            shared.registry.recovery_ends();
            taken
        };
        Whole::new(&self.shared.tasks, work).await.unwrap_or(Err(ExecutorError::Interrupted))
    }

    /// Asks something of an execution, wherever it stands; one that this process does not have is taken up for it.
    /// When this returns it is recorded. Gives the status it then has.
    ///
    /// # Errors
    /// It cannot be done now, or another process works on the execution ([`ExecutorError::Owned`]).
    pub async fn control(&self, id: ExecutionId, control: Control) -> Result<Status, ControlError> {
        let shared = self.shared.clone();
        let done = Whole::new(&self.shared.tasks, async move { shared.control(id, control).await }).await;
        done.unwrap_or_else(|_| Err(ExecutorError::Interrupted.into()))
    }

    /// Brings an event to the steps that wait for its key. Gives the executions that took it.
    ///
    /// # Errors
    /// The store failed. Executions of other processes are left out.
    pub async fn deliver(
        &self,
        by: &str,
        key: &str,
        payload: &serde_json::Value,
    ) -> Result<Vec<ExecutionId>, ExecutorError> {
        let filter = WaitFilter { key: Some(key.to_owned()), ..WaitFilter::default() };
        let waits = Waits::waits(&*self.shared.options.store, &filter, limits::STORE_BATCH_MAX).await?;
        let mut ids: Vec<_> = waits.iter().map(|wait| wait.execution).collect();
        ids.dedup();
        let mut took = Vec::new();
        for id in ids {
            let control = Control::Event { by: by.to_owned(), key: key.to_owned(), payload: payload.clone() };
            if self.control(id, control).await.is_ok() {
                took.push(id);
            }
        }
        Ok(took)
    }

    /// Watches an execution that this process has; to be called before it can end.
    #[must_use]
    pub fn execution(&self, id: ExecutionId) -> Execution {
        let progress = Some(self.listen_to(id));
        Execution { id, progress, executor: self.clone(), finished: self.shared.registry.wait_for(id) }
    }

    pub(crate) fn listen_to(&self, id: ExecutionId) -> Listener {
        Listener::new(Some(id), self.shared.events.subscribe())
    }

    /// What happens in all executions.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener::new(None, self.shared.events.subscribe())
    }

    /// How many executions are at work here, and how many are parked.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let (at_work, parked, _) = self.shared.registry.count();
        (at_work, parked)
    }

    /// What there is to do.
    #[must_use]
    pub fn load(&self) -> Load {
        self.shared.load_now()
    }

    /// What an execution of this process waits for because of policies.
    #[must_use]
    pub fn delayed(&self, id: ExecutionId) -> Vec<Delayed> {
        self.shared.gate.waits(id)
    }

    /// How many executions may be at work before new ones are refused.
    #[must_use]
    pub fn queue_max(&self) -> usize {
        self.shared.options.queue_max
    }

    /// Whether a request from outside would be refused now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.is_full()
    }

    /// Says whose end goes, in the same commit, into the store's list of ends to be dealt with
    /// ([`runner_store::Events::ended`]); none is nobody's.
    pub fn announce(&self, wanted: Option<Wanted>) {
        *self.shared.wanted.lock() = wanted;
    }

    /// What there is to run.
    #[must_use]
    pub fn packs(&self) -> &Arc<Packs> {
        &self.shared.options.packs
    }

    /// What remembers.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.options.store
    }

    /// Stops: what is still driven is left as its journal says, for another process to take up.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// How often an order is given to an execution that ends or is parked while it is given.
const ASKED_MAX: usize = 3;

impl Shared {
    /// Drives an execution in the background, to its end or until it is parked.
    pub(crate) fn drive(self: &Arc<Self>, drive: Drive, mailbox: mpsc::UnboundedReceiver<Order>) {
        let shared = self.clone();
        self.tasks.spawn(async move {
            let (id, parent) = (drive.id(), drive.parent());
            tokio::select! {
                biased;
                () = shared.stop.cancelled() => {}
                result = drive.run(mailbox) => shared.ended(id, parent, result),
            }
        });
    }

    /// An execution is not driven any more: it has ended, it failed to be driven, or it is parked (none).
    pub(crate) fn ended(
        self: &Arc<Self>,
        id: ExecutionId,
        parent: Option<ExecutionId>,
        result: Result<Option<ExecutionView>, ExecutorError>,
    ) {
        match result {
            // Whoever waits goes on waiting; the parent looks whether it may be parked too.
            Ok(None) => {
                if let Some(parent) = parent.filter(|parent| !self.registry.is_parked(*parent)) {
                    self.order(parent, Order::Look);
                }
            }
            Ok(Some(view)) => {
                self.gate.leave(id);
                measure::execution(&view);
                tracing::debug!(execution_id = %id, status = %view.record.status, "execution ended");
                self.registry.end(id, Ok(view));
                if let Some(parent) = parent {
                    self.order(parent, Order::ChildEnded(id));
                }
            }
            Err(error) => {
                tracing::warn!(execution_id = %id, %error, "execution not driven");
                if error.may_pass() { self.revive(id) } else { self.give_up(id, error) }
            }
        }
    }

    /// An execution cannot be driven here.
    pub(crate) fn give_up(&self, id: ExecutionId, error: ExecutorError) {
        self.gate.leave(id);
        self.registry.end(id, Err(error));
    }

    /// Takes an execution up again, where its journal ends, as soon as the store works again. Whether what could not be
    /// written was written after all shows then.
    pub(crate) fn revive(self: &Arc<Self>, id: ExecutionId) {
        self.registry.leave(id);
        // It stands in line again when it is taken up; a place that it has as a whole it keeps.
        self.gate.keep(id, &BTreeSet::new());
        let shared = self.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = shared.stop.cancelled() => return,
                    () = tokio::time::sleep(limits::STORE_RETRY_LAST) => {}
                }
                match shared.take_up(id, None).await {
                    Ok(()) => return shared.tell_parent_of(id).await,
                    Err(error) if error.may_pass() => {}
                    Err(error) => return shared.give_up(id, error),
                }
            }
        });
    }

    /// What the parent of an execution asked of it in the meantime is lost: the parent looks, and asks again.
    async fn tell_parent_of(self: &Arc<Self>, id: ExecutionId) {
        let record = Catalogue::get(&*self.options.store, id).await;
        if let Some(parent) = record.ok().and_then(|record| record.origin.parent()) {
            self.order(parent, Order::Look);
        }
    }

    /// Brings an order to an execution of this process; one that is parked is brought back for it.
    pub(crate) fn order(self: &Arc<Self>, id: ExecutionId, order: Order) {
        if let Sent::Woken(parked, mailbox) = self.registry.send(id, order) {
            let shared = self.clone();
            self.tasks.spawn(async move { shared.load_and_drive(id, parked.token, mailbox).await });
        }
    }

    async fn control(self: &Arc<Self>, id: ExecutionId, control: Control) -> Result<Status, ControlError> {
        if self.stop.is_cancelled() {
            return Err(ExecutorError::Draining { id }.into());
        }
        // An execution may end, or be parked, at the very moment at which it is asked.
        for _ in 0..ASKED_MAX {
            if let Some(result) = self.ask(id, control.clone()).await? {
                return result;
            }
        }
        let record = Catalogue::get(&*self.options.store, id).await.map_err(ExecutorError::from)?;
        Err(match record.status.is_terminal() {
            true => ControlError::Ended { id, status: record.status },
            false if self.is_draining() => ExecutorError::Draining { id }.into(),
            false => ExecutorError::Interrupted.into(),
        })
    }

    /// Asks once; none if nobody was there any more to take the order.
    async fn ask(
        self: &Arc<Self>,
        id: ExecutionId,
        control: Control,
    ) -> Result<Option<Result<Status, ControlError>>, ControlError> {
        let (sender, answer) = oneshot::channel();
        match self.registry.send(id, Order::Control(control, sender)) {
            Sent::Delivered => {}
            Sent::Woken(parked, mailbox) => self.load_and_drive(id, parked.token, mailbox).await,
            Sent::Unknown(order) => {
                if let Err(error) = self.take_up(id, Some(order)).await {
                    if error.may_pass() {
                        // What was asked may be recorded all the same; then somebody has to go on with it.
                        self.revive(id);
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(answer.await.ok())
    }

    /// Claims an execution that this process does not have, and drives it.
    pub(crate) async fn take_up(self: &Arc<Self>, id: ExecutionId, order: Option<Order>) -> Result<(), ExecutorError> {
        let Some(mailbox) = self.registry.enter(id) else {
            self.order(id, order.unwrap_or(Order::Look));
            return Ok(());
        };
        let now = self.options.clock.now();
        let claimed = Leases::claim(&*self.options.store, id, &self.options.node, now, lease::until(now)).await;
        let lease = match claimed {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                self.registry.leave(id);
                return Err(ExecutorError::Owned { id });
            }
            Err(error) => {
                self.registry.leave(id);
                return Err(error.into());
            }
        };
        let obeyed = async {
            let mut drive = self.load(id, lease.token).await?;
            if let Some(order) = order {
                drive.obey(order).await?;
            }
            Ok(drive)
        };
        match obeyed.await {
            Ok(drive) => {
                self.drive(drive, mailbox);
                Ok(())
            }
            Err(error) => {
                self.registry.leave(id);
                // What cannot be driven here may be driven elsewhere.
                let _ = Leases::release(&*self.options.store, id, lease.token).await;
                Err(error)
            }
        }
    }

    async fn take_up_all(self: &Arc<Self>) -> Result<usize, ExecutorError> {
        let options = &self.options;
        // Those who came first go first: the line moves when all of them stand in it.
        let closed = Arc::new(self.gate.close());
        let now = options.clock.now();
        Leases::renew(&*options.store, &options.node, lease::until(now)).await?;
        let mut count = 0;
        loop {
            let claimed = options.store.claim_open(&options.node, now, limits::STORE_BATCH_MAX).await?;
            let is_last = claimed.len() < limits::STORE_BATCH_MAX;
            count += claimed.len();
            for Claimed { lease, wake_at } in claimed {
                match wake_at {
                    Some(wake_at) if !self.may_have_place(lease.id).await => {
                        let look = first_look(lease.id, now);
                        let wake_at = wake_at.map_or(look, |wake_at| wake_at.min(look));
                        self.registry.adopt(lease.id, lease.token, Some(wake_at));
                    }
                    _ => self.resume_claimed(lease.id, lease.token, closed.clone()),
                }
            }
            if is_last {
                return Ok(count);
            }
        }
    }

    /// Whether an execution that only waits may have a place as a whole: one of a workflow that a policy is about.
    async fn may_have_place(&self, id: ExecutionId) -> bool {
        self.gate.is_used()
            && Catalogue::get(&*self.options.store, id).await.is_ok_and(|record| self.gate.governs(&record.action))
    }

    /// Drives an execution that was claimed together with others.
    fn resume_claimed(self: &Arc<Self>, id: ExecutionId, token: FencingToken, closed: Arc<Closed>) {
        let Some(mailbox) = self.registry.enter(id) else { return };
        let shared = self.clone();
        self.tasks.spawn(async move {
            shared.load_and_drive(id, token, mailbox).await;
            drop(closed);
        });
    }

    /// Reads an execution that this process owns, and drives it; what goes wrong is told to those who wait for its end.
    async fn load_and_drive(
        self: &Arc<Self>,
        id: ExecutionId,
        token: FencingToken,
        mailbox: mpsc::UnboundedReceiver<Order>,
    ) {
        let loaded = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            loaded = self.load(id, token) => loaded,
        };
        match loaded {
            Ok(drive) => self.drive(drive, mailbox),
            Err(error) => self.ended(id, None, Err(error)),
        }
    }

    /// Reads an execution that this process owns, and looks at what a lost process left under way. What is decided then
    /// is recorded: it stands in line for what it waits for.
    async fn load(self: &Arc<Self>, id: ExecutionId, token: FencingToken) -> Result<Drive, ExecutorError> {
        let entries = Journal::read(&*self.options.store, id, Version(0)).await?;
        let Some(Fact::Requested(requested)) = entries.first().map(|entry| &entry.fact) else {
            return Err(runner_engine::Mismatch { what: "it does not begin with a request".to_owned() }.into());
        };
        if requested.simulate != self.options.packs.simulate() {
            return Err(ExecutorError::OtherWorld { id, simulated: requested.simulate });
        }
        let missing = || ExecutorError::Missing { action: requested.action.clone() };
        let (pack, action) = self.version_of(requested).await.ok_or_else(missing)?;
        let plan = action.plan();
        let config = Arc::new(pack.config.clone());
        let root = self.root_of(id, &requested.origin).await;
        let herald = Herald { depth: requested.depth, ..Herald::new(root, id, self.events.clone()) };
        let state = runner_engine::State::replay(&plan, id, &entries, config).map_err(|stop| match stop {
            runner_engine::Stop::Mismatch(mismatch) => ExecutorError::from(mismatch),
            // A journal records what its decisions read; one that lacks a value was made by another plan.
            runner_engine::Stop::NeedsKv { key } => {
                runner_engine::Mismatch { what: format!("it does not record the value of the key `{key}`") }.into()
            }
        })?;
        let mut drive = Drive::reopen(self.clone(), pack, plan, herald, token, state, entries);
        drive.take_up().await?;
        drive.decide_all().await?;
        Ok(drive)
    }

    /// The action of an execution in the version of its pack that it began with; where that is lost, in the current one.
    async fn version_of(&self, requested: &Requested) -> Option<(Arc<Pack>, Arc<Action>)> {
        let packs = &self.options.packs;
        let reference = PackRef::new(requested.action.pack()).ok()?;
        let pinned = packs.pinned_version(&reference, &requested.pack_digest).await;
        packs.action_for(pinned.as_ref(), &requested.action)
    }

    /// The outermost execution that this one belongs to. Looked up only if somebody listens.
    async fn root_of(&self, id: ExecutionId, origin: &Origin) -> ExecutionId {
        let mut root = (id, origin.clone());
        while let Some(execution) = root.1.parent() {
            if self.events.receiver_count() == 0 {
                break;
            }
            match Catalogue::get(&*self.options.store, execution).await {
                Ok(parent) => root = (execution, parent.origin),
                Err(_) => break,
            }
        }
        root.0
    }
}

/// When an execution that another process had parked is looked at for the first time: the end of a part of it, which a
/// third process drove, may have gone unheard. Spread by its id, so that not all are looked at together.
fn first_look(id: ExecutionId, now: Timestamp) -> Timestamp {
    let number = id.as_bytes().iter().rev().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    let spread = u32::try_from(limits::FIRST_LOOK_SPREAD.as_millis()).unwrap_or(u32::MAX);
    let first = i64::try_from(limits::FIRST_LOOK.as_millis()).unwrap_or(i64::MAX);
    now.plus_ms(first + i64::from(number % spread))
}
