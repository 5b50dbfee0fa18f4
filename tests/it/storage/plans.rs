//! A plan lists what a run then does, no more and no less.

use serde_json::{Value, json};

use super::served::Array;
use crate::kit::{Place, Run};

/// A change without the keys that a system makes up: method, path, body.
fn change(one: &Value, body: &str) -> Value {
    let text = json!([one["method"], one["path"], one[body]]).to_string();
    serde_json::from_str(&without_keys(&text)).unwrap()
}

/// The text with each UUID, and each number that is a part of a path, replaced.
fn without_keys(text: &str) -> String {
    let is_uuid = |part: &str| part.len() == 36 && part.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_edge = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let parts = text.split_inclusive(is_edge).map(|part| {
        let (key, edge) = match part.char_indices().last() {
            Some((at, c)) if is_edge(c) => part.split_at(at),
            _ => (part, ""),
        };
        let is_key = is_uuid(key) || (!key.is_empty() && edge == "/" && is_number(key));
        if is_key { format!("ID{edge}") } else { part.to_owned() }
    });
    parts.collect()
}

fn planned(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, Some(0), "{}", run.seen());
    let plan = run.json();
    assert_eq!(plan["status"], "succeeded", "{plan}");
    plan["changes"].as_array().unwrap().iter().map(|one| change(one, "body")).collect()
}

fn made(place: &Place) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path("tape.jsonl")).unwrap();
    let requests = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()["request"].clone());
    requests.filter(|request| request["method"] != "GET").map(|request| change(&request, "json")).collect()
}

#[test]
fn the_plan_of_each_workflow_lists_the_changes_that_a_run_then_makes() {
    let cases: [(&[&str], usize); 4] = [
        (&["exec", "aiqum.create_svm", "name=svm_app", "cluster_key=cluster1"], 3),
        (&["exec", "aiqum.svm_then_share", "cluster1"], 5),
        (&["exec", "ontap.provision_svm", "name=svm_app"], 1),
        (&["exec", "ontap.peer_clusters"], 2),
    ];
    for (arguments, least) in cases {
        let place = Place::new();
        let plan = planned(&place.run(&[arguments, &["--simulate", "--plan", "--json"]].concat()));
        assert!(plan.len() >= least, "{arguments:?}: {plan:#?}");
        let run = place.run(&[arguments, &["--simulate", "--record", "tape.jsonl"]].concat());
        assert_eq!(run.code, Some(0), "{}", run.seen());
        assert_eq!(plan, made(&place), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_against_a_real_system_only_reads_and_comes_true() {
    let create_svm = ["exec", "aiqum.create_svm", "name=svm_app", "cluster_key=cluster1"].map(str::to_owned).to_vec();
    for (kind, arguments) in [("ontap", Array::provision("docs")), ("aiqum", create_svm)] {
        let array = Array::of(kind);
        let with = |more: &[&str]| -> Vec<String> {
            arguments.iter().cloned().chain(more.iter().map(|text| (*text).to_owned())).collect()
        };
        let plan = planned(&tokio::task::block_in_place(|| array.run(&with(&["--plan", "--json"]))));
        let log = array.get("/simulator/requests").await;
        assert!(log["requests"].as_array().unwrap().iter().all(|one| one["method"] == "GET"), "{log}");
        let run = tokio::task::block_in_place(|| array.run(&with(&["--record", "tape.jsonl"])));
        assert_eq!(run.code, Some(0), "{}", run.seen());
        assert_eq!(plan, made(&array.place), "{kind}");
    }
}
