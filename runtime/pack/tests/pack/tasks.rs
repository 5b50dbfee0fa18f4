//! The keys of a task, and those that a workflow shares with it: what is read, and each mistake with the line to write.

use std::sync::Arc;

use runner_engine::{Join, OnUnknown, Plan, Target, Template};
use runner_pack::{Body, check};
use serde_json::{Value, json};

use crate::kit::{library, workflow};

fn plan(text: &str) -> Arc<Plan> {
    let demo = workflow(text);
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{text}\n{}", report.plain());
    let Body::Workflow(plan) = &pack.unwrap().actions["w"].body else { panic!("not a workflow") };
    plan.clone()
}

/// The only task of a workflow.
fn task(text: &str) -> runner_engine::Task {
    plan(&format!(
        "parameters: {{xs: {{type: array}}, n: {{type: integer}}}}\ntasks: {{t: {{action: core.noop, {text}}}}}\n"
    ))
    .tasks()["t"]
        .clone()
}

/// A literal, or the source of the expression.
fn shown(template: &Template) -> Value {
    let mut source = Value::Null;
    template.visit(&mut |_, expression| source = format!("<% {} %>", expression.source()).into());
    template.as_literal().cloned().unwrap_or(source)
}

fn option(template: Option<&Template>) -> Value {
    template.map_or(Value::Null, shown)
}

#[test]
fn a_task_with_every_key_is_compiled() {
    let plan = plan(include_str!("../fixtures/every_key.yaml"));
    assert_eq!(option(plan.timeout()), "<% ctx(\"n\") * 60 %>");
    assert_eq!(shown(&plan.on_cancel().unwrap().action), "core.echo");
    assert_eq!(option(plan.on_cancel().unwrap().timeout.as_ref()), 5);
    let a = &plan.tasks()["a"];
    assert_eq!(shown(a.condition.as_ref().unwrap().template()), "<% ctx(\"n\") > 1 %>");
    let with = a.with.as_ref().unwrap();
    assert_eq!(with.names, ["name", "size"]);
    assert_eq!(shown(&with.items), "<% zip(ctx(\"names\"), ctx(\"sizes\")) %>");
    assert_eq!(option(with.concurrency.as_ref()), "<% ctx(\"n\") %>");
    assert_eq!([option(a.delay.as_ref()), option(a.timeout.as_ref())], [json!(1.5), json!("<% ctx(\"n\") %>")]);
    assert_eq!(option(a.heartbeat_timeout.as_ref()), 30);
    let retry = a.retry.as_ref().unwrap();
    let numbers = [&retry.count, &retry.delay, &retry.backoff, &retry.max_delay, &retry.jitter, &retry.until];
    assert_eq!(
        numbers.map(|n| option(n.as_ref())),
        [json!(3), json!(1), json!(2.0), json!(60), json!(0.1), json!(600)]
    );
    assert!(retry.when.is_some());
    assert_eq!(retry.unless, ["not-found", "E-NET-0001"]);
    let poll = a.poll.as_ref().unwrap();
    assert_eq!(shown(poll.until.template()), "<% result() == \"done\" %>");
    assert!(poll.fail_when.is_some());
    let numbers = [Some(&poll.interval), poll.backoff.as_ref(), poll.max_interval.as_ref(), poll.timeout.as_ref()];
    assert_eq!(numbers.map(option), [json!(10), json!(1.5), json!(60), json!(3600)]);
    assert_eq!(a.on_unknown, OnUnknown::Ask);
    assert!(a.on_cancel.is_some());
    let compensate = a.compensate.as_ref().unwrap();
    assert_eq!(option(compensate.retry.as_ref().unwrap().count.as_ref()), 5);
    assert_eq!(compensate.input.members().unwrap(), [("message", None)]);
    assert_eq!(a.next[0].targets, [Target::Retry]);
    assert!(matches!(plan.tasks()["d"].join, Some(Join::When(_))));
    assert!(matches!(plan.tasks()["e"].join, Some(Join::Count(2))));
}

#[test]
fn items_are_a_list_or_an_expression_with_names_before_it() {
    let with = |text: &str| {
        let with = task(&format!("with: {text}")).with.unwrap();
        (with.names.join("+"), shown(&with.items), option(with.concurrency.as_ref()))
    };
    let xs = || json!("<% ctx(\"xs\") %>");
    for (text, expected) in [
        ("'<% ctx(\"xs\") %>'", (String::new(), xs(), json!(null))),
        ("'x in <% ctx(\"xs\") %>'", ("x".into(), xs(), json!(null))),
        ("'  x ,  y_2  in <% ctx(\"xs\") %> '", ("x+y_2".into(), xs(), json!(null))),
        ("'in in <% ctx(\"xs\") %>'", ("in".into(), xs(), json!(null))),
        ("[1, {a: b}]", (String::new(), json!([1, {"a": "b"}]), json!(null))),
        ("[]", (String::new(), json!([]), json!(null))),
        ("{items: [1]}", (String::new(), json!([1]), json!(null))),
        ("{items: 'x in <% ctx(\"xs\") %>', concurrency: 3}", ("x".into(), xs(), json!(3))),
        ("{items: '<% ctx(\"xs\") %>', concurrency: -1}", (String::new(), xs(), json!(-1))),
    ] {
        assert_eq!(with(text), expected, "{text}");
    }
}

#[test]
fn short_values_are_taken_too() {
    assert!(matches!(
        plan("tasks: {a: {next: [{do: b}]}, b: {join: {needs: all}}}\n").tasks()["b"].join,
        Some(Join::All)
    ));
    assert_eq!(task("retry: {until: 10, unless: gone}").retry.unwrap().unless, ["gone"]);
    assert_eq!(option(task("retry: {count: 0}").retry.unwrap().count.as_ref()), 0);
    assert_eq!(shown(task("if: false").condition.unwrap().template()), false);
    assert_eq!(option(task("delay: '<% ctx(\"n\") %>'").delay.as_ref()), "<% ctx(\"n\") %>");
    assert_eq!(task("on_unknown: retry").on_unknown, OnUnknown::Retry);
    assert!(task("with:").with.is_none());
}

/// Every finding about a workflow with one task of these keys.
fn mistakes(keys: &[&str]) -> String {
    let mut shown = String::new();
    for key in keys {
        let text = format!("tasks:\n  t:\n    action: core.noop\n{}\n", indented(key));
        shown += &format!("{key}\n{}", findings(&text));
    }
    shown
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn findings(text: &str) -> String {
    let report = workflow(text).report();
    assert!(report.has_errors(), "{text}");
    let said = |d: &runner_pack::Diagnostic| {
        // What the expression language itself says of its syntax has no hint.
        assert!(d.hint.is_some() || d.code.id() == "E-EXPR-0001", "no hint: {text}\n{d}");
        let (hint, place) = (d.hint.as_deref().unwrap_or_default(), (d.line, d.column, d.end_column));
        format!("    {place:?} {} {}\n      -> {hint}\n", d.code, d.message)
    };
    report.diagnostics.iter().map(said).collect()
}

#[test]
fn mistakes_in_with() {
    insta::assert_snapshot!(
        mistakes(&[
            "with: 5",
            "with: x in [1, 2]",
            "with: x of <% [1] %>",
            "with: x y in <% [1] %>",
            "with: x,, y in <% [1] %>",
            "with: x, x in <% [1] %>",
            "with: in <% [1] %>",
            "with: x in <% [1] %> and more",
            "with: x in <% [1] %><% [2] %>",
            "with: x in <% nope(1) %>",
            "with: x in <% ctx(\"gone\") %>",
            "with: {concurrency: 2}",
            "with: {items: 5}",
            "with: {items: [1], concurrency: many}",
            "with: {items: [1], concurrency: 1.5}",
            "with: {items: [1], concurency: 2}",
            "with: {items: [1], concurrency: <% 1 %> at once}",
        ]) + findings("tasks: {a: {with: [1]}}\n").as_str()
    );
}

#[test]
fn mistakes_in_retry() {
    insta::assert_snapshot!(mistakes(&[
        "retry: 3",
        "retry: always",
        "retry: {}",
        "retry: {delay: 3}",
        "retry: {cuont: 3}",
        "retry: {max_attempts: 3}",
        "retry: {count: -1}",
        "retry: {count: 1.5}",
        "retry: {count: 100001}",
        "retry: {count: '3'}",
        "retry: {count: <% 1 + %>}",
        "retry: {count: <% ctx(\"gone\") %>}",
        "retry: {count: 1, when: failed}",
        "retry: {count: 1, when: [x]}",
        "retry: {count: 1, delay: -1}",
        "retry: {count: 1, delay: 1m}",
        "retry: {count: 1, delay: <% 1 %>s}",
        "retry: {count: 1, backoff: 0.5}",
        "retry: {count: 1, backoff: 1000}",
        "retry: {count: 1, max_delay: 1e10}",
        "retry: {count: 1, jitter: 1.1}",
        "retry: {until: 0}",
        "retry: {count: 1, unless: 5}",
        "retry: {count: 1, unless: [<% failed() %>]}",
    ]));
}

#[test]
fn mistakes_in_times_and_conditions() {
    insta::assert_snapshot!(mistakes(&[
        "delay: -1",
        "delay: soon",
        "delay: 1.5m",
        "delay: '5'",
        "delay: 400000000",
        "timeout: 0",
        "timeout: -5",
        "timeout: [1]",
        "timeout: true",
        "heartbeat_timeout: 0",
        "heartbeat_timeout: 1h",
        "if: yes",
        "if: 1",
        "if: {a: b}",
        "if: <% ctx(\"gone\") %>",
        "if: is <% true %>",
        "on_unknown: ignore",
        "on_unknown: retyr",
        "on_unknown: true",
    ]));
}

#[test]
fn mistakes_in_poll() {
    insta::assert_snapshot!(mistakes(&[
        "poll: 10",
        "poll: {}",
        "poll: {until: <% true %>}",
        "poll: {interval: 1}",
        "poll: {until: done, interval: 1}",
        "poll: {until: [<% true %>], interval: 1}",
        "poll: {until: <% true %>, interval: -1}",
        "poll: {until: <% true %>, interval: 1, fail_when: <% nope() %>}",
        "poll: {until: <% true %>, interval: 1, backoff: 0}",
        "poll: {until: <% true %>, interval: 1, max_interval: -1}",
        "poll: {until: <% true %>, interval: 1, timeout: 0}",
        "poll: {until: <% true %>, interval: 1, delay: 2}",
        "poll: {until: <% true %>, interval: 1, count: 2}",
    ]));
}

#[test]
fn mistakes_in_join_and_do() {
    let joined = |join: &str| {
        let text = format!("tasks:\n  a: {{next: [{{do: b}}]}}\n  b:\n    join: {join}\n");
        format!("join: {join}\n{}", findings(&text))
    };
    let shown: String = [
        "0",
        "-1",
        "some",
        "<% true %>",
        "{}",
        "{needs: 0}",
        "{needs: some}",
        "{needs: 2}",
        "{needs: [a]}",
        "{needs: <% 1 + %>}",
        "{needs: is <% true %>}",
        "{needs: '<% succeeded(\"a\") && ctx(\"gone\") %>'}",
        "{need: all}",
        "{when: <% true %>}",
    ]
    .into_iter()
    .map(joined)
    .collect();
    insta::assert_snapshot!(
        shown + mistakes(&["next: [{do: rety}]", "next: [{do: [retry, gone]}]", "do: retry"]).as_str()
    );
}

#[test]
fn mistakes_in_what_cleans_up() {
    insta::assert_snapshot!(mistakes(&[
        "compensate: core.noop",
        "compensate: {}",
        "compensate: {input: {a: 1}}",
        "compensate: {action: 5}",
        "compensate: {action: core.ehco}",
        "compensate: {action: core.echo}",
        "compensate: {action: core.echo, input: {mesage: x}}",
        "compensate: {action: core.echo, input: {message: 5}}",
        "compensate: {action: core.echo message=hi}",
        "compensate: {action: core.noop, input: 5}",
        "compensate: {action: core.noop, retry: {delay: 1}}",
        "compensate: {action: core.noop, timeout: 0}",
        "compensate: {action: core.noop, next: [{do: a}]}",
        "on_cancel: {action: core.echo, input: {message: <% ctx(\"gone\") %>}}",
        "on_cancel: {acton: core.noop}",
    ]));
}

#[test]
fn mistakes_of_the_whole_workflow() {
    let shown: String = [
        "timeout: 0",
        "timeout: 1d",
        "timeout: <% ctx(\"gone\") %>",
        "on_cancel: core.noop",
        "on_cancel: {action: core.ehco}",
        "output_schema: {type: object}",
    ]
    .into_iter()
    .map(|key| format!("{key}\n{}", findings(&format!("{key}\ntasks: {{a: {{}}}}\n"))))
    .collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn keys_of_neighbours_say_what_to_write() {
    insta::assert_snapshot!(mistakes(&[
        "with-items: x",
        "concurrency: 2",
        "wait-before: 2",
        "decision_expr: x",
        "needs: [a]",
        "when: <% true %>",
        "retyr: {count: 1}",
        "heartbeat: 5",
    ]));
}
