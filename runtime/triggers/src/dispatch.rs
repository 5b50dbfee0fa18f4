//! From a match to its execution. What is done twice makes no second one: the execution's id is that of the match.
//!
//! Matches wait in memory up to a limit; what does not fit is read from the store again when there is room, the oldest
//! first. When the executor is full everything waits; when the process drains, everything stays for the next one.

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use runner_executor::{Control, ControlError, ExecutionRequest, ExecutorError, RequestError};
use runner_model::{ActionRef, Event, EventId, ExecutionId, Failure, Match, MatchState, Origin, RuleRef, limits};
use runner_store::{Catalogue, StoreError};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::overlap::Lanes;
use crate::shared::Shared;

/// A match that is to become an execution.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) event: EventId,
    pub(crate) rule: RuleRef,
    pub(crate) action: ActionRef,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) execution: ExecutionId,
    pub(crate) chain: u32,
    pub(crate) trace_parent: Option<String>,
    /// Its event is sealed, and these texts in it must not be shown.
    pub(crate) sealed: bool,
    pub(crate) secrets: Arc<[String]>,
    /// It waits for earlier ones of its rule.
    pub(crate) queued: bool,
    /// It is in a lane, and goes back there if it cannot be done now.
    pub(crate) laned: bool,
    /// Executions that are cancelled before it begins.
    pub(crate) cancel: Vec<ExecutionId>,
    /// An earlier try may have begun it.
    doubtful: bool,
    tries: u32,
    since: Instant,
}

/// Matches that wait to be made into executions.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Waiting>,
    /// Said when there is something to do.
    pub(crate) wake: Notify,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// What waits here or in a lane, or is being done.
    known: HashSet<ExecutionId>,
    /// More is in the store than is here.
    behind: bool,
    /// How far the store has been read, while it is.
    sweep: Option<EventId>,
    backlog: usize,
}

impl Queue {
    /// Takes in an open match, unless it is here; if there is no room, it is left in the store.
    pub(crate) fn offer(
        &self,
        event: &Event,
        one: &Match,
        secrets: &Arc<[String]>,
        count: bool,
        lanes: &Lanes,
        overlaps: bool,
    ) {
        let laned = overlaps || one.state == MatchState::Queued;
        let mut inner = self.inner.lock();
        if count {
            inner.backlog += 1;
        }
        if inner.known.contains(&one.execution) {
            return;
        }
        if !laned && inner.jobs.len() >= limits::DISPATCH_WAITING_MAX {
            inner.behind = true;
            return;
        }
        inner.known.insert(one.execution);
        let job = Job {
            event: event.id,
            rule: one.rule.clone(),
            action: one.action.clone(),
            parameters: one.parameters.clone(),
            execution: one.execution,
            chain: event.chain,
            trace_parent: event.trace_parent.clone(),
            sealed: event.sealed,
            secrets: secrets.clone(),
            queued: one.state == MatchState::Queued,
            laned,
            cancel: Vec::new(),
            doubtful: false,
            tries: 0,
            since: Instant::now(),
        };
        match laned {
            true => lanes.push(job),
            false => inner.jobs.push_back(job),
        }
        drop(inner);
        self.wake.notify_one();
    }

    /// How many matches are recorded and not done.
    pub(crate) fn backlog(&self) -> usize {
        self.inner.lock().backlog
    }

    /// Whether there is room for more than is in memory.
    fn is_full(&self) -> bool {
        self.inner.lock().jobs.len() >= limits::DISPATCH_WAITING_MAX
    }

    fn pop(&self) -> Option<Job> {
        self.inner.lock().jobs.pop_front()
    }

    fn put_back(&self, job: Job) {
        self.inner.lock().jobs.push_back(job);
    }

    fn done(&self, job: &Job) {
        let mut inner = self.inner.lock();
        inner.known.remove(&job.execution);
        inner.backlog = inner.backlog.saturating_sub(1);
    }

    /// Where to read on, if more is in the store and there is room for it.
    fn wants_more(&self) -> Option<Option<EventId>> {
        let mut inner = self.inner.lock();
        if inner.jobs.len() * 2 > limits::DISPATCH_WAITING_MAX || !(inner.behind || inner.sweep.is_some()) {
            return None;
        }
        if inner.sweep.is_none() {
            // What finds no room from here on makes it begin anew afterwards.
            inner.behind = false;
        }
        Some(inner.sweep)
    }

    /// Something may be in the store that was not handed over: a process that shares it may have died.
    fn look_again(&self) {
        self.inner.lock().behind = true;
    }

    fn swept(&self, to: Option<EventId>) {
        self.inner.lock().sweep = to;
    }
}

/// What became of a job.
enum Done {
    /// It is settled, and whether it has an execution.
    Settled { started: bool },
    /// It is to be tried again after a while.
    Later(Duration),
    /// It stays for the next process.
    Left,
}

impl Shared {
    /// Counts and takes up what a former process left.
    pub(crate) async fn take_up(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let events = self.store().open_events(after, limits::EVENT_PAGE).await?;
            let Some(last) = events.last() else { return Ok(()) };
            after = Some(last.id);
            for event in &events {
                self.hand_over(event, true);
            }
        }
    }

    /// Makes executions of matches until the process ends.
    pub(crate) async fn dispatch(self: Arc<Self>) {
        let mut running = FuturesUnordered::new();
        let mut pause: Option<Instant> = None;
        let mut look = Instant::now() + limits::CLOCK_LOOK;
        loop {
            if pause.is_some_and(|until| until <= Instant::now()) {
                pause = None;
            }
            while pause.is_none() && running.len() < limits::DISPATCH_AT_ONCE_MAX {
                match self.next().await {
                    Ok(Some(job)) => running.push(self.run(job)),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "matches not read");
                        pause = Some(Instant::now() + limits::STORE_RETRY_LAST);
                    }
                }
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some((job, done)) = running.next() => {
                    if let Some(wait) = self.finish(job, &done) {
                        pause = Some(Instant::now() + wait);
                    }
                }
                () = sleep_until(pause) => {}
                () = tokio::time::sleep_until(look) => {
                    look = Instant::now() + limits::CLOCK_LOOK;
                    self.queue.look_again();
                }
                () = self.queue.wake.notified() => {}
            }
        }
        // What is under way is finished, so that the next process need not look whether it was.
        let rest = async { while running.next().await.is_some() {} };
        let _ = tokio::time::timeout(limits::LISTEN_STOP, rest).await;
    }

    /// The next job, from a lane, from memory, or from the store.
    async fn next(&self) -> Result<Option<Job>, StoreError> {
        for rule in self.lanes.unseen() {
            self.look_at_lane(&rule).await?;
        }
        if let Some(job) = self.lanes.ready(&self.table()).or_else(|| self.queue.pop()) {
            return Ok(Some(job));
        }
        while let Some(after) = self.queue.wants_more() {
            let events = self.store().open_events(after, limits::EVENT_PAGE).await?;
            let mut to = None;
            for event in &events {
                if self.queue.is_full() {
                    break;
                }
                to = Some(event.id);
                self.hand_over(event, false);
            }
            self.queue.swept(to);
            if let Some(job) = self.queue.pop() {
                return Ok(Some(job));
            }
        }
        Ok(self.lanes.ready(&self.table()))
    }

    /// Does one job; gives it back with what became of it.
    async fn run(&self, mut job: Job) -> (Job, Done) {
        // A defect of ours in one match is tried again later, and stops no other.
        let done = AssertUnwindSafe(self.make(&mut job)).catch_unwind().await;
        let done = done.unwrap_or(Done::Later(limits::STORE_RETRY_LAST));
        (job, done)
    }

    async fn make(&self, job: &mut Job) -> Done {
        for id in std::mem::take(&mut job.cancel) {
            self.cancel(id, job).await;
        }
        let origin = Origin::Rule { rule: job.rule.clone(), event: job.event, chain: job.chain };
        let mut request = ExecutionRequest::new(job.action.clone(), job.parameters.clone(), origin);
        request.id = Some(job.execution);
        request.trace_parent.clone_from(&job.trace_parent);
        (request.sealed, request.secrets) = (job.sealed, job.secrets.to_vec());
        let refused = match self.executor().submit(request).await {
            Ok(_) if !job.doubtful => return self.settle(job, MatchState::Started).await,
            Ok(_) => None,
            Err(RequestError::Exists { .. }) => None,
            Err(RequestError::Full { retry_after }) => return Done::Later(retry_after),
            Err(RequestError::Draining) => return Done::Left,
            Err(RequestError::Begin(error)) if passes(&error) && job.tries < TRIES_MAX => {
                tracing::warn!(rule = %job.rule, event = %job.event, %error, "execution not begun yet");
                job.doubtful = true;
                return Done::Later(backoff(job));
            }
            Err(error) => Some(failure(&error)),
        };
        // Whether it is there is seen in the store, not told by an error: it may have been begun by an earlier try.
        match Catalogue::get(self.store(), job.execution).await {
            Ok(record) => {
                // Its end was heard before its lane knew of it, if an earlier process began it and this one took it up.
                if record.status.is_terminal() {
                    self.heard_end(job.execution);
                }
                self.settle(job, MatchState::Started).await
            }
            Err(StoreError::NotFound) => match refused {
                Some(failure) => {
                    tracing::warn!(rule = %job.rule, event = %job.event, %failure, "no execution made");
                    self.settle(job, MatchState::Failed { failure }).await
                }
                None => Done::Later(backoff(job)),
            },
            Err(error) => {
                tracing::warn!(rule = %job.rule, event = %job.event, %error, "execution not looked for");
                Done::Later(backoff(job))
            }
        }
    }

    async fn settle(&self, job: &mut Job, state: MatchState) -> Done {
        let started = state == MatchState::Started;
        match self.store().settle(job.event, &job.rule, state).await {
            // An event that is gone needs nothing any more.
            Ok(()) | Err(StoreError::NoEvent) => {
                metrics::histogram!("runner_dispatch_seconds").record(job.since.elapsed().as_secs_f64());
                Done::Settled { started }
            }
            Err(error) => {
                tracing::warn!(rule = %job.rule, event = %job.event, %error, "match not settled yet");
                Done::Later(backoff(job))
            }
        }
    }

    /// Cancels an earlier execution of the job's rule.
    async fn cancel(&self, id: ExecutionId, job: &Job) {
        let by = format!("the rule {}, which is due again", job.rule);
        match self.executor().control(id, Control::Cancel { by }).await {
            Ok(_) | Err(ControlError::Ended { .. }) => {}
            Err(error) => {
                tracing::warn!(rule = %job.rule, execution_id = %id, %error, "earlier execution not cancelled");
            }
        }
    }

    /// Puts a job where it belongs now; gives how long everything waits.
    fn finish(&self, job: Job, done: &Done) -> Option<Duration> {
        let settled = match done {
            Done::Settled { started } => Some(*started),
            Done::Later(_) | Done::Left => None,
        };
        if settled.is_some() {
            self.queue.done(&job);
        }
        match job.laned {
            true => self.lanes.done(job, settled),
            false if settled.is_some() => {}
            false => self.queue.put_back(job),
        }
        match done {
            Done::Settled { .. } => None,
            Done::Later(wait) => Some(*wait),
            Done::Left => Some(FOR_GOOD),
        }
    }
}

/// How often a match is tried whose execution does not begin though the store works: some minutes. Then it has failed.
const TRIES_MAX: u32 = 50;

/// A drained process begins nothing any more.
const FOR_GOOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Whether an execution may begin later that does not now.
const fn passes(error: &ExecutorError) -> bool {
    use ExecutorError::{Draining, Interrupted, Owned, Store};
    match error {
        Store(error) => !matches!(error, StoreError::Illegal { .. } | StoreError::Corrupt { .. }),
        Owned { .. } | Draining { .. } | Interrupted => true,
        _ => false,
    }
}

fn backoff(job: &mut Job) -> Duration {
    job.tries = job.tries.saturating_add(1);
    let wait = limits::STORE_RETRY_FIRST.saturating_mul(1 << job.tries.min(10));
    wait.min(limits::STORE_RETRY_LAST)
}

fn failure(error: &RequestError) -> Failure {
    let mut failure = Failure::new(error.code(), error.to_string());
    failure.hint = error.hint();
    failure
}
