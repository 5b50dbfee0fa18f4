//! What must hold of every state.

use std::collections::BTreeSet;

use runner_model::{Entry, ExecutionView, Fact, ItemIndex, Status, StepId};

use crate::conductor::command::Counts;
use crate::conductor::state::{State, Timer};
use crate::conductor::step::{Unit, UnitId, UnitState, Work, step_id};
use crate::plan::Plan;

/// What is counted and sorted is what the steps say.
pub(super) fn counters(state: &State) {
    let mut counts = Counts::default();
    let (mut ready, mut to_record, mut decided_items) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut timers: BTreeSet<_> =
        state.timers.iter().filter(|(_, timer)| matches!(timer, Timer::Deadline)).copied().collect();
    for (number, step) in state.steps.iter().enumerate() {
        let is_open = !step.status.is_terminal() && step.status != Status::Requested;
        assert_eq!(state.open.contains(&number), is_open, "step {number} is {}", step.status);
        assert_eq!(state.decided.contains(&number), step.status == Status::Requested, "step {number}");
        if let (Work::Many(items), true) = (&step.work, is_open || step.status == Status::Requested) {
            let id = UnitId { step: step_id(number), item: None };
            decided_items.extend(
                items
                    .active
                    .iter()
                    .filter(|(_, unit)| unit.state == UnitState::Decided)
                    .map(|(item, _)| UnitId { item: Some(ItemIndex(*item)), ..id }),
            );
            if items.to_delay.is_some() {
                to_record.insert(id);
            }
            if let Some(until) = step.until.filter(|_| is_open) {
                counts.delayed += 1;
                timers.insert((until, Timer::Start(id)));
            }
        }
        for (item, Unit { state, .. }) in step.open_units() {
            let id = UnitId { step: step_id(number), item };
            match state {
                UnitState::Decided => {}
                UnitState::Ready => drop(ready.insert(id)),
                UnitState::ToDelay { .. } | UnitState::ToWait(_) | UnitState::ToEnd(_) => drop(to_record.insert(id)),
                UnitState::Delayed { until, .. } => {
                    counts.delayed += 1;
                    timers.insert((*until, Timer::Start(id)));
                }
                UnitState::Running => counts.running += 1,
                UnitState::Paused => counts.paused += 1,
                UnitState::Waiting(wait) => {
                    counts.waiting += 1;
                    timers.extend(wait.expires_at.map(|at| (at, Timer::Expire(id))));
                }
            }
        }
    }
    assert_eq!(counts, state.counts);
    assert_eq!(ready, state.ready);
    assert_eq!(to_record, state.to_record);
    assert_eq!(decided_items, state.decided_items);
    if state.verdict.is_none() && !state.status.is_terminal() {
        assert_eq!(timers, state.timers);
    }
    let gone = state.interrupts.iter().find(|unit| state.unit(**unit).is_none());
    assert_eq!(gone, None, "what is interrupted is there");
}

/// A state that is not terminal has a way on.
pub(super) fn has_a_way_on(plan: &Plan, state: &State) {
    let outstanding = state.outstanding(plan);
    let overtaken = outstanding.iter().find(|command| !state.still(command));
    assert_eq!(overtaken, None, "what is outstanding is still to be done");
    if state.status.is_terminal() {
        assert!(outstanding.is_empty() && state.next_due().is_none(), "{outstanding:?}");
        return;
    }
    let counts = state.counts;
    let by_itself = !outstanding.is_empty() || state.next_due().is_some();
    let by_others = counts.running > 0 || counts.paused > 0 || counts.waiting > 0;
    let by_resume = state.status == Status::Paused;
    assert!(by_itself || by_others || by_resume, "stuck: {state:#?}");
    // What is due is done, or whoever waits for the time would wait in a loop.
    if let Some(due) = state.next_due() {
        let commands = state.due(plan, due);
        let is_done = !outstanding.is_empty() || commands.iter().any(|command| state.still(command));
        assert!(is_done, "{:?} of {:?} do nothing, {} {:#?}", commands, state.timers, state.status, state.steps);
    }
}

/// The view agrees with the state, wherever nothing is left to record about a step.
pub(super) fn view(state: &State, view: &ExecutionView, entries: &[Entry]) {
    // A part that was cancelled by itself cancels the whole, which nobody asked for: readers see it at the end.
    let phase = entries.rsplit(|entry| matches!(entry.fact, Fact::RerunRequested { .. })).next().unwrap_or_default();
    let is_asked = phase.iter().any(|entry| matches!(entry.fact, Fact::CancelRequested { .. }));
    // Nor is it shown before that the workflow's timeout ended a pause.
    if !state.is_late && (state.status != Status::Canceling || is_asked) || state.status.is_terminal() {
        assert_eq!(view.record.status, state.status);
    }
    for shown in &view.steps {
        let StepId(number) = shown.step;
        let step = &state.steps[usize::try_from(number).unwrap()];
        // The journal does not say that no further item of a list will begin, or that it was given up: of lists, the
        // good ends are compared.
        if shown.items.is_some() && step.status != Status::Succeeded {
            continue;
        }
        let expected = match &step.work {
            _ if step.status.is_terminal() => Some(step.status),
            Work::Many(_) | Work::Skip => None,
            Work::One(unit) => of_unit(unit),
        };
        if let Some(expected) = expected {
            assert_eq!(shown.status, expected, "step {number}, as shown: {:#?}", about(entries, shown.step));
        }
        let items = shown.items.iter().flatten();
        for item in items {
            let expected = step.unit(Some(item.item)).and_then(of_unit);
            if let Some(expected) = expected.filter(|_| !step.status.is_terminal()) {
                let about = about(entries, shown.step);
                assert_eq!(item.status, expected, "item {} of step {number}, as shown: {about:#?}", item.item);
            }
        }
    }
}

fn about(entries: &[Entry], step: StepId) -> Vec<&Entry> {
    entries.iter().filter(|entry| entry.fact.step() == Some(step)).collect()
}

fn of_unit(unit: &Unit) -> Option<Status> {
    match unit.state {
        UnitState::Decided | UnitState::ToDelay { .. } | UnitState::ToWait(_) | UnitState::ToEnd(_) => None,
        UnitState::Ready => Some(Status::Scheduled),
        UnitState::Delayed { .. } => Some(Status::Delayed),
        UnitState::Running => Some(Status::Running),
        UnitState::Paused => Some(Status::Paused),
        UnitState::Waiting(_) => Some(Status::Pending),
    }
}

/// Each status that changed did so along the table of legal moves. What is to be tried again after an answer waits for
/// its turn; what was paused may have gone on and ended since the last look.
pub(super) fn moves(before: &ExecutionView, after: &ExecutionView) {
    for (before, after) in before.steps.iter().zip(&after.steps) {
        let (from, to) = (before.status, after.status);
        let is_explained = match from {
            Status::Pending => matches!(to, Status::Scheduled | Status::Delayed),
            Status::Paused => Status::Running.may_become(to),
            _ => false,
        };
        assert!(from.may_become(to) || is_explained, "step {}: {from} {to}", after.step);
    }
}
