//! Policies: what is read, and each mistake with the line to write.

use std::time::Duration;

use runner_pack::{Over, PolicyKind, check};

use crate::kit::{Demo, library, said};

fn demo(policy: &str) -> Demo {
    let demo = Demo::new();
    demo.file("actions/act.yaml", "runner_type: noop\nparameters: {host: {type: string}, port: {type: integer}}\n");
    demo.file("policies/p.yaml", policy);
    demo
}

fn read(kind: &str, parameters: &str) -> PolicyKind {
    let text = format!("name: p\nresource_ref: demo.act\npolicy_type: {kind}\nparameters: {{{parameters}}}\n");
    let demo = demo(&text);
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{text}\n{}", report.plain());
    let policy = pack.unwrap().policies["p"].clone();
    assert_eq!((policy.reference.as_str(), policy.resource.as_str(), policy.enabled), ("demo.p", "demo.act", true));
    policy.kind.clone()
}

#[test]
fn every_kind_of_policy_is_read() {
    assert_eq!(
        read("action.concurrency", "threshold: 3"),
        PolicyKind::Concurrency { threshold: 3, attributes: Vec::new(), over: Over::Delay }
    );
    assert_eq!(
        read("action.concurrency.attr", "threshold: 1, action: cancel, attributes: [host, port]"),
        PolicyKind::Concurrency { threshold: 1, attributes: vec!["host".into(), "port".into()], over: Over::Cancel }
    );
    assert_eq!(
        read("action.rate", "limit: 100, per: 1m, burst: 20, action: delay, attributes: host"),
        PolicyKind::Rate {
            limit: 100,
            per: Duration::from_secs(60),
            burst: 20,
            attributes: vec!["host".into()],
            over: Over::Delay
        }
    );
    let PolicyKind::Rate { burst, attributes, .. } = read("action.rate", "limit: 7, per: 1") else { panic!() };
    assert_eq!((burst, attributes.len()), (7, 0));
}

#[test]
fn mistakes_in_a_policy_are_found_with_what_to_write() {
    let whole = |text: &str| said(&demo(text));
    let with = |kind: &str, parameters: &str| {
        said(&demo(&format!("resource_ref: demo.act\npolicy_type: {kind}\nparameters: {{{parameters}}}\n")))
    };
    let shown = [
        whole(""),
        whole("policy_type: action.concurrency\nparameters: {threshold: 1}\n"),
        whole("resource_ref: demo.act\nparameters: {threshold: 1}\n"),
        whole("resource_ref: demo.act\npolicy_type: action.concurrency\n"),
        whole("resource_ref: act\npolicy_type: action.concurrency\nparameters: {threshold: 1}\n"),
        whole("resource_ref: demo.akt\npolicy_type: action.concurrency\nparameters: {threshold: 1}\n"),
        whole("resource_ref: demo.act\npolicy_type: action.concurrency\nparameters: 5\n"),
        whole("resource: demo.act\npolicy_type: action.concurrency\nparameters: {threshold: 1}\n"),
        whole("name: q\nresource_ref: demo.act\npolicy_type: action.concurrency\nparameters: {threshold: 1}\n"),
        with("action.concurency", "threshold: 1"),
        with("action.retry", "retry_on: failure, max_retry_count: 3"),
        with("action.concurrency", "threshold: 0"),
        with("action.concurrency", "threshold: many"),
        with("action.concurrency", "treshold: 1"),
        with("action.concurrency", "threshold: 1, action: drop"),
        with("action.concurrency", "threshold: 1, attributes: [host]"),
        with("action.concurrency.attr", "threshold: 1"),
        with("action.concurrency.attr", "threshold: 1, attributes: [hots, host]"),
        with("action.rate", "limit: 5"),
        with("action.rate", "per: 60"),
        with("action.rate", "limit: 5, per: 2d"),
        with("action.rate", "limit: 5, per: 1m, burst: 0"),
        with("action.rate", "threshold: 5, period: 60"),
    ]
    .join("\n");
    insta::assert_snapshot!("policy", shown);
}
