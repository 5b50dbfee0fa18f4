//! Workflows made of choices.

use std::cell::RefCell;
use std::collections::HashMap;

use indexmap::IndexMap;
use runner_model::TaskName;
use serde_json::{Value, json};

use crate::plan::{
    Binding, Cleanup, Durability, Join, OnUnknown, Plan, PlanBuilder, Poll, Retry, Target, Task, Transition, With,
};
use crate::{Condition, Template};

/// Choices, one after the other; the first of what there is to choose from once they are used up.
#[derive(Debug)]
pub(super) struct Choices<'a> {
    rest: std::slice::Iter<'a, u16>,
}

impl<'a> Choices<'a> {
    pub(super) fn new(choices: &'a [u16]) -> Self {
        Self { rest: choices.iter() }
    }

    pub(super) fn are_left(&self) -> bool {
        !self.rest.as_slice().is_empty()
    }

    /// A number less than `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.rest.next().copied().unwrap_or(0)) % count.max(1)
    }

    /// Once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub(super) fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

thread_local! {
    /// Compiling is most of the work otherwise.
    static COMPILED: RefCell<HashMap<String, Template>> = RefCell::default();
}

fn template(value: &Value) -> Template {
    COMPILED.with_borrow_mut(|compiled| {
        compiled.entry(value.to_string()).or_insert_with(|| Template::compile(value).unwrap()).clone()
    })
}

fn condition(source: &str) -> Condition {
    Condition::of_template(template(&json!(source)))
}

/// Conditions that are about nothing that is under way.
const ALWAYS: [&str; 6] = [
    "<% true %>",
    "<% ctx().n < 2 %>",
    "<% false %>",
    "<% kv(\"flag\") == true %>",
    "<% ctx().list.len() > 1 %>",
    "<% ctx().missing == 1 %>",
];

/// Conditions about a step that has completed.
const AFTER: [&str; 8] = [
    "<% succeeded() %>",
    "<% completed() %>",
    "<% failed() %>",
    "<% succeeded() && ctx().n < 2 %>",
    "<% result() == 1 %>",
    "<% timed_out() || skipped() %>",
    "<% kv(\"flag\") == true %>",
    "<% result().code == \"a\" %>",
];

/// A workflow; its tasks are called `t07`, `t16` and so on, not in the order of the file.
pub(super) fn workflow(choices: &mut Choices<'_>) -> Plan {
    let count = 1 + choices.below(30);
    let reads_kv = choices.once_in(4);
    let name = |at: usize| TaskName::new(&format!("t{:02}", at * 7 % 31)).unwrap();
    let mut tasks: IndexMap<TaskName, Task> =
        (0..count).map(|at| (name(at), task(choices, (at, count), reads_kv, &name))).collect();
    let plan = PlanBuilder { tasks: tasks.clone(), ..PlanBuilder::default() }.build();
    for at in 0..count {
        let mut sources: Vec<_> = plan.inbound_of(at).iter().map(|transition| transition.task).collect();
        sources.dedup();
        if sources.len() > 1 && choices.once_in(2) {
            let needs = format!("<% succeeded(\"{}\") || completed(\"{}\") %>", name(sources[0]), name(sources[1]));
            tasks[at].join = Some(match choices.below(4) {
                0 | 1 => Join::All,
                2 => Join::Count(1 + choices.below(sources.len())),
                _ => Join::When(condition(&choices.of(&[needs, "<% true %>".into(), "<% false %>".into()]))),
            });
        }
    }
    let binding = |name: &str, value: Value| Binding { name: name.into(), value: template(&value) };
    PlanBuilder {
        vars: vec![binding("n", json!(0)), binding("list", json!([1, 2, 3])), binding("map", json!({}))],
        output: vec![binding("n", json!("<% ctx().n %>")), binding("map", json!("<% ctx().map %>"))],
        tasks,
        timeout: choices.once_in(6).then(|| template(&json!(20))),
        durability: Durability::default(),
        on_cancel: choices.once_in(6).then(|| cleanup(choices)),
    }
    .build()
}

fn task(
    choices: &mut Choices<'_>,
    (at, count): (usize, usize),
    reads_kv: bool,
    name: &dyn Fn(usize) -> TaskName,
) -> Task {
    let allowed = |source: &&str| reads_kv || !source.contains("kv(");
    let always: Vec<_> = ALWAYS.into_iter().filter(allowed).collect();
    let next = (0..choices.below(4)).map(|_| transition(choices, (at, count), reads_kv, name)).collect();
    let mut task = Task { next, ..Task::default() };
    task.action = (!choices.once_in(8)).then(|| template(&json!("p.act")));
    task.input = template(&choices.of(&[json!({}), json!({"n": "<% ctx().n %>"}), json!({"now": "<% now() %>"})]));
    task.condition = choices.once_in(8).then(|| condition(choices.of(&always)));
    task.with = choices.once_in(5).then(|| with(choices));
    task.delay = choices.once_in(8).then(|| template(&choices.of(&[json!(4), json!("<% ctx().n %>")])));
    task.timeout = choices.once_in(8).then(|| template(&json!(5)));
    task.retry = choices.once_in(5).then(|| retry(choices));
    task.poll = choices.once_in(8).then(|| poll(choices));
    task.on_unknown = choices.of(&[OnUnknown::Fail, OnUnknown::Retry, OnUnknown::Ask]);
    task.on_cancel = choices.once_in(6).then(|| cleanup(choices));
    task.compensate = choices.once_in(6).then(|| cleanup(choices));
    task
}

fn transition(
    choices: &mut Choices<'_>,
    (at, count): (usize, usize),
    reads_kv: bool,
    name: &dyn Fn(usize) -> TaskName,
) -> Transition {
    let allowed = |source: &&str| reads_kv || !source.contains("kv(");
    let after: Vec<_> = AFTER.into_iter().filter(allowed).collect();
    let mut when = (!choices.once_in(3)).then(|| choices.of(&after));
    let mut publish = Vec::new();
    for _ in 0..choices.below(3) {
        let (variable, value) = choices.of(&[
            ("map", json!({"a": "<% result() %>"})),
            ("n", json!("<% ctx().n + 1 %>")),
            ("map", json!({"b": {"c": "<% now() %>"}})),
            ("list", json!("<% ctx().list %>")),
        ]);
        publish.push(Binding { name: variable.into(), value: template(&value) });
    }
    let mut targets = Vec::new();
    for _ in 0..choices.below(3) {
        targets.push(match choices.below(12) {
            0 => Target::Noop,
            1 => Target::Fail,
            2 => Target::Continue,
            3 => Target::Retry,
            4 if at > 0 => {
                // A way back needs a way out.
                when = Some("<% ctx().n < 3 %>");
                publish.push(Binding { name: "n".into(), value: template(&json!("<% ctx().n + 1 %>")) });
                Target::Task(name(choices.below(at + 1)))
            }
            _ if at + 1 < count => Target::Task(name(at + 1 + choices.below((count - at - 1).min(4)))),
            _ => Target::Noop,
        });
    }
    Transition { when: when.map(condition), publish, targets }
}

fn with(choices: &mut Choices<'_>) -> With {
    let items = choices.of(&[
        json!("<% ctx().list %>"),
        json!([1, 2]),
        json!("<% range(7) %>"),
        json!([]),
        json!("<% zip([1, 2], [3, 4]) %>"),
        json!("<% ctx().n %>"),
    ]);
    let names = choices.of(&[vec![], vec!["x".to_owned()], vec!["x".to_owned(), "y".to_owned()]]);
    let concurrency = choices.of(&[None, Some(json!(1)), Some(json!(2)), Some(json!(0)), Some(json!("<% ctx().n %>"))]);
    With { items: template(&items), names, concurrency: concurrency.map(|number| template(&number)) }
}

fn retry(choices: &mut Choices<'_>) -> Retry {
    Retry {
        count: Some(template(&choices.of(&[json!(1), json!(2), json!("<% ctx().n + 1 %>")]))),
        when: choices.once_in(3).then(|| condition(choices.of(&["<% failed() %>", "<% result() == 0 %>"]))),
        unless: choices.of(&[vec![], vec!["b".to_owned()]]),
        delay: choices.of(&[None, Some(3)]).map(|delay| template(&json!(delay))),
        backoff: choices.once_in(3).then(|| template(&json!(2))),
        max_delay: choices.once_in(4).then(|| template(&json!(5))),
        jitter: choices.once_in(3).then(|| template(&json!(0.5))),
        until: choices.once_in(5).then(|| template(&json!(12))),
    }
}

fn poll(choices: &mut Choices<'_>) -> Poll {
    Poll {
        until: condition("<% result() == 1 %>"),
        fail_when: choices.once_in(3).then(|| condition("<% result() == 2 %>")),
        interval: template(&json!(3)),
        backoff: choices.once_in(3).then(|| template(&json!(1.5))),
        max_interval: choices.once_in(4).then(|| template(&json!(5))),
        timeout: choices.once_in(2).then(|| template(&json!(10))),
    }
}

fn cleanup(choices: &mut Choices<'_>) -> Cleanup {
    Cleanup {
        action: template(&json!("p.undo")),
        input: template(&choices.of(&[json!({}), json!({"was": "<% result() %>"}), json!("<% ctx().missing %>")])),
        retry: choices.once_in(3).then(|| retry(choices)),
        timeout: None,
    }
}
