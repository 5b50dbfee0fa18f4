//! What goes wrong at the array, and how each of it ends: gone over, undone, or said so that somebody can act on it.

use reqwest::Method;
use serde_json::{Value, json};

use super::served::Array;

const VOLUMES: &str = "/api/storage/volumes";

impl Array {
    /// Provisions a volume while this goes wrong. Gives the exit code, what was said, and how often a volume was asked for.
    async fn meets(&self, name: &str, fault: Value) -> (Option<i32>, String, Vec<u64>) {
        let before = self.came("POST", VOLUMES).await.len();
        self.send(Method::POST, "/simulator/faults", &fault).await;
        let arguments = Self::provision(name);
        let run = tokio::task::block_in_place(|| self.run(&arguments));
        let asked = self.came("POST", VOLUMES).await.split_off(before);
        (run.code, run.seen(), asked)
    }

    async fn volumes(&self, name: &str) -> u64 {
        self.count("storage/volumes", &format!("name={name}")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for_and_makes_one_volume() {
    let array = Array::start();
    let cases = [
        // The server says that it did nothing: asked again in the same attempt.
        ("told", json!({"kind": "unavailable", "retry_after": 1}), vec![503, 202]),
        ("throttled", json!({"kind": "throttled", "retry_after": 1}), vec![429, 202]),
        ("locked", json!({"kind": "locked"}), vec![409, 202]),
        // It does not say: the next attempt looks first.
        ("untold", json!({"kind": "unavailable"}), vec![503, 202]),
        ("unheard", json!({"kind": "drop_before"}), vec![0, 202]),
        ("done", json!({"kind": "drop_after"}), vec![0]),
        ("slow", json!({"kind": "slow", "delay_ms": 1500}), vec![202]),
    ];
    for (name, mut fault, expected) in cases {
        fault["method"] = json!("POST");
        fault["path"] = json!(VOLUMES);
        let (code, seen, asked) = array.meets(name, fault).await;
        assert_eq!(code, Some(0), "{name}: {seen}");
        assert_eq!(asked, expected, "{name}: {seen}");
        assert_eq!(array.volumes(name).await, 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_list_that_fails_for_a_moment_is_tried_again() {
    let array = Array::start();
    // A rule of the export policy.
    let fault = json!({"kind": "unavailable", "method": "POST", "path": "/api/protocols/nfs/export-policies/"});
    let (code, seen, asked) = array.meets("ruled", fault).await;
    assert_eq!((code, asked), (Some(0), vec![202]), "{seen}");
    assert!(seen.contains("failed    create_rules[0]"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_vanished_is_told_by_what_it_made() {
    let array = Array::start();
    let fault = json!({"kind": "job_gone", "method": "POST", "path": VOLUMES});
    let (code, seen, asked) = array.meets("gone", fault).await;
    assert_eq!((code, asked), (Some(0), vec![202]), "{seen}");
    assert_eq!(array.volumes("gone").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_leaves_nothing_behind_and_says_why() {
    let array = Array::start();
    let message = "aggregate aggr1 is out of space";
    let fault = json!({"kind": "job_failure", "method": "POST", "path": VOLUMES, "message": message, "code": 918_701});
    let (code, seen, _) = array.meets("undone", fault).await;
    assert_eq!(code, Some(1), "{seen}");
    assert!(seen.contains(message), "{seen}");
    assert_eq!(array.volumes("undone").await, 0);
    assert_eq!(array.count("protocols/nfs/export-policies", "name=undone").await, 0, "what was made before is undone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_that_does_not_come_back_is_named_and_nothing_is_made() {
    let array = Array::start();
    let fault = json!({"kind": "unavailable", "count": 1000, "path": "/api/svm", "retry_after": 0});
    let (code, seen, asked) = array.meets("never", fault).await;
    assert_eq!((code, asked), (Some(1), vec![]), "{seen}");
    assert!(seen.contains("503"), "{seen}");
    assert_eq!(array.count("protocols/nfs/export-policies", "name=never").await, 0);
}
