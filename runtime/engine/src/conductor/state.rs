//! Where an execution stands, and how an entry is taken into account.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, Entry, ErrorRecord, ExecutionId, Fact, Outcome, Requested, RouteId, Status, StepId,
    TaskName, Timestamp,
};
use serde_json::{Value, json};

use super::context::{Context, Deltas};
use super::{Command, Mismatch, Stop};
use crate::expression::{ExecutionInfo, Tasks};
use crate::plan::{Plan, TransitionId};

/// Where an execution stands.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) status: Status,
    pub(super) execution: Arc<ExecutionInfo>,
    pub(super) parameters: Value,
    pub(super) config: Arc<Value>,
    pub(super) deltas: Deltas,
    /// The routes: for each, the transitions into split tasks that it went through.
    pub(super) routes: Vec<Vec<TransitionId>>,
    pub(super) steps: Vec<Step>,
    /// Steps that have not ended, in number.
    pub(super) active: usize,
    /// The last step of each task, for expressions.
    pub(super) tasks: Arc<Tasks>,
    /// Tasks that transitions have arrived at and that wait for more of them.
    pub(super) waiting: BTreeMap<(usize, RouteId), Arrivals>,
    /// Contexts of branches that have ended, in the order of their end.
    pub(super) ends: Vec<Context>,
    pub(super) errors: Vec<ErrorRecord>,
    /// Whether something failed that nothing dealt with: nothing new starts.
    pub(super) failing: bool,
    /// Whether tasks decided on together with a `fail` are still to start.
    pub(super) spares_siblings: bool,
    /// What was decided and is not yet recorded, but for starts, which are known from the steps.
    pub(super) verdict: Option<Command>,
    pub(super) interrupts: VecDeque<StepId>,
    /// Key-value data read for the next decision.
    pub(super) kv: Arc<BTreeMap<String, Value>>,
    /// The moment of the entry that is being applied.
    pub(super) now: Timestamp,
}

/// One run of a task.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) task: usize,
    pub(super) route: RouteId,
    pub(super) context: Context,
    pub(super) status: Status,
    pub(super) attempt: AttemptNumber,
    /// What to start; taken once its start is recorded.
    pub(super) start: Option<(ActionRef, Value)>,
}

/// Transitions that have arrived at a task, with the context that each brings, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    pub(super) contexts: Vec<(TransitionId, Context)>,
    /// Whether the join has started its task: it does so once, unless it is in a cycle.
    pub(super) met: bool,
}

/// A try of a step that began and of whose end nothing is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// The step.
    pub step: StepId,
    /// Which try; none if the step is scheduled and no try has begun.
    pub attempt: Option<AttemptNumber>,
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
            routes: vec![Vec::new()],
            steps: Vec::new(),
            active: 0,
            tasks: Arc::default(),
            waiting: BTreeMap::new(),
            ends: Vec::new(),
            errors: Vec::new(),
            failing: false,
            spares_siblings: false,
            verdict: None,
            interrupts: VecDeque::new(),
            kv: Arc::default(),
            now: Timestamp::default(),
        }
    }

    /// The state after a whole journal.
    pub fn replay(plan: &Plan, id: ExecutionId, entries: &[Entry], config: Arc<Value>) -> Result<Self, Stop> {
        let Some((Entry { fact: Fact::Requested(requested), .. }, rest)) = entries.split_first() else {
            return Err(Mismatch { what: "it does not begin with a request".to_owned() }.into());
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

    /// What was decided and is not yet recorded, in order.
    #[must_use]
    pub fn outstanding(&self, plan: &Plan) -> Vec<Command> {
        let interrupts = self.interrupts.iter().map(|step| Command::InterruptStep { step: *step });
        let starts = self.steps.iter().enumerate().filter_map(|(number, step)| {
            let (action, input) = step.start.clone()?;
            let (task, _) = plan.tasks.get_index(step.task)?;
            Some(Command::StartStep { step: step_id(number), task: task.clone(), route: step.route, action, input })
        });
        interrupts.chain(starts).chain(self.verdict.clone()).collect()
    }

    /// Steps that are scheduled or running as far as the journal knows: after a crash, those to start again or to
    /// give up.
    #[must_use]
    pub fn in_flight(&self) -> Vec<InFlight> {
        let steps = self.steps.iter().enumerate();
        steps
            .filter_map(|(number, step)| match step.status {
                Status::Scheduled => Some(InFlight { step: step_id(number), attempt: None }),
                Status::Running => Some(InFlight { step: step_id(number), attempt: Some(step.attempt) }),
                _ => None,
            })
            .collect()
    }

    /// Takes the next entry into account.
    ///
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
        match &entry.fact {
            Fact::Requested(_) => return Err(mismatch("a second request")),
            Fact::ValuesRead { kv } => {
                Arc::make_mut(&mut self.kv).extend(kv.iter().map(|(key, value)| (key.clone(), value.clone())));
                return Ok(());
            }
            Fact::Started => {
                self.become_status(Status::Running)?;
                self.start(plan)?;
            }
            Fact::StepScheduled { step, task, action, input, .. } => {
                self.scheduled(plan, *step, task, action, input)?;
            }
            Fact::AttemptStarted { step, attempt, .. } => {
                let step = self.step_in(*step, &[Status::Scheduled, Status::Running])?;
                step.status = Status::Running;
                step.attempt = *attempt;
            }
            Fact::AttemptFinished { step, attempt, outcome, .. } => self.finished_step(plan, *step, *attempt, outcome)?,
            Fact::CancelRequested { .. } => self.cancel(plan)?,
            Fact::Finished { status, .. } => self.finished(*status)?,
            _ => return Err(mismatch("not known")),
        }
        // What was read served this decision; the next one reads afresh.
        self.kv = Arc::default();
        Ok(())
    }

    fn scheduled(
        &mut self,
        plan: &Plan,
        step: StepId,
        task: &TaskName,
        action: &ActionRef,
        input: &Value,
    ) -> Result<(), Mismatch> {
        let taken = self.step_in(step, &[Status::Requested])?;
        let (index, start) = (taken.task, taken.start.take());
        taken.status = Status::Scheduled;
        let expected = plan.tasks.get_index(index).map(|(name, _)| name);
        match start {
            Some((decided, rendered)) if expected == Some(task) && decided == *action => {
                debug_assert_eq!(rendered, *input, "the journal's input is not the one decided on");
                Ok(())
            }
            _ => Err(Mismatch { what: format!("step {step} runs {task} ({action}), which was not decided on") }),
        }
    }

    fn finished_step(
        &mut self,
        plan: &Plan,
        step: StepId,
        attempt: AttemptNumber,
        outcome: &Outcome,
    ) -> Result<(), Stop> {
        let running = self.step_in(step, &[Status::Scheduled, Status::Running])?;
        if running.status == Status::Running && running.attempt != attempt {
            return Err(mismatch(format!(
                "attempt {attempt} of step {step} ended, but {} was running",
                running.attempt
            )));
        }
        running.status = outcome.status();
        self.active -= 1;
        self.interrupts.retain(|interrupted| *interrupted != step);
        self.completed(plan, step, outcome)
    }

    fn finished(&mut self, status: Status) -> Result<(), Mismatch> {
        match self.verdict.take() {
            Some(Command::Finish { status: decided, .. }) if decided == status => self.become_status(status),
            // Cancelling may be recorded by whoever gives up on an execution that cannot go on.
            _ if status == Status::Failed || status == Status::Abandoned => self.become_status(status),
            _ => Err(Mismatch { what: format!("it ended as {status}, which was not decided on") }),
        }
    }

    pub(super) fn become_status(&mut self, next: Status) -> Result<(), Mismatch> {
        if !self.status.may_become(next) {
            return Err(Mismatch { what: format!("{} may not become {next}", self.status) });
        }
        self.status = next;
        Ok(())
    }

    fn step_in(&mut self, step: StepId, wanted: &[Status]) -> Result<&mut Step, Mismatch> {
        match self.steps.get_mut(usize::try_from(step.0).unwrap_or(usize::MAX)) {
            Some(found) if wanted.contains(&found.status) => Ok(found),
            Some(found) => Err(Mismatch { what: format!("step {step} is {}", found.status) }),
            None => Err(Mismatch { what: format!("there is no step {step}") }),
        }
    }
}

pub(super) fn step_id(number: usize) -> StepId {
    StepId(u32::try_from(number).unwrap_or(u32::MAX))
}

fn mismatch(what: impl Into<String>) -> Stop {
    Mismatch { what: what.into() }.into()
}

/// What expressions see as the result of a step: its value, or what is known of its failure.
pub(super) fn visible_result(outcome: &Outcome) -> Value {
    match (outcome, outcome.failure()) {
        (Outcome::Succeeded { result }, _) => result.clone(),
        (_, Some(failure)) => json!({
            "code": failure.code, "message": failure.message, "details": failure.details, "retryable": failure.retryable,
        }),
        (_, None) => Value::Null,
    }
}
