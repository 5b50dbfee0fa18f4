//! Workflows to draw, and runs of them.

#![allow(dead_code, reason = "each of those who draw uses a part")]

use std::fmt::Write as _;

use indexmap::IndexMap;
use runner_engine::{
    Binding, Cleanup, Condition, Join, Plan, PlanBuilder, Poll, Retry, Target, Task, Template, Transition, With,
};
use runner_model::TaskName;
use serde_json::{Value, json};

#[allow(clippy::needless_pass_by_value, reason = "the calls read better")]
pub(crate) fn template(value: Value) -> Template {
    Template::compile(&value).unwrap()
}

pub(crate) fn condition(text: &str) -> Condition {
    Condition::compile(&json!(text)).unwrap()
}

pub(crate) fn target(name: &str) -> Target {
    match name {
        "fail" => Target::Fail,
        "noop" => Target::Noop,
        "continue" => Target::Continue,
        "retry" => Target::Retry,
        task => Target::Task(TaskName::new(task).unwrap()),
    }
}

/// A transition: a condition, or nothing, and names.
pub(crate) fn to(when: &str, names: &str) -> Transition {
    let when = (!when.is_empty()).then(|| condition(&format!("<% {when} %>")));
    let targets = names.split(' ').filter(|name| !name.is_empty()).map(target).collect();
    Transition { when, publish: Vec::<Binding>::new(), targets }
}

pub(crate) fn task(action: &str, next: Vec<Transition>) -> Task {
    Task { action: Some(template(json!(action))), next, ..Task::default() }
}

pub(crate) fn plan(tasks: Vec<(String, Task)>) -> Plan {
    let tasks: IndexMap<_, _> = tasks.into_iter().map(|(name, task)| (TaskName::new(&name).unwrap(), task)).collect();
    PlanBuilder { tasks, ..PlanBuilder::default() }.build()
}

fn named(tasks: Vec<(&str, Task)>) -> Vec<(String, Task)> {
    tasks.into_iter().map(|(name, task)| (name.to_owned(), task)).collect()
}

fn retry(count: u32, delay: u32) -> Option<Retry> {
    let delay = Some(template(json!(delay)));
    Some(Retry { count: Some(template(json!(count))), delay, ..Retry::default() })
}

fn cleanup(action: &str) -> Option<Cleanup> {
    Some(Cleanup { action: template(json!(action)), input: template(json!({})), retry: None, timeout: None })
}

/// Ten tasks with parallel branches, a join and ways out on errors.
pub(crate) fn provisioning() -> Plan {
    let poll = Poll {
        until: condition("<% result().state == \"online\" %>"),
        fail_when: None,
        interval: template(json!(10)),
        backoff: None,
        max_interval: None,
        timeout: Some(template(json!(600))),
    };
    plan(named(vec![
        (
            "check_request",
            task("infra.validate", vec![to("succeeded()", "ask_approval"), to("failed()", "notify_failure")]),
        ),
        (
            "ask_approval",
            Task {
                timeout: Some(template(json!(120))),
                ..task(
                    "core.ask",
                    vec![
                        to("succeeded() && result().response.approved", "create_svm create_network"),
                        to("succeeded() && !result().response.approved", "rejected"),
                        to("timed_out()", "rejected"),
                    ],
                )
            },
        ),
        (
            "create_svm",
            Task {
                retry: retry(3, 30),
                compensate: cleanup("ontap.delete_svm"),
                ..task("ontap.create_svm", vec![to("succeeded()", "create_volumes"), to("failed()", "notify_failure")])
            },
        ),
        (
            "create_network",
            Task {
                condition: Some(condition("<% ctx(\"network\") != () %>")),
                compensate: cleanup("ontap.delete_lif"),
                ..task("ontap.create_lif", vec![to("completed()", "mount")])
            },
        ),
        (
            "create_volumes",
            Task {
                with: Some(With {
                    items: template(json!("<% ctx(\"volumes\") %>")),
                    names: vec!["volume".into()],
                    concurrency: Some(template(json!(4))),
                }),
                ..task("ontap.create_volume", vec![to("succeeded()", "wait_online"), to("failed()", "notify_failure")])
            },
        ),
        ("wait_online", Task { poll: Some(poll), ..task("ontap.get_svm", vec![to("succeeded()", "mount")]) }),
        (
            "mount",
            Task {
                join: Some(Join::All),
                ..task("host.mount", vec![to("succeeded()", "register"), to("failed()", "notify_failure")])
            },
        ),
        ("register", task("cmdb.register", vec![])),
        ("rejected", task("chat.post", vec![to("", "noop")])),
        ("notify_failure", task("chat.post", vec![to("", "fail")])),
    ]))
}

/// A way back, a task that leads to itself, and the command `retry`.
pub(crate) fn cycle() -> Plan {
    plan(named(vec![
        ("prepare", task("core.noop", vec![to("", "submit")])),
        ("submit", task("job.submit", vec![to("failed()", "retry"), to("succeeded()", "query")])),
        (
            "query",
            task(
                "job.get",
                vec![
                    to("result().state == \"running\"", "query"),
                    to("result().state == \"lost\"", "submit"),
                    to("result().state == \"done\"", "collect"),
                ],
            ),
        ),
        ("collect", task("job.result", vec![to("failed()", "prepare_again"), to("succeeded()", "report")])),
        ("prepare_again", task("core.noop", vec![to("", "submit")])),
        ("report", task("chat.post", vec![])),
    ]))
}

/// A task that is reached twice and does not join: it runs on two routes, and so does what follows.
pub(crate) fn split() -> Plan {
    plan(named(vec![
        ("start", task("core.noop", vec![to("", "left right")])),
        ("left", task("core.echo", vec![to("", "notify")])),
        ("right", task("core.echo", vec![to("", "notify")])),
        ("notify", task("chat.post", vec![to("", "archive")])),
        ("archive", task("core.noop", vec![to("", "continue")])),
    ]))
}

/// One task that leads to many at once, which meet again.
pub(crate) fn fan_out(width: usize) -> Plan {
    let names: Vec<_> = (0..width).map(|index| format!("node_{index:02}")).collect();
    let mut tasks = vec![("discover".to_owned(), task("aiqum.list_nodes", vec![to("succeeded()", &names.join(" "))]))];
    tasks.extend(names.into_iter().map(|name| (name, task("ontap.upgrade_node", vec![to("", "verify")]))));
    tasks.push(("verify".to_owned(), Task { join: Some(Join::All), ..task("ontap.check", vec![]) }));
    plan(tasks)
}

/// Many tasks in stages, with joins, ways out and ways back.
pub(crate) fn large(count: usize) -> Plan {
    let mut tasks = Vec::new();
    for index in 0..count {
        let mut next = Vec::new();
        let stage = index / 5;
        let mut names = String::new();
        for step in [5, 6 + index % 3] {
            let at = index + step;
            if at < count && at / 5 == stage + 1 {
                write!(names, "task_{at} ").unwrap();
            }
        }
        next.push(to(if index % 2 == 0 { "succeeded()" } else { "" }, names.trim()));
        if index % 7 == 0 && index + 23 < count {
            next.push(to("result().skip", &format!("task_{}", index + 23)));
        }
        if index % 11 == 10 {
            next.push(to("failed()", "cleanup"));
        }
        if index % 31 == 30 {
            next.push(to("result().again", &format!("task_{}", index - 10)));
        }
        tasks.push((
            format!("task_{index}"),
            Task { join: (index % 4 == 0 && index > 4).then_some(Join::Count(1)), ..task("core.noop", next) },
        ));
    }
    tasks.push(("cleanup".to_owned(), task("core.noop", vec![to("", "fail")])));
    plan(tasks)
}
