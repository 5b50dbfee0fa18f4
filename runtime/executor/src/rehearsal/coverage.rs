//! Which transitions of the workflows were never taken, over all rehearsals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runner_engine::{Condition, Plan, Target};
use runner_model::{ActionRef, TaskName};

use super::report::{Coverage, Untaken};

/// The transitions that were taken, by workflow.
#[derive(Default)]
pub(super) struct Taken {
    workflows: BTreeMap<ActionRef, Workflow>,
}

struct Workflow {
    plan: Arc<Plan>,
    rehearsals: usize,
    /// The task and the index in its `next`.
    taken: BTreeSet<(TaskName, usize)>,
}

impl Taken {
    /// Counts a workflow in, whether or not it is played.
    pub(super) fn add(&mut self, workflow: &ActionRef, plan: &Arc<Plan>) {
        self.entry(workflow, plan);
    }

    /// A rehearsal took these transitions.
    pub(super) fn take(&mut self, workflow: &ActionRef, plan: &Arc<Plan>, taken: Vec<(TaskName, usize)>) {
        let entry = self.entry(workflow, plan);
        entry.rehearsals += 1;
        entry.taken.extend(taken);
    }

    fn entry(&mut self, workflow: &ActionRef, plan: &Arc<Plan>) -> &mut Workflow {
        let begin = || Workflow { plan: plan.clone(), rehearsals: 0, taken: BTreeSet::new() };
        self.workflows.entry(workflow.clone()).or_insert_with(begin)
    }

    /// What was never taken.
    pub(super) fn report(&self) -> Vec<Coverage> {
        let of = |(name, workflow): (&ActionRef, &Workflow)| {
            let all = transitions(&workflow.plan);
            let untaken = all.iter().filter(|(id, _)| !workflow.taken.contains(id));
            Coverage {
                workflow: name.clone(),
                rehearsals: workflow.rehearsals,
                transitions: all.len(),
                never_taken: untaken.map(|(_, shown)| shown.clone()).collect(),
            }
        };
        self.workflows.iter().map(of).collect()
    }
}

fn transitions(plan: &Plan) -> Vec<((TaskName, usize), Untaken)> {
    let mut all = Vec::new();
    for (name, written) in plan.tasks() {
        for (index, transition) in written.next.iter().enumerate() {
            let targets = match transition.targets.as_slice() {
                [] => vec![Target::Continue.name().to_owned()],
                targets => targets.iter().map(|target| target.name().to_owned()).collect(),
            };
            let when = transition.when.as_ref().map(written_condition);
            let shown = Untaken { task: name.clone(), index, when, targets };
            all.push(((name.clone(), index), shown));
        }
    }
    all
}

fn written_condition(condition: &Condition) -> String {
    let template = condition.template();
    let mut text = template.as_literal().map(ToString::to_string).unwrap_or_default();
    template.visit(&mut |_, expression| text = format!("<% {} %>", expression.source().trim()));
    text
}
