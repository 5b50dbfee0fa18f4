//! The executions of this process: those at work, and those that are parked.
//!
//! An execution at work has a task and a mailbox. A parked one has an entry here, and no task, no state, no journal in
//! memory: it waits for a time, an answer, or the end of an execution that it started. **Parking and ordering exclude
//! one another**: who sends an order holds the same lock as who parks, so no order is lost between the two.

use std::collections::{BTreeSet, HashMap, HashSet};

use parking_lot::Mutex;
use runner_model::{ExecutionId, ExecutionView, FencingToken, Status, Timestamp};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::control::{Control, ControlError};
use crate::error::ExecutorError;

/// What comes for an execution at work.
pub(crate) enum Order {
    /// Something is asked of it; the answer is the status it has then.
    Control(Control, oneshot::Sender<Result<Status, ControlError>>),
    /// An execution that one of its steps started has ended.
    ChildEnded(ExecutionId),
    /// An execution that one of its steps started has paused, or goes on.
    ChildPaused(ExecutionId, bool),
    /// Nothing but a reason to look whether it can be parked.
    Look,
}

/// Who waits for the end of an execution.
type Waiter = oneshot::Sender<Result<ExecutionView, ExecutorError>>;

#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
    /// Said when a parked execution is to be woken earlier than any other.
    pub(crate) alarm: Notify,
    /// Said when nothing is at work any more.
    quiet: Notify,
}

#[derive(Default)]
struct Inner {
    at_work: HashMap<ExecutionId, mpsc::UnboundedSender<Order>>,
    parked: HashMap<ExecutionId, Parked>,
    /// How many of those wait for a policy's leave.
    delayed: usize,
    alarms: BTreeSet<(Timestamp, ExecutionId)>,
    waiters: HashMap<ExecutionId, Vec<Waiter>>,
    /// How many are taking up what is open just now, and what has left meanwhile: they may have claimed it before, and
    /// must not park it after its end.
    recoveries: usize,
    left: HashSet<ExecutionId>,
}

/// An execution of which nothing else is in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parked {
    pub(crate) token: FencingToken,
    wake_at: Option<Timestamp>,
    /// Whether it waits for a policy's leave.
    delayed: bool,
}

/// What became of an order.
pub(crate) enum Sent {
    /// It lies in the mailbox of an execution at work.
    Delivered,
    /// The execution was parked: it is to be brought back, with this mailbox, in which the order lies.
    Woken(Parked, mpsc::UnboundedReceiver<Order>),
    /// This process has no such execution.
    Unknown(Order),
}

impl Registry {
    /// Makes an execution's mailbox; none if it is here already.
    pub(crate) fn enter(&self, id: ExecutionId) -> Option<mpsc::UnboundedReceiver<Order>> {
        let mut inner = self.inner.lock();
        if inner.at_work.contains_key(&id) || inner.parked.contains_key(&id) {
            return None;
        }
        let (sender, mailbox) = mpsc::unbounded_channel();
        inner.at_work.insert(id, sender);
        Some(mailbox)
    }

    /// Forgets an execution.
    pub(crate) fn leave(&self, id: ExecutionId) {
        let mut inner = self.inner.lock();
        self.remove(&mut inner, id);
        inner.unpark(id);
        if inner.recoveries > 0 {
            inner.left.insert(id);
        }
    }

    /// Somebody begins to take up what is open.
    pub(crate) fn recovery_begins(&self) {
        self.inner.lock().recoveries += 1;
    }

    /// Somebody has taken up what is open.
    pub(crate) fn recovery_ends(&self) {
        let mut inner = self.inner.lock();
        inner.recoveries -= 1;
        if inner.recoveries == 0 {
            inner.left.clear();
        }
    }

    /// Forgets an execution, and tells those who wait for its end.
    pub(crate) fn end(&self, id: ExecutionId, result: Result<ExecutionView, ExecutorError>) {
        self.leave(id);
        let waiters = self.inner.lock().waiters.remove(&id).unwrap_or_default();
        let mut waiters = waiters.into_iter();
        let first = waiters.next();
        for waiter in waiters {
            // Whoever asked may have gone. The first one is told what went wrong, if something did.
            let _ = waiter.send(result.as_ref().cloned().map_err(|_| ExecutorError::Interrupted));
        }
        if let Some(first) = first {
            let _ = first.send(result);
        }
    }

    /// Forgets those who waited for the end of an execution and do not any more.
    pub(crate) fn forget_gone(&self, id: ExecutionId) {
        let mut inner = self.inner.lock();
        let Some(waiters) = inner.waiters.get_mut(&id) else { return };
        waiters.retain(|waiter| !waiter.is_closed());
        if waiters.is_empty() {
            inner.waiters.remove(&id);
        }
    }

    /// Says when an execution has ended.
    pub(crate) fn wait_for(&self, id: ExecutionId) -> oneshot::Receiver<Result<ExecutionView, ExecutorError>> {
        let (sender, receiver) = oneshot::channel();
        self.inner.lock().waiters.entry(id).or_default().push(sender);
        receiver
    }

    /// Brings an order to an execution.
    pub(crate) fn send(&self, id: ExecutionId, order: Order) -> Sent {
        let mut inner = self.inner.lock();
        let order = match inner.at_work.get(&id) {
            Some(sender) => match sender.send(order) {
                Ok(()) => return Sent::Delivered,
                // Its task has just ended; whoever asks has to look at the journal.
                Err(mpsc::error::SendError(order)) => order,
            },
            None => order,
        };
        let Some(parked) = inner.unpark(id) else { return Sent::Unknown(order) };
        let (sender, mailbox) = mpsc::unbounded_channel();
        let _ = sender.send(order);
        inner.at_work.insert(id, sender);
        Sent::Woken(parked, mailbox)
    }

    /// Parks an execution at work, unless an order lies in its mailbox.
    pub(crate) fn park(
        &self,
        id: ExecutionId,
        token: FencingToken,
        wake_at: Option<Timestamp>,
        delayed: bool,
        mailbox: &mut mpsc::UnboundedReceiver<Order>,
    ) -> bool {
        let mut inner = self.inner.lock();
        if !mailbox.is_empty() {
            return false;
        }
        self.remove(&mut inner, id);
        self.insert(&mut inner, id, Parked { token, wake_at, delayed });
        true
    }

    /// Takes in an execution that was parked by a process that is gone.
    pub(crate) fn adopt(&self, id: ExecutionId, token: FencingToken, wake_at: Option<Timestamp>) {
        let mut inner = self.inner.lock();
        if !inner.at_work.contains_key(&id) && !inner.parked.contains_key(&id) && !inner.left.contains(&id) {
            self.insert(&mut inner, id, Parked { token, wake_at, delayed: false });
        }
    }

    fn insert(&self, inner: &mut Inner, id: ExecutionId, parked: Parked) {
        inner.parked.insert(id, parked);
        inner.delayed += usize::from(parked.delayed);
        if let Some(at) = parked.wake_at {
            inner.alarms.insert((at, id));
            if inner.alarms.first() == Some(&(at, id)) {
                self.alarm.notify_one();
            }
        }
    }

    /// Whether an execution is parked here.
    pub(crate) fn is_parked(&self, id: ExecutionId) -> bool {
        self.inner.lock().parked.contains_key(&id)
    }

    /// The parked executions, the oldest first.
    pub(crate) fn all_parked(&self) -> BTreeSet<ExecutionId> {
        self.inner.lock().parked.keys().copied().collect()
    }

    /// Whether an execution is here at all.
    pub(crate) fn has(&self, id: ExecutionId) -> bool {
        let inner = self.inner.lock();
        inner.at_work.contains_key(&id) || inner.parked.contains_key(&id)
    }

    /// The parked executions whose time has come, and when the next one's will.
    pub(crate) fn due(&self, now: Timestamp) -> (Vec<ExecutionId>, Option<Timestamp>) {
        let inner = self.inner.lock();
        let due = inner.alarms.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        let next = inner.alarms.iter().find(|(at, _)| *at > now).map(|(at, _)| *at);
        (due, next)
    }

    /// How many executions are at work, how many are parked, and how many of those wait for a policy's leave.
    pub(crate) fn count(&self) -> (usize, usize, usize) {
        let inner = self.inner.lock();
        (inner.at_work.len(), inner.parked.len(), inner.delayed)
    }

    /// Returns when nothing is at work.
    pub(crate) async fn idle(&self) {
        while self.count().0 > 0 {
            self.quiet.notified().await;
        }
    }

    /// Tells those who wait for an execution that it is left as it stands, unless an order lies in its mailbox: then it
    /// is not left yet.
    pub(crate) fn drop_off(&self, id: ExecutionId, mailbox: &mpsc::UnboundedReceiver<Order>) -> bool {
        let waiters = {
            let mut inner = self.inner.lock();
            if !mailbox.is_empty() {
                return false;
            }
            self.remove(&mut inner, id);
            inner.waiters.remove(&id)
        };
        for waiter in waiters.into_iter().flatten() {
            let _ = waiter.send(Err(ExecutorError::Draining { id }));
        }
        true
    }

    /// Tells everybody who still waits.
    pub(crate) fn end_all(&self, error: impl Fn(ExecutionId) -> ExecutorError) {
        let waiters = std::mem::take(&mut self.inner.lock().waiters);
        for (id, waiters) in waiters {
            for waiter in waiters {
                let _ = waiter.send(Err(error(id)));
            }
        }
    }

    fn remove(&self, inner: &mut Inner, id: ExecutionId) {
        inner.at_work.remove(&id);
        if inner.at_work.is_empty() {
            self.quiet.notify_one();
        }
    }

    /// The executions at work.
    pub(crate) fn at_work(&self) -> Vec<ExecutionId> {
        self.inner.lock().at_work.keys().copied().collect()
    }
}

impl Inner {
    fn unpark(&mut self, id: ExecutionId) -> Option<Parked> {
        let parked = self.parked.remove(&id)?;
        if let Some(at) = parked.wake_at {
            self.alarms.remove(&(at, id));
        }
        self.delayed -= usize::from(parked.delayed);
        Some(parked)
    }
}
