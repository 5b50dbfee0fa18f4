//! Where an execution stands, and how an entry is taken into account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runner_model::{
    AttemptNumber, Entry, ErrorRecord, ExecutionId, Fact, ItemIndex, Outcome, Purpose, Requested, RouteId, Status,
    StepId, TaskName, Timestamp, Wait, code,
};
use serde_json::{Value, json};

use super::command::{Command, Counts, name_of};
use super::context::{Context, Deltas};
use super::join::Arrivals;
use super::step::{InFlight, Passage, Step, Unit, UnitId, UnitState, step_id, step_number};
use super::unwind::Unwinding;
use super::{Mismatch, Stop};
use crate::expression::{ExecutionInfo, Tasks};
use crate::plan::{Crossing, Plan, TransitionId};

/// Where an execution stands.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub(super) status: Status,
    pub(super) execution: Arc<ExecutionInfo>,
    pub(super) parameters: Value,
    pub(super) config: Arc<Value>,
    pub(super) deltas: Deltas,
    /// The context at the start.
    pub(super) initial: Context,
    /// The routes: for each, the transitions into split tasks that it went through.
    pub(super) routes: Vec<Vec<Crossing>>,
    pub(super) steps: Vec<Step>,
    /// Steps that are recorded and have not ended.
    pub(super) open: BTreeSet<usize>,
    pub(super) counts: Counts,
    /// Steps that were decided and are not recorded.
    pub(super) decided: BTreeSet<usize>,
    /// Items that were decided and are not recorded.
    pub(super) decided_items: BTreeSet<UnitId>,
    /// Units that may begin.
    pub(super) ready: BTreeSet<UnitId>,
    /// Units with a delay or a wait that is not recorded.
    pub(super) to_record: BTreeSet<UnitId>,
    /// Units to interrupt.
    pub(super) interrupts: BTreeSet<UnitId>,
    pub(super) timers: BTreeSet<(Timestamp, Timer)>,
    /// Tasks that were to start and did not, because something had failed: for a rerun.
    pub(super) held: Vec<Held>,
    /// What the execution passed, in order.
    pub(super) passages: Vec<Passed>,
    /// Transitions that were taken.
    pub(super) taken: BTreeSet<TransitionId>,
    /// The last step of each task, for expressions.
    pub(super) tasks: Arc<Tasks>,
    /// Tasks that transitions have arrived at and that join them.
    pub(super) arrivals: BTreeMap<(usize, RouteId), Arrivals>,
    /// Branches that have ended, in the order of their end.
    pub(super) ends: Vec<End>,
    pub(super) errors: Vec<ErrorRecord>,
    /// Whether something failed that nothing dealt with: nothing new starts.
    pub(super) failing: bool,
    /// Whether what is decided now starts even so: it stands beside a `fail`.
    pub(super) sparing: bool,
    /// How long the execution may take, in milliseconds.
    pub(super) timeout_ms: Option<i64>,
    /// Whether its time is over.
    pub(super) is_late: bool,
    /// Steps that can be undone, in the order of their end.
    pub(super) undoable: Vec<UnitId>,
    /// What is undone and cleaned up before the end.
    pub(super) unwinding: Option<Unwinding>,
    /// Steps that were interrupted by a cancellation, for their `on_cancel`.
    pub(super) interrupted: Vec<StepId>,
    /// How it ends, if that is decided and not recorded.
    pub(super) verdict: Option<Command>,
    /// Key-value data read for the next decision.
    pub(super) kv: Arc<BTreeMap<String, Value>>,
    /// The moment of the entry that is being applied.
    pub(super) now: Timestamp,
}

/// Something that waits for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A delayed unit may begin.
    Start(UnitId),
    /// A wait has lasted long enough.
    Expire(UnitId),
    /// The execution has lasted long enough.
    Deadline,
}

/// A task that was to start and did not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub(super) task: usize,
    /// The step whose transition led here; none for the first tasks.
    pub(super) from: Option<Source>,
    pub(super) route: RouteId,
    pub(super) context: Context,
}

/// A task on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) task: usize,
    pub(super) route: RouteId,
}

/// The end of a branch: where, and what it brings to the output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) at: Source,
    pub(super) context: Context,
}

/// A step, or an engine command, that the execution passed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Passed {
    /// The step; none for a command.
    pub(super) step: Option<usize>,
    /// Where a command stands: behind which step.
    pub(super) behind: Source,
    pub(super) command: &'static str,
    pub(super) route: RouteId,
    pub(super) terminal: bool,
}

impl State {
    /// The state after the request, before anything happened.
    #[must_use]
    pub fn new(id: ExecutionId, requested: &Requested, config: Arc<Value>) -> Self {
        Self {
            status: Status::Requested,
            execution: Arc::new(ExecutionInfo { id, action: requested.action.clone() }),
            parameters: requested.parameters.clone(),
            config,
            deltas: Deltas::default(),
            initial: Context::default(),
            routes: vec![Vec::new()],
            steps: Vec::new(),
            open: BTreeSet::new(),
            counts: Counts::default(),
            decided: BTreeSet::new(),
            decided_items: BTreeSet::new(),
            ready: BTreeSet::new(),
            to_record: BTreeSet::new(),
            interrupts: BTreeSet::new(),
            timers: BTreeSet::new(),
            held: Vec::new(),
            passages: Vec::new(),
            taken: BTreeSet::new(),
            tasks: Arc::default(),
            arrivals: BTreeMap::new(),
            ends: Vec::new(),
            errors: Vec::new(),
            failing: false,
            sparing: false,
            timeout_ms: None,
            is_late: false,
            undoable: Vec::new(),
            unwinding: None,
            interrupted: Vec::new(),
            verdict: None,
            kv: Arc::default(),
            now: Timestamp::default(),
        }
    }

    /// The state after a whole journal.
    ///
    /// # Errors
    /// The journal belongs to another plan.
    pub fn replay(plan: &Plan, id: ExecutionId, entries: &[Entry], config: Arc<Value>) -> Result<Self, Stop> {
        let Some((Entry { fact: Fact::Requested(requested), .. }, rest)) = entries.split_first() else {
            return Err(Stop::mismatch("it does not begin with a request"));
        };
        let mut state = Self::new(id, requested, config);
        for entry in rest {
            state.apply(plan, entry)?;
        }
        Ok(state)
    }

    /// The execution's status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Attempts that run as far as the journal knows, in the order of their units: after a crash, those to make again
    /// or to give up.
    #[must_use]
    pub fn in_flight(&self, plan: &Plan) -> Vec<InFlight> {
        let open = self.open.iter().filter_map(|number| Some((*number, self.steps.get(*number)?)));
        let of_step = |(number, step): (usize, &Step)| {
            let running = step.open_units().into_iter();
            let running = running.filter(|(_, unit)| matches!(unit.state, UnitState::Running | UnitState::Paused));
            let task = plan.tasks.get_index(step.task).map(|(name, _)| name_of(name, step.purpose));
            let in_flight = |(item, unit): (Option<ItemIndex>, &Unit)| {
                Some(InFlight {
                    unit: UnitId { step: step_id(number), item },
                    task: task.clone()?,
                    attempt: unit.attempt,
                    action: unit.action.clone(),
                    input: unit.input.clone(),
                    started_at: unit.started?,
                    deadline: unit.deadline(),
                    heartbeat_ms: unit.heartbeat_ms,
                    progress: unit.progress.clone(),
                    is_paused: unit.state == UnitState::Paused,
                })
            };
            running.filter_map(in_flight).collect::<Vec<_>>()
        };
        open.flat_map(of_step).collect()
    }

    /// What steps wait for from outside, in the order of the steps.
    #[must_use]
    pub fn waits(&self, plan: &Plan) -> Vec<(UnitId, TaskName, Wait)> {
        let open = self.open.iter().filter_map(|number| Some((*number, self.steps.get(*number)?)));
        let of_step = |(number, step): (usize, &Step)| {
            let task = plan.tasks.get_index(step.task).map(|(name, _)| name_of(name, step.purpose));
            let waits = step.open_units().into_iter().filter_map(|(item, unit)| match &unit.state {
                UnitState::Waiting(wait) => {
                    Some((UnitId { step: step_id(number), item }, task.clone()?, Wait::clone(wait)))
                }
                _ => None,
            });
            waits.collect::<Vec<_>>()
        };
        open.flat_map(of_step).collect()
    }

    /// Steps and engine commands that the execution passed, in order, since its request.
    #[must_use]
    pub fn passages(&self, plan: &Plan) -> Vec<Passage> {
        let name = |passed: &Passed| self.passage_name(plan, passed);
        let passage = |passed: &Passed| Passage { name: name(passed), route: passed.route, terminal: passed.terminal };
        self.passages.iter().map(passage).collect()
    }

    fn passage_name(&self, plan: &Plan, passed: &Passed) -> String {
        let Some(step) = passed.step.and_then(|step| self.steps.get(step)) else {
            return passed.command.to_owned();
        };
        let task = plan.tasks.get_index(step.task).map_or("", |(name, _)| name.as_str());
        match step.purpose {
            Purpose::Task => task.to_owned(),
            Purpose::Compensate { .. } => format!("{task}__compensate"),
            Purpose::OnCancel { of: Some(_) } => format!("{task}__on_cancel"),
            Purpose::OnCancel { of: None } => TaskName::on_cancel().to_string(),
        }
    }

    /// The place of a step in [`State::passages`], with how many steps of the same name came before it; none unless it
    /// is recorded.
    #[must_use]
    pub fn passage_of(&self, plan: &Plan, step: StepId) -> Option<(usize, usize, Passage)> {
        let at = self.step(step)?.passage;
        let passed = self.passages.get(at)?;
        let kind = |passed: &Passed| {
            let step = self.steps.get(passed.step?)?;
            Some((step.task, std::mem::discriminant(&step.purpose)))
        };
        let same = kind(passed);
        let before = self.passages.iter().take(at).filter(|other| kind(other) == same).count();
        let name = self.passage_name(plan, passed);
        Some((at, before, Passage { name, route: passed.route, terminal: passed.terminal }))
    }

    /// The transitions that were taken since the request: the task and the index in its `next`.
    #[must_use]
    pub fn taken(&self, plan: &Plan) -> Vec<(TaskName, usize)> {
        let named = |taken: &TransitionId| Some((plan.tasks.get_index(taken.task)?.0.clone(), taken.index));
        self.taken.iter().filter_map(named).collect()
    }

    /// The attempt of a unit that runs; none if none does.
    #[must_use]
    pub fn running_attempt(&self, unit: UnitId) -> Option<AttemptNumber> {
        let step = self.step(unit.step).filter(|step| step.is_open())?;
        let unit = step.unit(unit.item)?;
        matches!(unit.state, UnitState::Running | UnitState::Paused).then_some(unit.attempt)
    }

    /// What went wrong so far, in order.
    #[must_use]
    pub fn errors(&self) -> &[ErrorRecord] {
        &self.errors
    }

    /// The routes, each as the transitions into split tasks that it went through, written `task__tN`.
    #[must_use]
    pub fn routes(&self, plan: &Plan) -> Vec<Vec<String>> {
        let names = |route: &Vec<Crossing>| route.iter().map(|crossing| plan.crossing_name(*crossing)).collect();
        self.routes.iter().map(names).collect()
    }

    /// The transitions into split tasks that a route went through, as in [`State::routes`].
    pub fn way<'a>(&'a self, plan: &'a Plan, route: RouteId) -> impl Iterator<Item = String> + 'a {
        let crossings = usize::try_from(route.0).ok().and_then(|route| self.routes.get(route));
        crossings.into_iter().flatten().map(|crossing| plan.crossing_name(*crossing))
    }

    /// Takes the next entry into account.
    ///
    /// # Errors
    /// On an error the state is as it was before.
    pub fn apply(&mut self, plan: &Plan, entry: &Entry) -> Result<(), Stop> {
        if !plan.reads_kv {
            return self.take(plan, entry);
        }
        // A decision may find that it lacks a value when half of it is made.
        let mut next = self.clone();
        next.take(plan, entry)?;
        *self = next;
        Ok(())
    }

    fn take(&mut self, plan: &Plan, entry: &Entry) -> Result<(), Stop> {
        self.now = entry.at;
        if wakes(&entry.fact) && self.status == Status::Pending {
            self.become_status(Status::Running)?;
        }
        match &entry.fact {
            Fact::Requested(_) => return Err(Stop::mismatch("a second request")),
            Fact::ValuesRead { kv } => {
                Arc::make_mut(&mut self.kv).extend(kv.iter().map(|(key, value)| (key.clone(), value.clone())));
                return Ok(());
            }
            // What must not be shown decides nothing.
            Fact::SecretsLearned { .. } => return Ok(()),
            Fact::Started => {
                self.become_status(Status::Running)?;
                self.start(plan)?;
            }
            Fact::StepScheduled { .. } => self.scheduled(plan, &entry.fact)?,
            Fact::StepSkipped { step, task, .. } => self.skipped(plan, *step, task)?,
            Fact::ItemScheduled { step, item, action, .. } => self.item_scheduled(*step, *item, action)?,
            Fact::AttemptStarted { attempt, .. } => self.attempt_started(unit_of(&entry.fact)?, *attempt)?,
            Fact::AttemptProgressed { progress, .. } => {
                self.unit_mut(unit_of(&entry.fact)?)?.progress = Some(progress.clone());
            }
            Fact::AttemptFinished { attempt, outcome, .. } => {
                self.attempt_finished(plan, unit_of(&entry.fact)?, *attempt, &outcome.as_read())?;
            }
            Fact::PollEnded { outcome, .. } => self.poll_ended(plan, unit_of(&entry.fact)?, &outcome.as_read())?,
            Fact::StepDelayed { until, .. } => self.delayed(plan, unit_of(&entry.fact)?, *until)?,
            Fact::WaitOpened { wait, .. } => self.wait_opened(unit_of(&entry.fact)?, wait)?,
            Fact::Answered { by, answer, .. } => self.answered(plan, unit_of(&entry.fact)?, by, answer)?,
            Fact::ChildPaused { paused, .. } => self.child_paused(unit_of(&entry.fact)?, *paused)?,
            Fact::PauseRequested { .. } => {
                if matches!(self.status, Status::Running | Status::Pending) {
                    self.become_status(Status::Pausing)?;
                }
            }
            Fact::Rested { status } => self.become_status(*status)?,
            Fact::ResumeRequested { .. } => {
                if matches!(self.status, Status::Pausing | Status::Paused) {
                    self.become_status(Status::Running)?;
                    self.resume_children()?;
                }
            }
            Fact::CancelRequested { .. } => self.cancel(plan)?,
            Fact::DeadlinePassed => self.pass_deadline(plan)?,
            Fact::RerunRequested { tasks, .. } => self.rerun(plan, tasks)?,
            Fact::Finished { status, .. } => self.finished(*status)?,
        }
        // What was read served this decision; the next one reads afresh.
        self.kv = Arc::default();
        Ok(())
    }

    /// What is asked to go on asks its parts to go on too.
    fn resume_children(&mut self) -> Result<(), Mismatch> {
        for number in self.open.clone() {
            let paused = self.steps.get(number).into_iter().flat_map(Step::open_units);
            let paused = paused.filter(|(_, unit)| unit.state == UnitState::Paused);
            for id in paused.map(|(item, _)| UnitId { step: step_id(number), item }).collect::<Vec<_>>() {
                self.enter(id, UnitState::Running)?;
            }
        }
        Ok(())
    }

    fn finished(&mut self, status: Status) -> Result<(), Mismatch> {
        match self.verdict.take() {
            Some(Command::Finish { status: decided, .. }) if decided == status => self.become_status(status),
            // Whoever gives up on an execution that cannot go on says so.
            _ if status == Status::Failed || status == Status::Abandoned => self.become_status(status),
            _ => Err(Mismatch::new(format!("it ended as {status}, which was not decided on"))),
        }
    }

    pub(super) fn become_status(&mut self, next: Status) -> Result<(), Mismatch> {
        if !self.status.may_become(next) {
            return Err(Mismatch::new(format!("{} may not become {next}", self.status)));
        }
        self.status = next;
        Ok(())
    }

    /// Whether the execution is on its way to an end other than success.
    pub(super) fn is_stopping(&self) -> bool {
        self.failing || self.is_late || self.status == Status::Canceling
    }

    pub(super) fn step(&self, step: StepId) -> Option<&Step> {
        self.steps.get(step_number(step))
    }

    pub(super) fn step_mut(&mut self, step: StepId) -> Result<&mut Step, Mismatch> {
        let missing = || Mismatch::new(format!("there is no step {step}"));
        self.steps.get_mut(step_number(step)).ok_or_else(missing)
    }

    pub(super) fn unit(&self, unit: UnitId) -> Option<&Unit> {
        self.step(unit.step)?.unit(unit.item)
    }

    pub(super) fn unit_mut(&mut self, unit: UnitId) -> Result<&mut Unit, Mismatch> {
        let step = self.step_mut(unit.step)?;
        let status = step.status;
        let gone = || Mismatch::new(format!("step {} is {status} and has nothing that could be tried", unit.step));
        if status.is_terminal() { Err(gone()) } else { step.unit_mut(unit.item).ok_or_else(gone) }
    }
}

/// Whether an execution that rested because it waited goes on with this.
const fn wakes(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Answered { .. }
            | Fact::AttemptStarted { .. }
            | Fact::AttemptFinished { .. }
            | Fact::StepScheduled { .. }
            | Fact::DeadlinePassed
    )
}

fn unit_of(fact: &Fact) -> Result<UnitId, Mismatch> {
    let step = fact.step().ok_or_else(|| Mismatch::new("an entry about no step"))?;
    Ok(UnitId { step, item: fact.item() })
}

/// What expressions see as the result of a step: its value, or what is known of its failure.
pub(super) fn visible_result(outcome: &Outcome) -> Value {
    match (outcome, outcome.failure()) {
        (Outcome::Succeeded { result }, _) => result.clone(),
        // A mock says what the step returned, however it ended.
        (_, Some(failure)) if failure.code == code::EXEC_MOCKED.id() => failure.details.clone().unwrap_or(Value::Null),
        // A list gives the results of its items, however they ended.
        (_, Some(failure)) if failure.code == code::FLOW_ITEMS.id() => {
            failure.details.as_ref().and_then(|details| details.get("items")).cloned().unwrap_or(Value::Null)
        }
        (_, Some(failure)) => json!({
            "code": failure.code, "message": failure.message, "details": failure.details, "retryable": failure.retryable,
        }),
        (_, None) => Value::Null,
    }
}
