//! Context variables: whether each that is read has been set on the way.
//!
//! For every task, the variables that may be set when it starts: those set at the start, and those that any way to it
//! publishes. A variable that no way sets is a mistake; one that only some ways set is the author's business.

use indexmap::IndexSet;
use runner_model::code;

use super::{Finding, did_you_mean, in_task, key};
use crate::plan::{Binding, Plan};
use crate::{Condition, Expression, Place, Template};

pub(super) fn inspect(plan: &Plan, parameters: &[&str]) -> Vec<Finding> {
    let mut inspection = Inspection { names: names(plan, parameters), findings: Vec::new() };
    let mut known = inspection.set_of(parameters.iter().copied());
    inspection.list(&plan.vars, &[key("vars")], &mut known);
    for site in plan.sites() {
        inspection.template(site.template, &site.place, &known);
    }
    let before = inspection.before_each_task(plan, &known);
    let mut at_end = known;
    for ((name, task), before) in plan.tasks.iter().zip(&before) {
        let place = |rest: &[Place]| in_task(name.as_str(), rest);
        for site in task.sites() {
            inspection.template(site.template, &place(&site.place), before);
        }
        for (number, transition) in task.next.iter().enumerate() {
            let next = [key("next"), Place::Index(number)];
            let within = |what: &str| place(&[&next[..], &[key(what)]].concat());
            if let Some(when) = &transition.when {
                inspection.template(Condition::template(when), &within("when"), before);
            }
            if transition.publish.is_empty() {
                continue;
            }
            let mut rolling = before.clone();
            inspection.list(&transition.publish, &within("publish"), &mut rolling);
            at_end.add(&rolling);
        }
        at_end.add(before);
    }
    inspection.list(&plan.output, &[key("output")], &mut at_end);
    inspection.findings
}

/// Every name that something sets.
fn names(plan: &Plan, parameters: &[&str]) -> IndexSet<String> {
    let transitions = plan.tasks.values().flat_map(|task| &task.next);
    let bound = plan.vars.iter().chain(transitions.flat_map(|transition| &transition.publish)).chain(&plan.output);
    parameters.iter().map(ToString::to_string).chain(bound.map(|binding| binding.name.clone())).collect()
}

/// A set of names, a bit for each: a workflow of a thousand tasks may have a thousand variables.
#[derive(Clone, PartialEq, Eq)]
struct Names(Vec<u64>);

impl Names {
    fn insert(&mut self, name: usize) {
        if let Some(word) = self.0.get_mut(name / 64) {
            *word |= 1 << (name % 64);
        }
    }

    fn contains(&self, name: usize) -> bool {
        self.0.get(name / 64).is_some_and(|word| word & (1 << (name % 64)) != 0)
    }

    /// Adds all of `others`; says whether that changed anything.
    fn add(&mut self, others: &Self) -> bool {
        let mut changed = false;
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            changed |= *other & !*word != 0;
            *word |= other;
        }
        changed
    }
}

struct Inspection {
    names: IndexSet<String>,
    findings: Vec<Finding>,
}

impl Inspection {
    fn set_of<'a>(&self, names: impl Iterator<Item = &'a str>) -> Names {
        let mut set = Names(vec![0; self.names.len().div_ceil(64)]);
        for name in names {
            set.insert(self.names.get_index_of(name).unwrap_or(usize::MAX));
        }
        set
    }

    /// For each task, what may be set when it starts: the smallest solution of "what its predecessors had, and what
    /// the transitions to it publish".
    fn before_each_task(&self, plan: &Plan, start: &Names) -> Vec<Names> {
        let arriving: Vec<Names> = (0..plan.tasks.len())
            .map(|task| {
                let mut set = start.clone();
                for transition in plan.inbound_of(task) {
                    let from =
                        plan.tasks.get_index(transition.task).and_then(|(_, from)| from.next.get(transition.index));
                    let published =
                        from.into_iter().flat_map(|from| &from.publish).map(|binding| binding.name.as_str());
                    set.add(&self.set_of(published));
                }
                set
            })
            .collect();
        let mut before = arriving;
        let mut open: Vec<usize> = (0..before.len()).rev().collect();
        while let Some(task) = open.pop() {
            let Some(have) = before.get(task).cloned() else { continue };
            for next in plan.successors(task) {
                if before.get_mut(next).is_some_and(|names| names.add(&have)) {
                    open.push(next);
                }
            }
        }
        before
    }

    /// A list of bindings, each of which may read those before it.
    fn list(&mut self, bindings: &[Binding], place: &[Place], known: &mut Names) {
        for (number, binding) in bindings.iter().enumerate() {
            let place: Vec<_> = place.iter().cloned().chain([Place::Index(number), key(&binding.name)]).collect();
            self.template(&binding.value, &place, known);
            known.insert(self.names.get_index_of(&binding.name).unwrap_or(usize::MAX));
        }
    }

    fn template(&mut self, template: &Template, place: &[Place], known: &Names) {
        let Self { names, findings } = self;
        let is_known = |name: &str| names.get_index_of(name).is_some_and(|index| known.contains(index));
        template.visit(&mut |within: &[Place], expression: &Expression| {
            for reading in expression.variables().iter().filter(|reading| !is_known(&reading.name)) {
                let set_here = names.iter().map(String::as_str).filter(|name| is_known(name));
                findings.push(Finding {
                    code: code::FLOW_UNKNOWN_VARIABLE,
                    place: place.iter().chain(within).cloned().collect(),
                    message: format!("nothing has set the context variable `{}` here", reading.name),
                    hint: did_you_mean(&reading.name, set_here).or_else(|| {
                        Some("make it a parameter, set it under `vars`, or publish it on the way".to_owned())
                    }),
                });
            }
        });
    }
}
