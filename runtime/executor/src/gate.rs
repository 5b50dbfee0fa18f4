//! Policies: how many runs of an action there may be at a time, or in a time.
//!
//! - **A place is taken before an intent is recorded**, and given back when the attempt, or the execution of a
//!   workflow, has ended or is lost. Every attempt takes one anew: a retry and a poll stand at the end of the line.
//! - **What waits costs an entry here and nothing else.** Its journal says that it may begin and has not begun; when
//!   its turn has come its execution is called, and asks again.
//! - **Nothing here is durable.** After a restart the line is made again from the journals, in the same order: by the
//!   time of the request, of the schedule entry, or until which it was delayed. How fast runs have followed one another
//!   is forgotten.
//! - A wait (`core.ask`, `core.wait_for`) gives its place back as soon as it is open: it only waits.
//! - The execution of a workflow that a step started, while an execution around it has a place of the same policy, takes
//!   none: it would wait for itself. Of several that wait for one another the youngest is refused (`line/knot`).

mod line;
mod policy;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use runner_engine::UnitId;
use runner_model::{ActionRef, Clock, ExecutionId, PolicyRef, Timestamp};
use serde_json::Value;

use crate::alarm;
use crate::executor::Shared;
use crate::registry::Order;
pub(crate) use line::{Answer, Claim, Ticket};
use line::{Key, Line};
pub(crate) use policy::Policies;

pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    line: Mutex<Line>,
    policies: RwLock<Arc<Policies>>,
    /// Whether there is any policy or anybody in line: as a rule there is none, and this costs nothing.
    is_used: AtomicBool,
    /// Said when somebody is called, or is to be looked at earlier than before.
    bell: tokio::sync::Notify,
}

/// A place of an attempt; dropped, it is given back.
pub(crate) struct Place {
    gate: Arc<Gate>,
    keys: Vec<Key>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        self.gate.with(|line, now| line.give_back(keys, now));
    }
}

/// A run that waits for a policy's leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delayed {
    /// The step, and the item in one that runs over a list; none if it is the execution of a workflow as a whole.
    pub unit: Option<UnitId>,
    /// The policy.
    pub policy: PolicyRef,
    /// How many are before it.
    pub ahead: usize,
}

/// What an attempt is told that asks for a place.
pub(crate) enum Leave {
    Given(Option<Place>),
    Later,
    Refused(PolicyRef),
    /// It would wait for ever.
    Knotted(PolicyRef),
}

impl Gate {
    pub(crate) fn new(clock: Arc<dyn Clock>, policies: Policies) -> Self {
        let is_used = AtomicBool::new(!policies.is_empty());
        Self {
            clock,
            line: Mutex::default(),
            policies: RwLock::new(Arc::new(policies)),
            is_used,
            bell: tokio::sync::Notify::new(),
        }
    }

    /// Whether there may be anything to ask.
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Acquire)
    }

    /// Whether a policy is about this action.
    pub(crate) fn governs(&self, action: &ActionRef) -> bool {
        self.is_used() && self.policies.read().govern(action)
    }

    /// What a run of an action needs.
    pub(crate) fn claims(&self, action: &ActionRef, input: &Value) -> Vec<Claim> {
        self.policies.read().claims(action, input)
    }

    /// Asks for an attempt.
    pub(crate) fn ask(
        self: &Arc<Self>,
        ticket: Ticket,
        since: impl FnOnce() -> Timestamp,
        claims: Vec<Claim>,
    ) -> Leave {
        let answer = self.with(|line, now| line.ask(ticket, since, claims, now));
        self.leave_of(answer)
    }

    /// Asks for an execution as a whole; `around` are those that it was started in.
    pub(crate) fn ask_within(
        self: &Arc<Self>,
        execution: ExecutionId,
        around: Vec<ExecutionId>,
        since: Timestamp,
        claims: Vec<Claim>,
    ) -> Leave {
        let answer = self.with(|line, now| line.ask_within(execution, around, since, claims, now));
        self.leave_of(answer)
    }

    fn leave_of(self: &Arc<Self>, answer: Answer) -> Leave {
        match answer {
            Answer::Go(keys) if keys.is_empty() => Leave::Given(None),
            Answer::Go(keys) => Leave::Given(Some(Place { gate: self.clone(), keys })),
            Answer::Wait => Leave::Later,
            Answer::Refused(policy) => Leave::Refused(policy),
            Answer::Knotted(policy) => Leave::Knotted(policy),
        }
    }

    /// Counts the execution of a workflow that is at work already.
    pub(crate) fn hold(&self, execution: ExecutionId, claims: &[Claim]) {
        self.with(|line, now| line.hold(execution, claims, now));
    }

    pub(crate) fn keep(&self, execution: ExecutionId, asked: &BTreeSet<Option<UnitId>>) {
        if self.is_used() {
            self.with(|line, now| line.keep(execution, asked, now));
        }
    }

    /// An execution has ended, or is not driven here any more.
    pub(crate) fn leave(&self, execution: ExecutionId) {
        if self.is_used() {
            self.with(|line, now| line.leave(execution, now));
        }
    }

    pub(crate) fn is_waiting(&self, execution: ExecutionId) -> bool {
        self.is_used() && self.line.lock().is_waiting(execution)
    }

    pub(crate) fn inside(&self, execution: ExecutionId) -> Vec<PolicyRef> {
        self.line.lock().inside(execution)
    }

    /// A policy, its action, and what it allows, in words.
    pub(crate) fn policy(&self, policy: &PolicyRef) -> (PolicyRef, String, String) {
        let (action, allows) = self.policies.read().in_words(policy);
        (policy.clone(), action, allows)
    }

    pub(crate) fn waits(&self, execution: ExecutionId) -> Vec<Delayed> {
        let waits = self.line.lock().waits(execution);
        waits.into_iter().map(|(unit, policy, ahead)| Delayed { unit, policy, ahead }).collect()
    }

    /// Nobody goes while this lives.
    pub(crate) fn close(self: &Arc<Self>) -> Closed {
        self.line.lock().close();
        Closed(self.clone())
    }

    /// Other policies hold from now on. What waits for one that is gone is let go.
    fn replace(&self, policies: Policies) {
        let policies = Arc::new(policies);
        *self.policies.write() = policies.clone();
        self.with(|line, now| line.revise(|key| policies.limit(key), now));
        let is_used = !policies.is_empty() || !self.line.lock().is_empty();
        self.is_used.store(is_used, Ordering::Release);
    }

    /// Does something with the line, and has those called for whom it changes something.
    fn with<T>(&self, work: impl FnOnce(&mut Line, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut line = self.line.lock();
        let before = line.next_time();
        let done = work(&mut line, now);
        let ring = line.has_called() || line.next_time() != before;
        drop(line);
        if ring {
            self.bell.notify_one();
        }
        done
    }
}

/// Keeps the line from moving; dropped, it moves again.
pub(crate) struct Closed(Arc<Gate>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.with(Line::open);
    }
}

/// Calls those whose turn has come, until the process ends.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let gate = shared.gate.clone();
    let mut generation = shared.options.packs.generation();
    loop {
        let (called, next) = {
            let mut line = gate.line.lock();
            (line.take_called(), line.next_time())
        };
        for id in called {
            match shared.registry.has(id) {
                true => shared.order(id, Order::Look),
                // It asks again should it be taken up.
                false => gate.leave(id),
            }
        }
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = gate.bell.notified() => {}
            Ok(()) = generation.changed() => gate.replace(Policies::of(&shared.options.packs.library())),
            () = alarm::until(&*gate.clock, next) => {}
        }
        gate.with(Line::tick);
    }
}
