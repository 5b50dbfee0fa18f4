//! A workflow, compiled: what the conductor follows.
//!
//! A plan is made once, when its pack loads, by [`PlanBuilder`]. Building it compiles every expression; what is wrong
//! in it is found by [`crate::inspect()`], which also works on a plan that must not be run.

mod sites;

use std::collections::HashSet;

use indexmap::IndexMap;
use runner_model::TaskName;

use crate::{Condition, Template};

pub use sites::Site;

/// A name and the template of its value: an item of `vars`, `publish` or `output`.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: Template,
}

/// A task as written. Durations are in seconds, and may be fractions.
#[derive(Debug, Clone)]
pub struct Task {
    /// The action it calls; none is `core.noop`.
    pub action: Option<Template>,
    /// The input of that action.
    pub input: Template,
    /// Whether to run it; if not, the step is skipped. None is always.
    pub condition: Option<Condition>,
    /// The list to run it over.
    pub with: Option<With>,
    /// How long to wait before its first attempt.
    pub delay: Option<Template>,
    /// How long one attempt may take.
    pub timeout: Option<Template>,
    /// How long an attempt may be without a sign of life.
    pub heartbeat_timeout: Option<Template>,
    /// When to try again.
    pub retry: Option<Retry>,
    /// Until when to repeat it, with waits between.
    pub poll: Option<Poll>,
    /// What to do if a crash leaves it unknown what an attempt did.
    pub on_unknown: OnUnknown,
    /// What to do if the execution is cancelled while it runs.
    pub on_cancel: Option<Cleanup>,
    /// What undoes it, if the execution does not succeed.
    pub compensate: Option<Cleanup>,
    /// What must have happened before it starts, if more than one transition leads to it.
    pub join: Option<Join>,
    /// What follows, in order.
    pub next: Vec<Transition>,
}

impl Default for Task {
    fn default() -> Self {
        Self {
            action: None,
            input: Template::literal(serde_json::json!({})),
            condition: None,
            with: None,
            delay: None,
            timeout: None,
            heartbeat_timeout: None,
            retry: None,
            poll: None,
            on_unknown: OnUnknown::Fail,
            on_cancel: None,
            compensate: None,
            join: None,
            next: Vec::new(),
        }
    }
}

/// A list to run a task over: `with`.
#[derive(Debug, Clone)]
pub struct With {
    /// The list.
    pub items: Template,
    /// Names of the members of an item (`x, y in …`): then an item is a map of them. With one name, a map of that one.
    /// Without, an item is what it is.
    pub names: Vec<String>,
    /// How many items run at the same time; none is all of them, less than 1 is 1.
    pub concurrency: Option<Template>,
}

/// When to try a step again: `retry`.
#[derive(Debug, Clone, Default)]
pub struct Retry {
    /// How often; none is as often as `until` leaves time for.
    pub count: Option<Template>,
    /// On which outcomes; none is on failures and timeouts. An unknown outcome is [`Task::on_unknown`]'s, whatever stands here.
    pub when: Option<Condition>,
    /// Codes of failures on which it is of no use.
    pub unless: Vec<String>,
    /// Seconds to wait; none is 0.
    pub delay: Option<Template>,
    /// What each delay is of the one before; none is 1.
    pub backoff: Option<Template>,
    /// The longest delay, in seconds.
    pub max_delay: Option<Template>,
    /// The share of a delay that chance may take away, from 0 to 1.
    pub jitter: Option<Template>,
    /// Seconds after the first attempt began, from which on it is not tried again.
    pub until: Option<Template>,
}

/// Until when to repeat a step that succeeds: `poll`.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The condition to wait for.
    pub until: Condition,
    /// The condition under which it is of no use to go on.
    pub fail_when: Option<Condition>,
    /// Seconds between the end of an attempt and the next.
    pub interval: Template,
    /// What each interval is of the one before; none is 1.
    pub backoff: Option<Template>,
    /// The longest interval, in seconds.
    pub max_interval: Option<Template>,
    /// Seconds after the first attempt began, at which it ends as `timeout`; none is
    /// [`runner_model::limits::POLL_TIMEOUT`].
    pub timeout: Option<Template>,
}

/// An action that is called to undo or to clean up.
#[derive(Debug, Clone)]
pub struct Cleanup {
    /// The action.
    pub action: Template,
    /// Its input. `result()` and `item()` are those of the step.
    pub input: Template,
    /// When to try again.
    pub retry: Option<Retry>,
    /// How long one attempt may take, in seconds.
    pub timeout: Option<Template>,
}

/// What to do if a crash leaves it unknown what an attempt did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnknown {
    /// The step ends as `abandoned`.
    #[default]
    Fail,
    /// It is tried again.
    Retry,
    /// A person is asked.
    Ask,
}

/// What has to be on the disk before a step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// That it begins, and everything that led to it.
    #[default]
    Strict,
    /// For a step that may run twice: nothing yet. A crash may lose it, and it runs again.
    Relaxed,
}

impl Durability {
    /// Both, as they are written.
    pub const WRITTEN: [(&'static str, Self); 2] = [("strict", Self::Strict), ("relaxed", Self::Relaxed)];
}

/// How a task with several inbound transitions waits for them.
#[derive(Debug, Clone)]
pub enum Join {
    /// For one transition from each task that leads to it.
    All,
    /// For transitions from that many of the tasks that lead to it.
    Count(usize),
    /// Until no more transition can come; then it starts if the condition holds, and is skipped otherwise.
    When(Condition),
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
    /// The engine command `retry`: the step is tried again, up to
    /// [`runner_model::limits::RETRY_COMMAND_MAX`] times; after that it leads nowhere.
    Retry,
}

impl Target {
    /// The names that are engine commands and therefore no task can have.
    pub const COMMANDS: [&'static str; 4] = ["continue", "noop", "fail", "retry"];

    /// The name as written in `do`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Task(task) => task.as_str(),
            Self::Fail => "fail",
            Self::Noop => "noop",
            Self::Continue => "continue",
            Self::Retry => "retry",
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
    /// How long an execution may take, in seconds.
    pub timeout: Option<Template>,
    /// What to call when the execution is cancelled, after everything else.
    pub on_cancel: Option<Cleanup>,
    /// What has to be on the disk before a step begins.
    pub durability: Durability,
}

/// A workflow, compiled, with what the conductor needs to know about its shape.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) vars: Vec<Binding>,
    pub(crate) output: Vec<Binding>,
    pub(crate) tasks: IndexMap<TaskName, Task>,
    pub(crate) timeout: Option<Template>,
    pub(crate) on_cancel: Option<Cleanup>,
    pub(crate) durability: Durability,
    /// For each task, the transitions that lead to it, in the order of the file.
    pub(crate) inbound: Vec<Vec<TransitionId>>,
    /// For each task, whether a way leads from it back to itself.
    pub(crate) in_cycle: Vec<bool>,
    /// The transitions that lead to `continue`, `noop` and `fail`: these split like tasks.
    pub(crate) inbound_of_commands: [Vec<TransitionId>; 3],
    /// Whether a task joins on a condition, so that it is looked at whenever a step ends.
    pub(crate) joins_on_conditions: bool,
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
    pub fn build(mut self) -> Plan {
        for transition in self.tasks.values_mut().flat_map(|task| &mut task.next) {
            // A target that is named twice is meant once.
            let mut seen = HashSet::new();
            transition.targets.retain(|target| seen.insert(target.name().to_owned()));
        }
        let inbound = inbound(&self.tasks);
        let in_cycle = in_cycle(&self.tasks);
        let joins_on_conditions = self.tasks.values().any(|task| matches!(task.join, Some(Join::When(_))));
        let mut plan = Plan {
            inbound_of_commands: COMMANDS.map(|command| inbound_of_command(&self.tasks, &command)),
            vars: self.vars,
            output: self.output,
            tasks: self.tasks,
            timeout: self.timeout,
            on_cancel: self.on_cancel,
            durability: self.durability,
            inbound,
            in_cycle,
            joins_on_conditions,
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
        let task = Task { action: Some(Template::literal(action.into())), ..Task::default() };
        let name = TaskName::new(SINGLE_TASK).ok();
        let builder = PlanBuilder { tasks: name.map(|name| (name, task)).into_iter().collect(), ..Default::default() };
        Self { single: true, ..builder.build() }
    }

    /// Whether the plan runs a single action.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.single
    }

    /// Whether steps that may run twice begin before what led to them is on the disk.
    #[must_use]
    pub fn is_relaxed(&self) -> bool {
        self.durability == Durability::Relaxed
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

    /// How long an execution may take, in seconds.
    #[must_use]
    pub const fn timeout(&self) -> Option<&Template> {
        self.timeout.as_ref()
    }

    /// What is called when an execution is cancelled.
    #[must_use]
    pub const fn on_cancel(&self) -> Option<&Cleanup> {
        self.on_cancel.as_ref()
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

    /// For each task, whether it is one of `from` or can be reached from them.
    pub(crate) fn reachable(&self, from: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut seen = vec![false; self.tasks.len()];
        let mut open: Vec<usize> = from.into_iter().collect();
        while let Some(task) = open.pop() {
            match seen.get_mut(task) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            open.extend(self.successors(task));
        }
        seen
    }

    /// The transitions that lead to a target, in the order of the file.
    pub(crate) fn inbound_of_target(&self, target: &Target) -> &[TransitionId] {
        match target {
            Target::Task(name) => self.tasks.get_index_of(name).map_or(&[], |task| self.inbound_of(task)),
            command => COMMANDS
                .iter()
                .position(|known| known == command)
                .and_then(|at| self.inbound_of_commands.get(at))
                .map_or(&[], Vec::as_slice),
        }
    }

    /// Whether each transition to the target makes a step of its own, on a route of its own.
    pub(crate) fn splits(&self, target: &Target) -> bool {
        match target {
            Target::Task(name) => self.tasks.get_index_of(name).is_some_and(|task| self.is_split(task)),
            command => self.inbound_of_target(command).len() > 1,
        }
    }

    /// A transition as the routes of Orquesta name it: the task, and which of its transitions to that target.
    pub(crate) fn crossing(&self, transition: TransitionId, target: &Target) -> Crossing {
        let same_source = self.inbound_of_target(target).iter().filter(|other| other.task == transition.task);
        let number = same_source.take_while(|other| other.index != transition.index).count();
        Crossing { task: transition.task, number }
    }

    /// A crossing as written: `task__tN`.
    #[must_use]
    pub(crate) fn crossing_name(&self, crossing: Crossing) -> String {
        let task = self.tasks.get_index(crossing.task).map_or("", |(name, _)| name.as_str());
        format!("{task}__t{}", crossing.number)
    }
}

/// A transition on the way of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crossing {
    pub(crate) task: usize,
    /// Which of the transitions from that task to the same target.
    pub(crate) number: usize,
}

/// The commands that transitions lead to as they lead to tasks.
const COMMANDS: [Target; 3] = [Target::Continue, Target::Noop, Target::Fail];

fn inbound_of_command(tasks: &IndexMap<TaskName, Task>, command: &Target) -> Vec<TransitionId> {
    let leads = |transition: &Transition| match transition.targets.as_slice() {
        [] => *command == Target::Continue,
        targets => targets.contains(command),
    };
    let of_task = |(task, written): (usize, &Task)| {
        let indices = written.next.iter().enumerate().filter(|(_, transition)| leads(transition));
        indices.map(|(index, _)| TransitionId { task, index }).collect::<Vec<_>>()
    };
    tasks.values().enumerate().flat_map(of_task).collect()
}

fn targets(task: &Task) -> impl Iterator<Item = (usize, &TaskName)> {
    task.next.iter().enumerate().flat_map(|(index, transition)| {
        transition.targets.iter().filter_map(move |target| match target {
            Target::Task(name) => Some((index, name)),
            Target::Fail | Target::Noop | Target::Continue | Target::Retry => None,
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
