//! Tasks and how they lead to one another.

use std::collections::BTreeSet;

use runner_model::code;

use super::{Finding, did_you_mean, in_task, key};
use crate::plan::{Join, Plan, Target, Task, Transition};
use crate::{Expression, Place};

pub(super) fn inspect(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, (name, task)) in plan.tasks.iter().enumerate() {
        if Target::COMMANDS.contains(&name.as_str()) {
            findings.push(Finding {
                code: code::FLOW_RESERVED_NAME,
                place: in_task(name.as_str(), &[]),
                message: format!("a task cannot be called `{name}`: that is a command of the engine"),
                hint: Some(format!("call it something like `{name}_task`")),
            });
        }
        for (number, transition) in task.next.iter().enumerate() {
            unknown_targets(plan, name.as_str(), number, transition, &mut findings);
        }
        join(plan, index, &mut findings);
        items_without_action(name.as_str(), task, &mut findings);
    }
    ambiguous_joins(plan, &mut findings);
    unknown_tasks_in_expressions(plan, &mut findings);
    starts(plan, &mut findings);
    findings
}

fn unknown_targets(plan: &Plan, task: &str, number: usize, transition: &Transition, findings: &mut Vec<Finding>) {
    for (position, target) in transition.targets.iter().enumerate() {
        let Target::Task(to) = target else { continue };
        if plan.tasks.contains_key(to) {
            continue;
        }
        let names = plan.tasks.keys().map(runner_model::TaskName::as_str).chain(Target::COMMANDS);
        findings.push(Finding {
            code: code::FLOW_UNKNOWN_TASK,
            place: in_task(task, &[key("next"), Place::Index(number), key("do"), Place::Index(position)]),
            message: format!("there is no task `{to}`"),
            hint: did_you_mean(to.as_str(), names),
        });
    }
}

fn unknown_tasks_in_expressions(plan: &Plan, findings: &mut Vec<Finding>) {
    let mut look = |place: &[Place], expression: &Expression| {
        for reading in expression.tasks().iter().filter(|reading| !plan.tasks.contains_key(reading.name.as_str())) {
            findings.push(Finding {
                code: code::FLOW_UNKNOWN_TASK,
                place: place.to_vec(),
                message: format!("there is no task `{}`", reading.name),
                hint: did_you_mean(&reading.name, plan.tasks.keys().map(runner_model::TaskName::as_str)),
            });
        }
    };
    plan.visit(&mut look);
}

fn join(plan: &Plan, index: usize, findings: &mut Vec<Finding>) {
    let Some((name, task)) = plan.tasks.get_index(index) else { return };
    let inbound: BTreeSet<_> = plan.inbound_of(index).iter().map(|transition| transition.task).collect();
    let message = match &task.join {
        Some(_) if inbound.is_empty() => "a join needs transitions that lead to it, and there is none".to_owned(),
        Some(Join::Count(0)) => "a join of 0 would never start its task".to_owned(),
        Some(Join::Count(count)) if *count > inbound.len() => {
            format!("the join waits for {count} tasks, but only {} lead to it", inbound.len())
        }
        _ => return,
    };
    findings.push(Finding {
        code: code::FLOW_BAD_JOIN,
        place: in_task(name.as_str(), &[key("join")]),
        message,
        hint: Some("write `join: all`, or a number of the tasks that lead here".to_owned()),
    });
}

/// Joins of branches that were split differently: it is not clear on which route they meet.
fn ambiguous_joins(plan: &Plan, findings: &mut Vec<Finding>) {
    let splits = splits_before(plan);
    let of = |task: usize| splits.get(task);
    for (index, (name, _)) in plan.tasks.iter().enumerate().filter(|(_, (_, task))| task.join.is_some()) {
        let inbound: BTreeSet<_> = plan.inbound_of(index).iter().map(|transition| transition.task).collect();
        if inbound.iter().any(|from| of(*from) != of(index)) {
            findings.push(Finding {
                code: code::FLOW_BAD_JOIN,
                place: in_task(name.as_str(), &[key("join")]),
                message: format!(
                    "`{name}` joins branches of which some ran through a task that several transitions lead to: it is \
                     not clear on which of its routes they meet"
                ),
                hint: Some("join the branches before that task, or give it a `join` of its own".to_owned()),
            });
        }
    }
}

/// For each task, the split tasks on any way to it, itself included.
fn splits_before(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let own = |task: usize| if plan.is_split(task) { BTreeSet::from([task]) } else { BTreeSet::new() };
    let mut splits: Vec<_> = (0..plan.tasks.len()).map(own).collect();
    let mut open: Vec<usize> = (0..plan.tasks.len()).rev().collect();
    while let Some(task) = open.pop() {
        let Some(before) = splits.get(task).cloned() else { continue };
        for next in plan.successors(task).collect::<Vec<_>>() {
            let Some(set) = splits.get_mut(next) else { continue };
            let count = set.len();
            set.extend(&before);
            if set.len() > count {
                open.push(next);
            }
        }
    }
    splits
}

fn items_without_action(name: &str, task: &Task, findings: &mut Vec<Finding>) {
    if task.with.is_some() && task.action.is_none() {
        findings.push(Finding {
            code: code::FLOW_NO_ACTION,
            place: in_task(name, &[key("with")]),
            message: format!("the task `{name}` has items and no action to run for them"),
            hint: Some("add `action: pack.name`".to_owned()),
        });
    }
}

fn starts(plan: &Plan, findings: &mut Vec<Finding>) {
    let starts = plan.starts();
    if starts.is_empty() {
        if !plan.tasks.is_empty() {
            findings.push(Finding {
                code: code::FLOW_NO_START,
                place: vec![key("tasks")],
                message: "no task can start: a transition leads to each of them".to_owned(),
                hint: Some("add a first task that nothing leads to".to_owned()),
            });
        }
        return;
    }
    let mut reached: BTreeSet<usize> = starts.iter().copied().collect();
    let mut open = starts;
    while let Some(task) = open.pop() {
        open.extend(plan.successors(task).filter(|next| reached.insert(*next)));
    }
    for (_, name) in plan.tasks.keys().enumerate().filter(|(index, _)| !reached.contains(index)) {
        findings.push(Finding {
            code: code::FLOW_UNREACHABLE_TASK,
            place: in_task(name.as_str(), &[]),
            message: format!("the task `{name}` cannot be reached: only tasks that it leads to lead to it"),
            hint: Some("lead to it from a task that starts, or remove it".to_owned()),
        });
    }
}
