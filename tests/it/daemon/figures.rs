//! What `/metrics` says, read as strictly as the format is described.

mod exposition;

use std::collections::BTreeSet;

use serde_json::json;

use super::kit::{Daemon, until};
use crate::kit::Place;
use exposition::Family;

/// The labels that there are: each has few values.
const LABELS: [&str; 7] = ["status", "pack", "outcome", "connection", "trigger", "rule", "le"];

fn place() -> Place {
    let place = Place::new();
    place.write("packs/f/pack.yaml", "ref: f\nversion: 1.0.0\n");
    place.write(
        "packs/f/workflows/two.yaml",
        "name: two\ntasks:\n  a:\n    action: core.echo\n    input: {message: hello}\n    next:\n      - do: b\n  \
         b:\n    action: core.fail\n    retry: {count: 1, delay: 0}\n",
    );
    place.write(
        "packs/f/rules/after.yaml",
        "trigger:\n  type: core.execution_finished\n  parameters: {action: f.two}\n\
         action:\n  ref: core.echo\n  parameters: {message: it ended}\n",
    );
    place
}

async fn families(daemon: &Daemon) -> Vec<Family> {
    let page = daemon.client.get(daemon.at("/metrics")).send().await.unwrap().text().await.unwrap();
    exposition::read(&page).unwrap_or_else(|error| panic!("{error} in:\n{page}"))
}

#[tokio::test]
async fn every_figure_is_described_once_and_has_its_unit_and_few_labels() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    daemon.run("core.echo", json!({ "message": "hello" })).await;
    daemon.run("f.two", json!({})).await;
    let families = until("the rule's execution", async || {
        let families = families(&daemon).await;
        let dispatched = families.iter().any(|family| family.name == "runner_dispatch_seconds");
        dispatched.then_some(families)
    });
    let families = families.await;
    let names: BTreeSet<_> = families.iter().map(|family| family.name.as_str()).collect();
    for name in [
        "runner_executions_total",
        "runner_steps_total",
        "runner_attempts_total",
        "runner_attempt_seconds",
        "runner_execution_seconds",
        "runner_executions_delayed",
        "runner_guest_memory_bytes",
        "runner_events_total",
        "runner_rule_matches_total",
        "runner_store_commit_seconds",
        "runner_store_batch_commands",
        "runner_store_queued",
    ] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
    for family in &families {
        for series in &family.series {
            for (label, value) in &series.labels {
                assert!(LABELS.contains(&label.as_str()), "{}: the label {label} is new", family.name);
                let id = value.len() == 36 && value.matches('-').count() == 4;
                assert!(!id, "{}: {label}={value} is an id", family.name);
            }
        }
    }
    assert_eq!(daemon.stop().code(), Some(0));
}

#[tokio::test]
async fn the_store_says_how_long_its_commits_took_and_what_they_carried() {
    let place = place();
    let daemon = Daemon::start(&place, &[]);
    for _ in 0..5 {
        daemon.run("core.echo", json!({ "message": "hello" })).await;
    }
    let families = families(&daemon).await;
    let value = |family: &str, series: &str| {
        let family = families.iter().find(|one| one.name == family).unwrap_or_else(|| panic!("no {family}"));
        family.series.iter().find(|one| one.name == series).unwrap_or_else(|| panic!("no {series}")).value
    };
    let (commits, commands) = ("runner_store_commits_total", "runner_store_commands_total");
    // Each execution costs at least one commit, and both of the tables were made of the same ones.
    assert!(value(commits, commits) >= 5.0);
    for histogram in ["runner_store_commit_seconds", "runner_store_batch_commands"] {
        assert_eq!(value(histogram, &format!("{histogram}_count")), value(commits, commits), "{histogram}");
    }
    assert_eq!(value("runner_store_batch_commands", "runner_store_batch_commands_sum"), value(commands, commands));
    assert!(value("runner_store_commit_seconds", "runner_store_commit_seconds_sum") > 0.0);
}
