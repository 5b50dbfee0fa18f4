//! Context variables: whether each that is read has been set on the way.
//!
//! For every task, the variables that may be set when it starts: those set at the start, and those that any way to it
//! publishes. A variable that no way sets is a mistake; one that only some ways set is the author's business.

use std::collections::BTreeSet;

use runner_model::code;

use super::{Finding, did_you_mean, in_task, key};
use crate::plan::{Binding, Plan};
use crate::{Condition, Expression, Place, Template};

type Names = BTreeSet<String>;

pub(super) fn inspect(plan: &Plan, parameters: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known: Names = parameters.iter().map(ToString::to_string).collect();
    list(&plan.vars, &[key("vars")], &mut known, &mut findings);
    let before = before_each_task(plan, &known);
    let mut at_end = known;
    for ((name, task), before) in plan.tasks.iter().zip(before) {
        let place = |rest: &[Place]| in_task(name.as_str(), rest);
        if let Some(action) = &task.action {
            template(action, &place(&[key("action")]), &before, &mut findings);
        }
        template(&task.input, &place(&[key("input")]), &before, &mut findings);
        for (number, transition) in task.next.iter().enumerate() {
            let next = [key("next"), Place::Index(number)];
            let within = |what: &str| place(&[&next[..], &[key(what)]].concat());
            if let Some(when) = &transition.when {
                template(Condition::template(when), &within("when"), &before, &mut findings);
            }
            let mut rolling = before.clone();
            list(&transition.publish, &within("publish"), &mut rolling, &mut findings);
            at_end.extend(rolling);
        }
        at_end.extend(before);
    }
    list(&plan.output, &[key("output")], &mut at_end, &mut findings);
    findings
}

/// For each task, what may be set when it starts: the smallest solution of "what its predecessors had, and what the
/// transitions to it publish".
fn before_each_task(plan: &Plan, start: &Names) -> Vec<Names> {
    let mut before: Vec<Names> = vec![start.clone(); plan.tasks.len()];
    loop {
        let mut changed = false;
        for task in 0..before.len() {
            let mut names = before.get(task).cloned().unwrap_or_default();
            let had = names.len();
            for transition in plan.inbound_of(task) {
                names.extend(before.get(transition.task).into_iter().flatten().cloned());
                let from = plan.tasks.get_index(transition.task).and_then(|(_, from)| from.next.get(transition.index));
                names.extend(from.into_iter().flat_map(|from| &from.publish).map(|binding| binding.name.clone()));
            }
            changed |= names.len() > had;
            if let Some(slot) = before.get_mut(task) {
                *slot = names;
            }
        }
        if !changed {
            return before;
        }
    }
}

/// A list of bindings, each of which may read those before it.
fn list(bindings: &[Binding], place: &[Place], known: &mut Names, findings: &mut Vec<Finding>) {
    for (number, binding) in bindings.iter().enumerate() {
        let place: Vec<_> = place.iter().cloned().chain([Place::Index(number), key(&binding.name)]).collect();
        template(&binding.value, &place, known, findings);
        known.insert(binding.name.clone());
    }
}

fn template(template: &Template, place: &[Place], known: &Names, findings: &mut Vec<Finding>) {
    template.visit(&mut |within: &[Place], expression: &Expression| {
        for reading in expression.variables().iter().filter(|reading| !known.contains(&reading.name)) {
            findings.push(Finding {
                code: code::FLOW_UNKNOWN_VARIABLE,
                place: place.iter().chain(within).cloned().collect(),
                message: format!("nothing has set the context variable `{}` here", reading.name),
                hint: did_you_mean(&reading.name, known.iter().map(String::as_str))
                    .or_else(|| Some("make it a parameter, set it under `vars`, or publish it on the way".to_owned())),
            });
        }
    });
}
