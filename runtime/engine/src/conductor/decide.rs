//! Starting tasks: the first ones, and those that transitions have arrived at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, Code, ErrorRecord, Fact, Purpose, RouteId, Status, TaskName, code, limits,
};
use serde_json::Value;

use super::command::name_of;
use super::context::Variables;
use super::settings::{Whose, short};
use super::state::{End, Held, Passed, Source, State, Timer};
use super::step::{Items, Step, Unit, UnitId, UnitState, Work, step_id};
use super::{Mismatch, Stop};
use crate::Template;
use crate::expression::{EvaluationError, Frame, TaskResult};
use crate::plan::{Plan, Task};

/// A call as written.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) action: Option<&'a Template>,
    pub(super) input: &'a Template,
    pub(super) timeout: Option<&'a Template>,
    pub(super) heartbeat: Option<&'a Template>,
}

impl<'a> Call<'a> {
    pub(super) const fn of_task(task: &'a Task) -> Self {
        let Task { action, input, timeout, heartbeat_timeout, .. } = task;
        Self { action: action.as_ref(), input, timeout: timeout.as_ref(), heartbeat: heartbeat_timeout.as_ref() }
    }
}

impl State {
    /// The first decision: variables, then the tasks that nothing leads to.
    pub(super) fn start(&mut self, plan: &Plan) -> Result<(), Stop> {
        let mut variables = match &self.parameters {
            Value::Object(map) => map.clone(),
            _ => Variables::new(),
        };
        for binding in &plan.vars {
            let frame = self.frame(&Arc::new(variables.clone()), None);
            match binding.value.render(&frame) {
                Ok(value) => {
                    variables.insert(binding.name.clone(), value);
                }
                Err(error) => {
                    self.note(None, None, &error)?;
                    break;
                }
            }
        }
        let context = self.deltas.begin(variables);
        self.initial = context.clone();
        let frame = self.frame(context.variables(), None);
        self.timeout_ms = self.duration(Whose { task: None, frame: &frame }, "timeout", plan.timeout.as_ref())?;
        self.set_deadline();
        if !self.failing {
            for task in plan.starts() {
                self.begin_step(plan, Held { task, from: None, route: RouteId(0), context: context.clone() })?;
            }
        }
        self.settle(plan)
    }

    pub(super) fn set_deadline(&mut self) {
        if let Some(timeout) = self.timeout_ms {
            self.timers.insert((self.now.plus_ms(timeout), Timer::Deadline));
        }
    }

    /// Decides on a step of a task, unless something has failed; then the task is held for a rerun.
    ///
    /// Two transitions that reach a task on the same route before it was recorded make one step, with what both bring.
    pub(super) fn begin_step(&mut self, plan: &Plan, mut held: Held) -> Result<(), Stop> {
        if self.is_stopping() && !self.sparing {
            self.held.push(held);
            return Ok(());
        }
        let Some((name, task)) = plan.tasks.get_index(held.task) else {
            return Err(Stop::mismatch(format!("there is no task number {}", held.task)));
        };
        let whose = Some((name, held.route));
        if self.steps.len() >= limits::STEPS_MAX {
            let message = format!("the execution has made {} steps", limits::STEPS_MAX);
            self.fail(code::FLOW_TOO_MANY_STEPS, whose, message, "a cycle needs a transition that leaves it");
            self.end_branch(&held);
            return Ok(());
        }
        let replaced = self.merge_with_decided(&mut held);
        let frame = self.frame(held.context.variables(), None);
        let mistakes = self.errors.len();
        let work = match task.condition.as_ref().map(|condition| condition.holds(&frame)) {
            Some(Ok(false)) => Some(Work::Skip),
            Some(Err(error)) => {
                self.note(whose, None, &error)?;
                None
            }
            _ => self.work(plan, (name, task), held.route, &frame)?,
        };
        let delay = match &work {
            Some(Work::One(_) | Work::Many(_)) => {
                self.duration(Whose { task: whose, frame: &frame }, "delay", task.delay.as_ref())?
            }
            _ => None,
        };
        match work.filter(|_| self.errors.len() == mistakes) {
            Some(work) => {
                let until = delay.filter(|delay| *delay > 0).map(|delay| self.now.plus_ms(delay));
                let number = match replaced {
                    Some(number) => self.put_step(number, held, Purpose::Task, work, until),
                    None => self.add_step(held, Purpose::Task, work, until),
                };
                self.fill_items(plan, number)
            }
            None => {
                self.end_branch(&held);
                Ok(())
            }
        }
    }

    /// A branch ends before the task it led to.
    pub(super) fn end_branch(&mut self, held: &Held) {
        let at = held.from.unwrap_or(Source { task: held.task, route: held.route });
        self.ends.push(End { at, context: held.context.clone() });
    }

    /// If the task is decided on already, on this route, takes that step back and its context in; gives its number.
    fn merge_with_decided(&mut self, held: &mut Held) -> Option<usize> {
        let same = |number: &usize| {
            let step = self.steps.get(*number)?;
            (step.purpose.is_task() && !step.reruns && step.task == held.task && step.route == held.route)
                .then_some(*number)
        };
        let number = self.decided.iter().find_map(same)?;
        let before = self.steps.get(number)?.context.clone();
        held.context = self.deltas.join([&before, &held.context]);
        self.decided_items.retain(|unit| unit.step != step_id(number));
        Some(number)
    }

    /// Adds a step that is decided on; gives its number.
    pub(super) fn add_step(
        &mut self,
        held: Held,
        purpose: Purpose,
        work: Work,
        until: Option<runner_model::Timestamp>,
    ) -> usize {
        self.put_step(self.steps.len(), held, purpose, work, until)
    }

    fn put_step(
        &mut self,
        number: usize,
        held: Held,
        purpose: Purpose,
        work: Work,
        until: Option<runner_model::Timestamp>,
    ) -> usize {
        let Held { task, from, route, context } = held;
        let step = Step {
            task,
            from,
            route,
            purpose,
            context,
            status: Status::Requested,
            attempt: AttemptNumber::FIRST,
            spared: self.sparing,
            reruns: false,
            keeps: None,
            led_on: false,
            passage: usize::MAX,
            tries: 0,
            commands: 0,
            began: None,
            until,
            last: None,
            kept: None,
            work,
        };
        match self.steps.get_mut(number) {
            Some(slot) => *slot = step,
            None => self.steps.push(step),
        }
        self.decided.insert(number);
        number
    }

    fn work(
        &mut self,
        plan: &Plan,
        (name, task): (&TaskName, &Task),
        route: RouteId,
        frame: &Frame,
    ) -> Result<Option<Work>, Stop> {
        let whose = Whose { task: Some((name, route)), frame };
        let Some(with) = &task.with else {
            let mut unit = self.unit_for(whose, Call::of_task(task))?;
            if let Some(unit) = unit.as_mut().filter(|_| plan.single) {
                unit.input = Arc::new(self.parameters.clone());
            }
            return Ok(unit.map(|unit| Work::One(Box::new(unit))));
        };
        let values = match with.items.render(frame) {
            Ok(Value::Array(values)) if values.len() <= limits::ITEMS_MAX => values,
            Ok(Value::Array(values)) => {
                let message = format!("`with` has {} items, and {} are allowed", values.len(), limits::ITEMS_MAX);
                self.fail(code::FLOW_BAD_VALUE, whose.task, message, "run it over parts of the list, by sub-workflows");
                return Ok(None);
            }
            Ok(other) => {
                let message = format!("`with` gave {}, which is not a list", short(&other));
                self.fail(
                    code::FLOW_BAD_VALUE,
                    whose.task,
                    message,
                    "give a list, such as `with: <% ctx(\"names\") %>`",
                );
                return Ok(None);
            }
            Err(error) => {
                self.note(whose.task, None, &error)?;
                return Ok(None);
            }
        };
        let concurrency = self.number(whose, "concurrency", with.concurrency.as_ref())?;
        Ok(Some(Work::Many(Box::new(Items::new(values, concurrency)))))
    }

    /// A unit that makes a call; none if it cannot be rendered, which makes the execution fail.
    pub(super) fn unit_for(&mut self, whose: Whose<'_>, call: Call<'_>) -> Result<Option<Unit>, Stop> {
        let action = call.action.map_or_else(|| Ok(Value::from(ActionRef::noop().as_str())), |a| a.render(whose.frame));
        let (action, input) = match (action, call.input.render(whose.frame)) {
            (Err(error), _) | (_, Err(error)) => {
                self.note(whose.task, None, &error)?;
                return Ok(None);
            }
            (Ok(action), Ok(input)) => (action, input),
        };
        let Some(action) = action.as_str().and_then(|text| text.parse::<ActionRef>().ok()) else {
            let message = format!("the task's action is {}, which is not an action's name", short(&action));
            self.fail(code::FLOW_UNKNOWN_ACTION, whose.task, message, "write it as `pack.action`");
            return Ok(None);
        };
        let timeout_ms = self.duration(whose, "timeout", call.timeout)?;
        let heartbeat_ms = self.duration(whose, "heartbeat_timeout", call.heartbeat)?;
        Ok(Some(Unit {
            state: UnitState::Decided,
            attempt: AttemptNumber::FIRST,
            action,
            input: Arc::new(input),
            timeout_ms: timeout_ms.filter(|timeout| *timeout > 0),
            heartbeat_ms: heartbeat_ms.filter(|timeout| *timeout > 0),
            started: None,
            began: None,
            polls: 0,
            progress: None,
        }))
    }

    /// A step was recorded.
    pub(super) fn scheduled(&mut self, plan: &Plan, fact: &Fact) -> Result<(), Stop> {
        let Fact::StepScheduled { step: id, task, action, input, until, .. } = fact else { return Ok(()) };
        let number = super::step::step_number(*id);
        let unlike = || Mismatch::new(format!("step {id} runs {task} ({action}), which was not decided on"));
        if !self.decided.remove(&number) {
            return Err(unlike().into());
        }
        let passage = self.passages.len();
        let step = self.step_mut(*id)?;
        let name = plan.tasks.get_index(step.task).map(|(name, _)| name_of(name, step.purpose));
        if name.as_ref() != Some(task) || *until != step.until || matches!(step.work, Work::Skip) {
            return Err(unlike().into());
        }
        step.status = Status::Scheduled;
        step.passage = passage;
        let (route, unit) = (step.route, UnitId { step: *id, item: None });
        let behind = Source { task: step.task, route };
        let next = match &mut step.work {
            Work::One(one) if one.action != *action => return Err(unlike().into()),
            Work::One(one) => {
                debug_assert_eq!(*one.input, *input, "the journal's input is not the one decided on");
                step.until = None;
                Some(until.map_or(UnitState::Ready, |until| UnitState::Delayed { until, reason: None }))
            }
            Work::Many(_) | Work::Skip => None,
        };
        self.open.insert(number);
        self.passages.push(Passed { step: Some(number), behind, command: "", route, terminal: false });
        match (next, until) {
            (Some(next), _) => self.enter(unit, next)?,
            (None, Some(until)) => {
                self.counts.delayed += 1;
                self.timers.insert((*until, Timer::Start(unit)));
            }
            (None, None) => {}
        }
        self.end_if_empty(plan, number)
    }

    /// A skipped step was recorded: it is done.
    pub(super) fn skipped(&mut self, plan: &Plan, id: runner_model::StepId, task: &TaskName) -> Result<(), Stop> {
        let number = super::step::step_number(id);
        let passage = self.passages.len();
        let is_decided = self.decided.remove(&number);
        let step = self.step_mut(id)?;
        let name = plan.tasks.get_index(step.task).map(|(name, _)| name);
        if !is_decided || name != Some(task) || !matches!(step.work, Work::Skip) {
            return Err(Stop::mismatch(format!("step {id} skips {task}, which was not decided on")));
        }
        step.status = Status::Skipped;
        step.passage = passage;
        let route = step.route;
        let behind = Source { task: step.task, route };
        self.passages.push(Passed { step: Some(number), behind, command: "", route, terminal: false });
        let current = TaskResult { status: Status::Skipped, result: Arc::new(Value::Null) };
        self.completed(plan, number, &current, None)
    }

    /// What an expression sees now.
    pub(super) fn frame(&self, variables: &Arc<Variables>, current: Option<TaskResult>) -> Frame {
        Frame {
            now: self.now,
            variables: variables.clone(),
            current,
            item: None,
            tasks: self.tasks.clone(),
            execution: Some(self.execution.clone()),
            config: self.config.clone(),
            kv: self.kv.clone(),
            event: None,
        }
    }

    /// Records that an expression failed, which nothing deals with; a value that is lacking stops the whole decision.
    pub(super) fn note(
        &mut self,
        task: Option<(&TaskName, RouteId)>,
        transition: Option<usize>,
        error: &EvaluationError,
    ) -> Result<(), Stop> {
        match error {
            EvaluationError::NeedsKv { key } => Err(Stop::NeedsKv { key: key.clone() }),
            EvaluationError::Failed { code, hint, .. } => {
                self.failing = true;
                self.errors.push(ErrorRecord {
                    task: task.map(|(task, _)| task.clone()),
                    route: task.map(|(_, route)| route).filter(|route| route.0 > 0),
                    transition,
                    code: code.id().to_owned(),
                    message: error.to_string(),
                    hint: hint.clone(),
                    details: None,
                });
                Ok(())
            }
        }
    }

    /// Records that the execution fails.
    pub(super) fn fail(&mut self, code: Code, task: Option<(&TaskName, RouteId)>, message: String, hint: &str) {
        self.failing = true;
        self.errors.push(ErrorRecord {
            task: task.map(|(task, _)| task.clone()),
            route: task.map(|(_, route)| route).filter(|route| route.0 > 0),
            transition: None,
            code: code.id().to_owned(),
            message,
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
            details: None,
        });
    }
}

impl Items {
    fn new(values: Vec<Value>, concurrency: Option<f64>) -> Self {
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is at least 1, and `as` saturates"
        )]
        let concurrency = concurrency.map_or(usize::MAX, |number| number.max(1.0) as usize);
        Self {
            done: vec![None; values.len()],
            values: Arc::new(values),
            concurrency,
            pending: (0..count).collect::<VecDeque<_>>(),
            active: BTreeMap::new(),
            failure: None,
            halted: false,
            to_delay: None,
        }
    }
}

/// What `item()` gives.
pub(super) fn item_of(with: &crate::plan::With, value: &Value) -> Value {
    match (with.names.as_slice(), value) {
        ([], value) => value.clone(),
        ([name], value) => Value::Object([(name.clone(), value.clone())].into_iter().collect()),
        (names, Value::Array(members)) => Value::Object(names.iter().cloned().zip(members.iter().cloned()).collect()),
        (_, value) => value.clone(),
    }
}
