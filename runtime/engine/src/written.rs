//! Workflows written as JSON, for tests.

use runner_model::TaskName;
use serde_json::{Value, json};

use crate::plan::{
    Binding, Cleanup, Durability, Join, OnUnknown, Plan, PlanBuilder, Poll, Retry, Target, Task, Transition, With,
};
use crate::{Condition, Template};

fn bindings(list: &Value) -> Vec<Binding> {
    let items = list.as_array().into_iter().flatten().flat_map(|item| item.as_object().unwrap());
    items.map(|(name, value)| Binding { name: name.clone(), value: Template::compile(value).unwrap() }).collect()
}

fn template(value: &Value) -> Option<Template> {
    (!value.is_null()).then(|| Template::compile(value).unwrap())
}

fn condition(value: &Value) -> Option<Condition> {
    (!value.is_null()).then(|| Condition::compile(value).unwrap())
}

fn retry(written: &Value) -> Option<Retry> {
    let unless = written["unless"].as_array().into_iter().flatten().map(|code| code.as_str().unwrap().to_owned());
    (!written.is_null()).then(|| Retry {
        count: template(&written["count"]),
        when: condition(&written["when"]),
        unless: unless.collect(),
        delay: template(&written["delay"]),
        backoff: template(&written["backoff"]),
        max_delay: template(&written["max_delay"]),
        jitter: template(&written["jitter"]),
        until: template(&written["until"]),
    })
}

fn cleanup(written: &Value) -> Option<Cleanup> {
    (!written.is_null()).then(|| Cleanup {
        action: template(&written["action"]).unwrap(),
        input: template(&written["input"]).unwrap_or_else(|| Template::literal(json!({}))),
        retry: retry(&written["retry"]),
        timeout: template(&written["timeout"]),
    })
}

fn poll(written: &Value) -> Option<Poll> {
    (!written.is_null()).then(|| Poll {
        until: condition(&written["until"]).unwrap(),
        fail_when: condition(&written["fail_when"]),
        interval: template(&written["interval"]).unwrap(),
        backoff: template(&written["backoff"]),
        max_interval: template(&written["max_interval"]),
        timeout: template(&written["timeout"]),
    })
}

fn with(written: &Value) -> Option<With> {
    let names = written["names"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
    (!written.is_null()).then(|| With {
        items: template(&written["items"]).unwrap(),
        names: names.collect(),
        concurrency: template(&written["concurrency"]),
    })
}

fn target(name: &str) -> Target {
    match name {
        "fail" => Target::Fail,
        "noop" => Target::Noop,
        "continue" => Target::Continue,
        "retry" => Target::Retry,
        task => Target::Task(TaskName::new(task).unwrap()),
    }
}

fn transition(next: &Value) -> Transition {
    Transition {
        when: condition(&next["when"]),
        publish: bindings(&next["publish"]),
        targets: next["do"].as_str().into_iter().flat_map(|names| names.split(", ")).map(target).collect(),
    }
}

fn task(written: &Value) -> Task {
    let join = |join: &Value| match (join.as_u64(), join.get("needs")) {
        (Some(count), _) => Join::Count(usize::try_from(count).unwrap()),
        (None, Some(needs)) => Join::When(Condition::compile(needs).unwrap()),
        (None, None) => Join::All,
    };
    Task {
        action: template(&written["action"]),
        input: template(&written["input"]).unwrap_or_else(|| Template::literal(json!({}))),
        condition: condition(&written["if"]),
        with: with(&written["with"]),
        delay: template(&written["delay"]),
        timeout: template(&written["timeout"]),
        heartbeat_timeout: None,
        retry: retry(&written["retry"]),
        poll: poll(&written["poll"]),
        on_unknown: match written["on_unknown"].as_str() {
            Some("retry") => OnUnknown::Retry,
            Some("ask") => OnUnknown::Ask,
            _ => OnUnknown::Fail,
        },
        on_cancel: cleanup(&written["on_cancel"]),
        compensate: cleanup(&written["compensate"]),
        join: written.get("join").map(join),
        next: written["next"].as_array().into_iter().flatten().map(transition).collect(),
    }
}

/// A workflow with the keys of a workflow file: lists of bindings, `do` as a comma list.
pub(crate) fn plan(workflow: &Value) -> Plan {
    let tasks = workflow["tasks"].as_object().unwrap().iter();
    PlanBuilder {
        vars: bindings(&workflow["vars"]),
        output: bindings(&workflow["output"]),
        tasks: tasks.map(|(name, written)| (TaskName::new(name).unwrap(), task(written))).collect(),
        timeout: template(&workflow["timeout"]),
        on_cancel: cleanup(&workflow["on_cancel"]),
        durability: Durability::default(),
    }
    .build()
}
