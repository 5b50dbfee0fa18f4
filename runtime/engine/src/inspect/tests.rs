//! Each kind of finding, at its place.

use runner_model::TaskName;
use serde_json::{Value, json};

use super::*;
use crate::plan::{Binding, Join, PlanBuilder, Target, Task, Transition};
use crate::{Condition, Template};

fn task(next: Vec<Transition>) -> Task {
    Task { next, ..Task::default() }
}

fn to(targets: &[&str]) -> Transition {
    let targets = targets.iter().map(|name| Target::Task(TaskName::new(name).unwrap())).collect();
    Transition { when: None, publish: vec![], targets }
}

fn plan<const N: usize>(tasks: [(&str, Task); N]) -> PlanBuilder {
    let tasks = tasks.into_iter().map(|(name, task)| (TaskName::new(name).unwrap(), task)).collect();
    PlanBuilder { tasks, ..Default::default() }
}

#[allow(clippy::needless_pass_by_value, reason = "the calls read better")]
fn binding(name: &str, value: Value) -> Binding {
    Binding { name: name.into(), value: Template::compile(&value).unwrap() }
}

/// Code, place and hint of each finding.
fn findings(plan: PlanBuilder, parameters: &[&str]) -> Vec<String> {
    let place = |place: &[Place]| {
        let steps: Vec<_> = place
            .iter()
            .map(|step| match step {
                Place::Key(key) => key.clone(),
                Place::Index(index) => index.to_string(),
            })
            .collect();
        steps.join(".")
    };
    inspect(&plan.build(), parameters)
        .iter()
        .map(|finding| format!("{} {} {}", finding.code, place(&finding.place), finding.message))
        .collect()
}

#[test]
fn a_sound_workflow_has_no_findings() {
    let workflow = plan([
        ("s", task(vec![to(&["a"])])),
        ("a", task(vec![to(&["b", "c"])])),
        ("b", task(vec![to(&["a"])])),
        ("c", task(vec![])),
    ]);
    assert!(findings(workflow, &[]).is_empty());
}

#[test]
fn dangling_reserved_unreachable_and_badly_joined_tasks_are_found() {
    let mut joined = task(vec![]);
    joined.join = Some(Join::Count(3));
    let mut lonely = task(vec![]);
    lonely.join = Some(Join::All);
    let workflow = plan([
        ("check", task(vec![to(&["chekc"]), to(&["joined"])])),
        ("noop", task(vec![])),
        ("joined", joined),
        ("lonely", lonely),
        ("island", task(vec![to(&["bridge"])])),
        ("bridge", task(vec![to(&["island"])])),
    ]);
    assert_eq!(
        findings(workflow, &[]),
        [
            "E-FLOW-0001 tasks.check.next.0.do.0 there is no task `chekc`",
            "E-FLOW-0002 tasks.noop a task cannot be called `noop`: that is a command of the engine",
            "E-FLOW-0013 tasks.joined.join the join waits for 3 tasks, but only 1 lead to it",
            "E-FLOW-0013 tasks.lonely.join a join needs transitions that lead to it, and there is none",
            "E-FLOW-0004 tasks.island the task `island` cannot be reached: only tasks that it leads to lead to it",
            "E-FLOW-0004 tasks.bridge the task `bridge` cannot be reached: only tasks that it leads to lead to it",
        ]
    );
    let circle = plan([("a", task(vec![to(&["b"])])), ("b", task(vec![to(&["a"])]))]);
    assert_eq!(findings(circle, &[]), ["E-FLOW-0003 tasks no task can start: a transition leads to each of them"]);
}

#[test]
fn variables_that_nothing_sets_are_found_where_they_are_read() {
    let publishes = Transition {
        when: Some(Condition::compile(&json!("<% ctx().size > 1 && ctx().late %>")).unwrap()),
        publish: vec![binding("seen", json!("<% ctx(\"name\") %>")), binding("late", json!("<% ctx().seen %>"))],
        targets: vec![Target::Task(TaskName::new("b").unwrap())],
    };
    let mut reader = task(vec![]);
    reader.input =
        Template::compile(&json!({"x": ["<% ctx().late %>", "<% ctx().nmae %>"], "t": "<% task(\"c\") %>"})).unwrap();
    let mut workflow = plan([("a", task(vec![publishes])), ("b", reader)]);
    workflow.vars = vec![binding("size", json!("<% ctx().name + ctx().unset %>"))];
    workflow.output =
        vec![binding("out", json!("<% ctx().seen %>")), binding("more", json!("<% ctx().out + ctx().never %>"))];
    assert_eq!(
        findings(workflow, &["name"]),
        [
            "E-FLOW-0009 vars.0.size nothing has set the context variable `unset` here",
            "E-FLOW-0009 tasks.a.next.0.when nothing has set the context variable `late` here",
            "E-FLOW-0001 tasks.b.input.t there is no task `c`",
            "E-FLOW-0009 tasks.b.input.x.1 nothing has set the context variable `nmae` here",
            "E-FLOW-0009 output.1.more nothing has set the context variable `never` here",
        ]
    );
}

#[test]
fn items_without_a_list_and_results_before_an_end_are_found() {
    let done = Transition {
        when: Some(Condition::compile(&json!("<% succeeded() && succeeded(\"lsit\") %>")).unwrap()),
        publish: vec![binding("x", json!("<% item() %>"))],
        targets: vec![],
    };
    let mut plain = task(vec![done]);
    plain.input = Template::compile(&json!({"a": "<% item(\"x\") %>", "b": "<% result() %>"})).unwrap();
    plain.condition = Some(Condition::compile(&json!("<% failed() %>")).unwrap());
    plain.retry = Some(crate::Retry {
        when: Some(Condition::compile(&json!("<% result() == 1 %>")).unwrap()),
        ..crate::Retry::default()
    });
    let mut list = task(vec![]);
    list.action = Some(Template::literal(json!("p.a")));
    list.input = Template::compile(&json!({"n": "<% item() %>"})).unwrap();
    list.with = Some(crate::With {
        items: Template::compile(&json!("<% status() %>")).unwrap(),
        names: vec![],
        concurrency: None,
    });
    let workflow = plan([("plain", plain), ("list", list)]);
    assert_eq!(
        findings(workflow, &[]),
        [
            "E-FLOW-0001 tasks.plain.next.0.when there is no task `lsit`",
            "E-EXPR-0008 tasks.plain.input.a there is no item here: `item()` belongs to a task with `with`",
            "E-EXPR-0008 tasks.plain.input.b `result()` is about a task that has completed, and none has here",
            "E-EXPR-0008 tasks.plain.if `failed()` is about a task that has completed, and none has here",
            "E-EXPR-0008 tasks.plain.next.0.publish.0.x there is no item here: `item()` belongs to a task with `with`",
            "E-EXPR-0008 tasks.list.with.items `status()` is about a task that has completed, and none has here",
        ]
    );
}

#[test]
fn an_event_is_found_to_be_nowhere_in_a_workflow() {
    let done = Transition {
        when: Some(Condition::compile(&json!("<% event().body.x == 1 %>")).unwrap()),
        publish: vec![binding("x", json!("<% event_info().id %>"))],
        targets: vec![],
    };
    let mut one = task(vec![done]);
    one.input = Template::compile(&json!({"a": "<% event(\"body\") %>"})).unwrap();
    let mut workflow = plan([("one", one)]);
    workflow.output = vec![binding("out", json!("<% event() %>"))];
    assert_eq!(
        findings(workflow, &[]),
        [
            "E-EXPR-0008 tasks.one.input.a there is no event here: `event()` belongs to rules",
            "E-EXPR-0008 tasks.one.next.0.when there is no event here: `event()` belongs to rules",
            "E-EXPR-0008 tasks.one.next.0.publish.0.x there is no event here: `event_info()` belongs to rules",
            "E-EXPR-0008 output.0.out there is no event here: `event()` belongs to rules",
        ]
    );
}
