//! A workflow, compiled: what the conductor follows.
//!
//! A plan is made once, when its pack loads, by [`PlanBuilder`]. Building it compiles every expression; what is wrong
//! in it is found by [`crate::inspect()`], which also works on a plan that must not be run.

use indexmap::IndexMap;
use runner_model::TaskName;

use crate::{Condition, Expression, Place, Template};

/// A name and the template of its value: an item of `vars`, `publish` or `output`.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: Template,
}

/// A task as written.
#[derive(Debug, Clone)]
pub struct Task {
    /// The action it calls; none is `core.noop`.
    pub action: Option<Template>,
    /// The input of that action.
    pub input: Template,
    /// What must have happened before it starts, if more than one transition leads to it.
    pub join: Option<Join>,
    /// What follows, in order.
    pub next: Vec<Transition>,
}

/// How a task with several inbound transitions waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// For one transition from each task that leads to it.
    All,
    /// For transitions from that many of the tasks that lead to it.
    Count(usize),
}

/// One item of a task's `next`.
#[derive(Debug, Clone)]
pub struct Transition {
    /// Whether to take it; none is always.
    pub when: Option<Condition>,
    /// What to set if it is taken, in order.
    pub publish: Vec<Binding>,
    /// Where it leads; none is `continue`.
    pub targets: Vec<Target>,
}

/// Where a transition leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a task.
    Task(TaskName),
    /// The engine command `fail`: the execution fails.
    Fail,
    /// The engine command `noop`: this branch ends, and a failure is taken as dealt with.
    Noop,
    /// The engine command `continue`: this branch ends, a failure stays one.
    Continue,
}

impl Target {
    /// The names that are engine commands and therefore no task can have. `retry` is reserved.
    pub const COMMANDS: [&'static str; 4] = ["continue", "noop", "fail", "retry"];

    /// The name as written in `do`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Task(task) => task.as_str(),
            Self::Fail => "fail",
            Self::Noop => "noop",
            Self::Continue => "continue",
        }
    }
}

/// A transition, named by where it stands: the task and the index in its `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransitionId {
    /// The index of the task in [`Plan::tasks`].
    pub task: usize,
    /// The index in the task's `next`.
    pub index: usize,
}

/// What a plan is made from.
#[derive(Debug, Clone, Default)]
pub struct PlanBuilder {
    /// Variables set at the start, in order; each may use parameters and those before it.
    pub vars: Vec<Binding>,
    /// What the workflow returns, in order.
    pub output: Vec<Binding>,
    /// The tasks, in the order of the file.
    pub tasks: IndexMap<TaskName, Task>,
}

/// A workflow, compiled, with what the conductor needs to know about its shape.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) vars: Vec<Binding>,
    pub(crate) output: Vec<Binding>,
    pub(crate) tasks: IndexMap<TaskName, Task>,
    /// For each task, the transitions that lead to it, in the order of the file.
    pub(crate) inbound: Vec<Vec<TransitionId>>,
    /// For each task, whether a way leads from it back to itself.
    pub(crate) in_cycle: Vec<bool>,
    /// Whether the plan is a single action: its result is the execution's.
    pub(crate) single: bool,
    /// Whether an expression reads key-value data, so that a decision may have to be made twice.
    pub(crate) reads_kv: bool,
}

/// The name of the only task of a plan that runs a single action.
pub const SINGLE_TASK: &str = "main";

impl PlanBuilder {
    /// Puts the plan together.
    #[must_use]
    pub fn build(self) -> Plan {
        let inbound = inbound(&self.tasks);
        let in_cycle = in_cycle(&self.tasks);
        let mut plan = Plan {
            vars: self.vars,
            output: self.output,
            tasks: self.tasks,
            inbound,
            in_cycle,
            single: false,
            reads_kv: false,
        };
        let mut reads_kv = false;
        plan.visit(&mut |_, expression| reads_kv |= expression.reads_kv());
        plan.reads_kv = reads_kv;
        plan
    }
}

impl Plan {
    /// The plan of an execution that runs one action with its own parameters.
    #[must_use]
    pub fn single(action: &str) -> Self {
        let task = Task {
            action: Some(Template::literal(action.into())),
            input: Template::literal(serde_json::json!({})),
            join: None,
            next: Vec::new(),
        };
        let name = TaskName::new(SINGLE_TASK).ok();
        let builder = PlanBuilder { tasks: name.map(|name| (name, task)).into_iter().collect(), ..Default::default() };
        Self { single: true, ..builder.build() }
    }

    /// Whether the plan runs a single action.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.single
    }

    /// The tasks, in the order of the file.
    #[must_use]
    pub const fn tasks(&self) -> &IndexMap<TaskName, Task> {
        &self.tasks
    }

    /// Variables set at the start.
    #[must_use]
    pub fn vars(&self) -> &[Binding] {
        &self.vars
    }

    /// What the workflow returns.
    #[must_use]
    pub fn output(&self) -> &[Binding] {
        &self.output
    }

    /// Tasks that no transition leads to: they start first, in alphabetical order.
    #[must_use]
    pub fn starts(&self) -> Vec<usize> {
        let mut starts: Vec<_> = (0..self.tasks.len()).filter(|task| self.inbound_of(*task).is_empty()).collect();
        starts.sort_by_key(|task| self.tasks.get_index(*task).map(|(name, _)| name.clone()));
        starts
    }

    pub(crate) fn inbound_of(&self, task: usize) -> &[TransitionId] {
        self.inbound.get(task).map_or(&[], Vec::as_slice)
    }

    /// Whether each transition to the task makes a step of its own, on a route of its own.
    pub(crate) fn is_split(&self, task: usize) -> bool {
        let joins = self.tasks.get_index(task).is_some_and(|(_, task)| task.join.is_some());
        !joins && self.inbound_of(task).len() > 1 && !self.in_cycle.get(task).copied().unwrap_or(false)
    }

    /// The tasks that a task leads to.
    pub(crate) fn successors(&self, task: usize) -> impl Iterator<Item = usize> {
        let written = self.tasks.get_index(task).into_iter();
        written.flat_map(|(_, task)| targets(task)).filter_map(|(_, name)| self.tasks.get_index_of(name))
    }

    /// Calls `visit` with every expression and the way to it through the workflow file.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&[Place], &'a Expression)) {
        visit_bindings(&self.vars, &[key("vars")], visit);
        for (name, task) in &self.tasks {
            let at = [key("tasks"), key(name.as_str())];
            if let Some(action) = &task.action {
                visit_at(action, &[&at[..], &[key("action")]].concat(), visit);
            }
            visit_at(&task.input, &[&at[..], &[key("input")]].concat(), visit);
            for (index, transition) in task.next.iter().enumerate() {
                let at = [&at[..], &[key("next"), Place::Index(index)]].concat();
                if let Some(when) = &transition.when {
                    visit_at(when.template(), &[&at[..], &[key("when")]].concat(), visit);
                }
                visit_bindings(&transition.publish, &[&at[..], &[key("publish")]].concat(), visit);
            }
        }
        visit_bindings(&self.output, &[key("output")], visit);
    }
}

fn key(text: &str) -> Place {
    Place::Key(text.to_owned())
}

fn visit_bindings<'a>(bindings: &'a [Binding], at: &[Place], visit: &mut dyn FnMut(&[Place], &'a Expression)) {
    for (index, binding) in bindings.iter().enumerate() {
        visit_at(&binding.value, &[at, &[Place::Index(index), key(&binding.name)]].concat(), visit);
    }
}

fn visit_at<'a>(template: &'a Template, at: &[Place], visit: &mut dyn FnMut(&[Place], &'a Expression)) {
    template.visit(&mut |within, expression| visit(&[at, within].concat(), expression));
}

fn targets(task: &Task) -> impl Iterator<Item = (usize, &TaskName)> {
    task.next.iter().enumerate().flat_map(|(index, transition)| {
        transition.targets.iter().filter_map(move |target| match target {
            Target::Task(name) => Some((index, name)),
            Target::Fail | Target::Noop | Target::Continue => None,
        })
    })
}

fn inbound(tasks: &IndexMap<TaskName, Task>) -> Vec<Vec<TransitionId>> {
    let mut inbound = vec![Vec::new(); tasks.len()];
    for (from, task) in tasks.values().enumerate() {
        for (index, name) in targets(task) {
            let to: Option<&mut Vec<_>> = tasks.get_index_of(name).and_then(|to| inbound.get_mut(to));
            if let Some(list) = to {
                list.push(TransitionId { task: from, index });
            }
        }
    }
    inbound
}

/// For each task, whether it can be reached from itself.
fn in_cycle(tasks: &IndexMap<TaskName, Task>) -> Vec<bool> {
    let leads_to = |task: usize| {
        let names = tasks.get_index(task).into_iter().flat_map(|(_, task)| targets(task));
        names.filter_map(|(_, name)| tasks.get_index_of(name)).collect::<Vec<_>>()
    };
    let next: Vec<_> = (0..tasks.len()).map(leads_to).collect();
    let reach = |from: usize| {
        let mut seen = vec![false; next.len()];
        let mut open = vec![from];
        while let Some(task) = open.pop() {
            for &to in next.get(task).into_iter().flatten() {
                match seen.get_mut(to) {
                    Some(seen) if !*seen => {
                        *seen = true;
                        open.push(to);
                    }
                    _ => {}
                }
            }
        }
        seen.get(from).copied().unwrap_or(false)
    };
    (0..tasks.len()).map(reach).collect()
}
