//! The graph itself: tasks as nodes with what is remarkable about them, transitions as edges.

mod marks;

use runner_engine::{Plan, Target, Task};
use runner_model::{ExecutionView, TaskName};

use crate::execution::{self, RunState, Taken, TaskState};
use crate::label::{self, Label, Tone};

pub use marks::Mark;

/// A workflow as a picture shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// What stands above it.
    pub title: String,
    /// What holds for the whole workflow.
    pub marks: Vec<Mark>,
    /// The tasks, in the order of the file.
    pub nodes: Vec<Node>,
    /// Where the transitions lead, in the order of the file: one edge for each target of each.
    pub edges: Vec<Edge>,
    /// The run that is laid over it.
    pub run: Option<RunState>,
}

/// A task.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: TaskName,
    /// The action it calls, as written.
    pub action: String,
    /// What is remarkable about it.
    pub marks: Vec<Mark>,
    /// How it went in the run.
    pub state: Option<TaskState>,
}

/// A transition to one of its targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The task it comes from: an index in [`Graph::nodes`].
    pub from: usize,
    /// Which of that task's transitions it belongs to.
    pub transition: usize,
    /// Under which condition it is taken; none is always.
    pub label: Option<Label>,
    /// Where it leads.
    pub to: End,
    /// Whether the run took it.
    pub taken: Option<Taken>,
}

/// Where an edge leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// To a task: an index in [`Graph::nodes`].
    Task(usize),
    /// To an engine command.
    Command(Target),
    /// To a task that the workflow does not have, with this name.
    Missing(String),
}

impl Graph {
    /// The graph of a workflow.
    #[must_use]
    pub fn of(plan: &Plan, title: &str) -> Self {
        let tasks = plan.tasks();
        let nodes = tasks.iter().enumerate().map(|(index, (name, task))| Node {
            name: name.clone(),
            action: task.action.as_ref().map_or_else(|| "core.noop".to_owned(), label::of_template),
            marks: marks::of_task(task, sources(plan, index)),
            state: None,
        });
        let edges = tasks.values().enumerate().flat_map(|(from, task)| edges(plan, from, task));
        Self {
            title: title.to_owned(),
            marks: marks::of_workflow(plan),
            nodes: nodes.collect(),
            edges: edges.collect(),
            run: None,
        }
    }

    /// The graph with a run of the workflow laid over it.
    #[must_use]
    pub fn with_execution(mut self, view: &ExecutionView) -> Self {
        execution::lay_over(&mut self, view);
        self
    }

    /// Where an edge leads, as a word.
    pub(crate) fn end_name<'a>(&'a self, end: &'a End) -> &'a str {
        match end {
            End::Task(index) => self.nodes.get(*index).map_or("", |node| node.name.as_str()),
            End::Command(command) => command.name(),
            End::Missing(name) => name,
        }
    }
}

impl Edge {
    /// The task whose node it comes back to at once: itself, or its own step by the command `retry`.
    pub(crate) fn is_loop(&self) -> bool {
        self.to == End::Task(self.from) || self.to == End::Command(Target::Retry)
    }

    /// What stands beside it: its condition, and for the command `retry`, which has no end of its own, that it is one.
    pub(crate) fn text(&self) -> Option<String> {
        let condition = self.label.as_ref().map(|label| label.text.clone());
        if self.to == End::Command(Target::Retry) {
            return Some(condition.map_or_else(|| "retry".to_owned(), |condition| format!("retry: {condition}")));
        }
        condition
    }

    /// Whether it is taken only if its task went badly.
    pub(crate) fn is_on_failure(&self) -> bool {
        self.label.as_ref().is_some_and(|label| label.tone == Tone::Failure)
    }
}

fn edges(plan: &Plan, from: usize, task: &Task) -> Vec<Edge> {
    let of_transition = |(transition, written): (usize, &runner_engine::Transition)| {
        let label = written.when.as_ref().and_then(label::of_condition);
        let edge = |target: &Target| Edge {
            from,
            transition,
            label: label.clone(),
            to: match target {
                Target::Task(name) => match plan.tasks().get_index_of(name) {
                    Some(index) => End::Task(index),
                    None => End::Missing(name.to_string()),
                },
                command => End::Command(command.clone()),
            },
            taken: None,
        };
        written.targets.iter().map(edge).collect::<Vec<_>>()
    };
    task.next.iter().enumerate().flat_map(of_transition).collect()
}

/// How many different tasks lead to a task.
fn sources(plan: &Plan, index: usize) -> usize {
    let Some((name, _)) = plan.tasks().get_index(index) else { return 0 };
    let target = Target::Task(name.clone());
    let leads = |task: &&Task| task.next.iter().any(|transition| transition.targets.contains(&target));
    plan.tasks().values().filter(leads).count()
}
