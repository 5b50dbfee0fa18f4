//! Jobs end well, badly, or are forgotten.

use runner_sdk::prelude::{Value, json};
use runner_sdk::testing::{Host, Run};

use super::run;

const JOB: &str = "/api/cluster/jobs/j1";

fn check(host: Host, job: Value) -> Run {
    run(host, "check_job", json!({ "job": job }))
}

fn forgotten() -> Host {
    Host::new().on("GET", "ontap", JOB, 404, json!({ "error": { "code": "4", "message": "entry doesn't exist" } }))
}

#[test]
fn a_job_goes_on_until_it_is_done() {
    for (state, done) in [("queued", false), ("running", false), ("paused", false), ("success", true)] {
        let host = Host::new().on("GET", "ontap", JOB, 200, json!({ "uuid": "j1", "state": state, "message": "m" }));
        let output = check(host, json!({ "uuid": "j1" })).output();
        assert_eq!((&output["done"], &output["state"]), (&json!(done), &json!(state)));
    }
    assert_eq!(run(Host::new(), "check_job", json!({ "job": null })).output()["done"], true);
}

#[test]
fn a_job_that_failed_is_a_failure_with_its_own_code() {
    let record = json!({
        "uuid": "j1", "state": "failure", "description": "POST /api/storage/volumes", "code": 917_831, "message": "No space.",
        "error": { "code": "917831", "message": "not enough space in the aggregate." },
    });
    let failure = check(Host::new().on("GET", "ontap", JOB, 200, record), json!({ "uuid": "j1" })).failure();
    assert_eq!(
        failure.to_string(),
        "917831: the job j1 (POST /api/storage/volumes) ended as failure: not enough space in the aggregate"
    );
    assert!(!failure.retryable);
}

#[test]
fn the_object_of_a_forgotten_job_says_how_it_ended() {
    let volume = "/api/storage/volumes/u1";
    let job =
        |effect: &str| json!({ "uuid": "j1", "effect": effect, "path": volume, "query": {}, "expect": { "size": 5 } });
    let there = |size: u64| forgotten().on("GET", "ontap", volume, 200, json!({ "uuid": "u1", "size": size }));
    let absent =
        || forgotten().on("GET", "ontap", volume, 404, json!({ "error": { "code": "4", "message": "no entry" } }));
    assert_eq!(check(there(5), job("create")).output()["state"], "gone");
    assert_eq!(check(there(5), job("update")).output()["done"], true);
    assert_eq!(check(absent(), job("delete")).output()["done"], true);
    for host in [check(there(4), job("update")), check(absent(), job("create")), check(there(5), job("delete"))] {
        assert_eq!(host.failure().code, "job-gone");
    }
    assert_eq!(check(forgotten(), json!({ "uuid": "j1" })).failure().code, "job-gone");
}

#[test]
fn an_object_without_a_place_is_looked_for_by_its_name() {
    let job = json!({ "uuid": "j1", "effect": "create", "path": "/api/svm/svms", "query": { "name": "s1" } });
    let host = |records: Value| forgotten().on("GET", "ontap", "/api/svm/svms", 200, json!({ "records": records }));
    assert_eq!(check(host(json!([{ "name": "s1" }])), job.clone()).output()["done"], true);
    assert_eq!(check(host(json!([])), job).failure().code, "job-gone");
}
