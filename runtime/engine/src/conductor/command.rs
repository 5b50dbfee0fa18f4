//! What was decided and is not yet recorded, and what the time says.

use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, DelayReason, ErrorRecord, ItemIndex, Outcome, Purpose, RouteId, Status, StepId, TaskName,
    Timestamp, Wait,
};
use serde_json::Value;

use super::state::{State, Timer};
use super::step::{Step, Unit, UnitId, UnitState, Work, step_id, step_number};
use crate::plan::Plan;

/// Something that was decided and is not yet recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record a step: [`runner_model::Fact::StepScheduled`].
    StartStep {
        /// The step.
        step: StepId,
        /// The task it runs.
        task: TaskName,
        /// Its route.
        route: RouteId,
        /// What it is for.
        purpose: Purpose,
        /// The action to call.
        action: ActionRef,
        /// The rendered input; null if it runs over a list.
        input: Arc<Value>,
        /// The list it runs over.
        items: Option<Arc<Vec<Value>>>,
        /// The step that it runs again, of whose items it keeps those that succeeded.
        keeps: Option<StepId>,
        /// When it may begin, if later.
        until: Option<Timestamp>,
    },
    /// Record that a step is skipped: [`runner_model::Fact::StepSkipped`].
    SkipStep {
        /// The step.
        step: StepId,
        /// The task it does not run.
        task: TaskName,
        /// Its route.
        route: RouteId,
    },
    /// Record an item: [`runner_model::Fact::ItemScheduled`].
    StartItem {
        /// The step.
        step: StepId,
        /// The item.
        item: ItemIndex,
        /// The action to call.
        action: ActionRef,
        /// The rendered input.
        input: Arc<Value>,
    },
    /// Begin an attempt, once [`runner_model::Fact::AttemptStarted`] is recorded.
    BeginAttempt {
        /// What is tried.
        unit: UnitId,
        /// The task it belongs to.
        task: TaskName,
        /// Which try.
        attempt: AttemptNumber,
        /// The action to call.
        action: ActionRef,
        /// Its input.
        input: Arc<Value>,
        /// How long it may take, in milliseconds.
        timeout_ms: Option<i64>,
        /// How long it may be without a sign of life, in milliseconds.
        heartbeat_ms: Option<i64>,
        /// How far the last attempt that said so was.
        progress: Option<String>,
    },
    /// Record that a step is tried again: [`runner_model::Fact::StepDelayed`].
    DelayStep {
        /// What is tried.
        unit: UnitId,
        /// The try that will be made.
        attempt: AttemptNumber,
        /// When, at the earliest.
        until: Timestamp,
        /// Why.
        reason: DelayReason,
    },
    /// Record what a poll comes to: [`runner_model::Fact::PollEnded`].
    EndPoll {
        /// What was polled.
        unit: UnitId,
        /// How it ended.
        outcome: Box<Outcome>,
    },
    /// Record that a step waits: [`runner_model::Fact::WaitOpened`].
    OpenWait {
        /// What waits.
        unit: UnitId,
        /// For what.
        wait: Box<Wait>,
    },
    /// Record how a step ended that waited for too long: [`runner_model::Fact::AttemptFinished`].
    ExpireWait {
        /// What waits.
        unit: UnitId,
        /// Its attempt.
        attempt: AttemptNumber,
        /// How it ended.
        outcome: Outcome,
    },
    /// Interrupt what runs; record as cancelled what waits.
    Interrupt {
        /// What to interrupt.
        unit: UnitId,
        /// Its attempt.
        attempt: AttemptNumber,
    },
    /// Record that the workflow's time is over: [`runner_model::Fact::DeadlinePassed`].
    PassDeadline,
    /// Record that nothing is at work: [`runner_model::Fact::Rested`].
    Rest {
        /// `paused` or `pending`.
        status: Status,
    },
    /// End the execution: [`runner_model::Fact::Finished`].
    Finish {
        /// A terminal status.
        status: Status,
        /// What it returns.
        result: Value,
        /// What went wrong, in order.
        errors: Vec<ErrorRecord>,
    },
}

impl State {
    /// What was decided and is not yet recorded, in order.
    #[must_use]
    pub fn outstanding(&self, plan: &Plan) -> Vec<Command> {
        let mut commands = Vec::new();
        commands.extend(self.interrupts.iter().filter_map(|unit| self.interrupt(*unit)));
        let to_record = self.to_record.difference(&self.interrupts);
        commands.extend(to_record.filter_map(|unit| self.recording(*unit)));
        let mut decided: Vec<_> = self.decided.iter().filter(|number| self.may_begin(**number)).collect();
        let order = |number: &usize| {
            let step = self.steps.get(*number)?;
            Some((!step.reruns, plan.tasks.get_index(step.task)?.0, step.route))
        };
        decided.sort_by_key(|number| order(number));
        commands.extend(decided.into_iter().filter_map(|number| self.start_of(plan, *number)));
        let items = self.decided_items.iter().filter(|unit| self.may_begin(step_number(unit.step)));
        commands.extend(items.filter(|unit| self.has_turn(unit.step)).filter_map(|unit| self.item_start(*unit)));
        let ready = self.ready.difference(&self.interrupts);
        let ready = ready.filter(|unit| self.may_begin(step_number(unit.step)));
        commands.extend(ready.filter_map(|unit| self.beginning(plan, *unit)));
        commands.extend(self.rest().map(|status| Command::Rest { status }));
        // What is paused does not end before it is resumed, whatever was answered meanwhile.
        commands.extend(self.verdict.clone().filter(|_| self.status != Status::Paused));
        commands
    }

    /// Whether a command is still to be carried out: what was recorded since may have overtaken it.
    #[must_use]
    pub fn still(&self, command: &Command) -> bool {
        let number = |step: &StepId| step_number(*step);
        match command {
            Command::StartStep { step, .. } | Command::SkipStep { step, .. } => {
                self.decided.contains(&number(step)) && self.may_begin(number(step)) && self.is_as_decided(command)
            }
            Command::StartItem { step, item, action, input } => {
                let unit = UnitId { step: *step, item: Some(*item) };
                let is_same = |found: &Unit| found.action == *action && found.input == *input;
                self.decided_items.contains(&unit)
                    && self.may_begin(number(step))
                    && self.unit(unit).is_some_and(is_same)
            }
            Command::BeginAttempt { unit, attempt, .. } => {
                let waits = |found: &Unit| {
                    found.attempt == *attempt && matches!(found.state, UnitState::Ready | UnitState::Delayed { .. })
                };
                self.may_begin(number(&unit.step))
                    && !self.interrupts.contains(unit)
                    && self.open.contains(&number(&unit.step))
                    && self.unit(*unit).is_some_and(waits)
            }
            Command::DelayStep { unit, .. } | Command::OpenWait { unit, .. } | Command::EndPoll { unit, .. } => {
                self.to_record.contains(unit) && !self.interrupts.contains(unit)
            }
            Command::ExpireWait { unit, attempt, .. } => {
                let found = self.unit(*unit).filter(|_| self.open.contains(&number(&unit.step)));
                found.is_some_and(|found| found.attempt == *attempt && matches!(found.state, UnitState::Waiting(_)))
            }
            Command::Interrupt { unit, .. } => self.interrupts.contains(unit),
            Command::PassDeadline => !self.is_late && !self.status.is_terminal() && self.unwinding.is_none(),
            Command::Rest { status } => self.rest() == Some(*status),
            Command::Finish { .. } => self.verdict.is_some() && self.status != Status::Paused,
        }
    }

    /// Whether a step is still what it was when the command was given: until it is recorded, further transitions may
    /// meet in it.
    fn is_as_decided(&self, command: &Command) -> bool {
        match command {
            Command::SkipStep { step, .. } => self.step(*step).is_some_and(|found| matches!(found.work, Work::Skip)),
            Command::StartStep { step, action, input, items, until, .. } => {
                self.step(*step).is_some_and(|found| match &found.work {
                    Work::Skip => false,
                    Work::One(unit) => {
                        found.until == *until && items.is_none() && unit.action == *action && unit.input == *input
                    }
                    Work::Many(list) => found.until == *until && items.as_ref() == Some(&list.values),
                })
            }
            _ => true,
        }
    }

    /// What the time says: what `now` is past.
    #[must_use]
    pub fn due(&self, plan: &Plan, now: Timestamp) -> Vec<Command> {
        let passed = self.timers.iter().take_while(|(at, _)| *at <= now);
        passed.flat_map(|(_, timer)| self.fired(plan, *timer)).collect()
    }

    /// When [`State::due`] will say something next; none if nothing waits for a time.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.iter().find(|(_, timer)| self.counts(*timer)).map(|(at, _)| *at)
    }

    /// The same, leaving out what the time said until `after`: it is dealt with, or waits for something else.
    #[must_use]
    pub fn next_due_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut timers = self.timers.iter().skip_while(|(at, _)| *at <= after);
        timers.find(|(_, timer)| self.counts(*timer)).map(|(at, _)| *at)
    }

    /// Whether a timer means anything now: nothing begins in a pause.
    fn counts(&self, timer: Timer) -> bool {
        match timer {
            Timer::Start(unit) => self.may_begin(step_number(unit.step)),
            Timer::Expire(_) => true,
            // What is undone and cleaned up has all the time it takes.
            Timer::Deadline => self.unwinding.is_none(),
        }
    }

    fn fired(&self, plan: &Plan, timer: Timer) -> Vec<Command> {
        match timer {
            _ if !self.counts(timer) => Vec::new(),
            Timer::Deadline => vec![Command::PassDeadline],
            Timer::Start(unit) => match self.step(unit.step).map(|step| (&step.work, unit.item)) {
                Some((Work::Many(items), None)) => {
                    let decided = items.active.keys().map(|item| UnitId { item: Some(ItemIndex(*item)), ..unit });
                    decided.filter_map(|unit| self.item_start(unit)).collect()
                }
                _ => self.beginning(plan, unit).into_iter().collect(),
            },
            Timer::Expire(unit) => self.expiry(unit).into_iter().collect(),
        }
    }

    fn expiry(&self, unit: UnitId) -> Option<Command> {
        let found = self.unit(unit)?;
        let UnitState::Waiting(wait) = &found.state else { return None };
        Some(Command::ExpireWait { unit, attempt: found.attempt, outcome: wait.expired() })
    }

    fn interrupt(&self, unit: UnitId) -> Option<Command> {
        Some(Command::Interrupt { unit, attempt: self.unit(unit)?.attempt })
    }

    /// A delay or a wait that is to be recorded.
    fn recording(&self, unit: UnitId) -> Option<Command> {
        if let (Work::Many(items), None) = (&self.step(unit.step)?.work, unit.item) {
            let (until, reason) = items.to_delay?;
            return Some(Command::DelayStep { unit, attempt: self.step(unit.step)?.attempt, until, reason });
        }
        let found = self.unit(unit)?;
        match &found.state {
            UnitState::ToDelay { until, reason } => {
                Some(Command::DelayStep { unit, attempt: found.attempt, until: *until, reason: *reason })
            }
            UnitState::ToWait(wait) => Some(Command::OpenWait { unit, wait: wait.clone() }),
            UnitState::ToEnd(outcome) => Some(Command::EndPoll { unit, outcome: outcome.clone() }),
            _ => None,
        }
    }

    fn start_of(&self, plan: &Plan, number: usize) -> Option<Command> {
        let Step { task, route, purpose, until, work, keeps, .. } = self.steps.get(number)?;
        let (name, _) = plan.tasks.get_index(*task)?;
        let (step, task, route) = (step_id(number), name_of(name, *purpose), *route);
        let start = |action: &ActionRef, input: &Arc<Value>, items| Command::StartStep {
            step,
            task: task.clone(),
            route,
            purpose: *purpose,
            action: action.clone(),
            input: input.clone(),
            items,
            keeps: *keeps,
            until: *until,
        };
        Some(match work {
            Work::Skip => Command::SkipStep { step, task, route },
            Work::One(unit) => start(&unit.action, &unit.input, None),
            Work::Many(items) => {
                let first = items.active.values().next().map(|unit| &unit.action);
                let action = first.cloned().unwrap_or_else(ActionRef::noop);
                start(&action, &Arc::new(Value::Null), Some(items.values.clone()))
            }
        })
    }

    fn item_start(&self, unit: UnitId) -> Option<Command> {
        let found = self.unit(unit).filter(|found| found.state == UnitState::Decided)?;
        let (action, input) = (found.action.clone(), found.input.clone());
        Some(Command::StartItem { step: unit.step, item: unit.item?, action, input })
    }

    fn beginning(&self, plan: &Plan, unit: UnitId) -> Option<Command> {
        let step = self.step(unit.step)?;
        let (name, _) = plan.tasks.get_index(step.task)?;
        let Unit { attempt, action, input, timeout_ms, heartbeat_ms, progress, .. } = step.unit(unit.item)?;
        Some(Command::BeginAttempt {
            unit,
            task: name_of(name, step.purpose),
            attempt: *attempt,
            action: action.clone(),
            input: input.clone(),
            timeout_ms: *timeout_ms,
            heartbeat_ms: *heartbeat_ms,
            progress: progress.clone(),
        })
    }

    /// Whether a list's items may begin: it is recorded and waits for no time.
    fn has_turn(&self, step: StepId) -> bool {
        self.step(step).is_some_and(|step| step.status == Status::Scheduled && step.until.is_none())
    }

    /// Whether something of this step may begin now.
    pub(super) fn may_begin(&self, number: usize) -> bool {
        match self.status {
            Status::Running | Status::Pending => true,
            Status::Canceling => self.steps.get(number).is_some_and(|step| !step.purpose.is_task()),
            _ => false,
        }
    }

    /// The status in which the execution rests, if it does and that is not recorded.
    fn rest(&self) -> Option<Status> {
        let Counts { running, paused, waiting, delayed } = self.counts;
        let has_decisions = self.verdict.is_some() || !self.to_record.is_empty() || !self.interrupts.is_empty();
        if running > 0 || has_decisions {
            return None;
        }
        if self.status == Status::Pausing {
            return Some(Status::Paused);
        }
        let nothing_begins = self.ready.is_empty() && self.decided.is_empty() && delayed == 0;
        if self.status != Status::Running || !nothing_begins || self.is_stopping() {
            return None;
        }
        match (paused, waiting) {
            (0, 0) => None,
            (0, _) => Some(Status::Pending),
            _ => Some(Status::Paused),
        }
    }
}

/// The name under which a step is recorded.
pub(super) fn name_of(task: &TaskName, purpose: Purpose) -> TaskName {
    match purpose {
        Purpose::OnCancel { of: None } => TaskName::on_cancel(),
        _ => task.clone(),
    }
}

/// Units by where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) running: usize,
    pub(super) paused: usize,
    pub(super) waiting: usize,
    pub(super) delayed: usize,
}
