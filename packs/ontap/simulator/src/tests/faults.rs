//! Faults, counts and rules.

use super::*;

#[test]
fn each_fault_hits_the_requests_that_match_and_passes() {
    let mut lab = Lab::with_svm();
    let policy = |name: &str| json!({ "name": name, "svm.name": "s1" });
    let list = "/api/protocols/nfs/export-policies";
    for (number, (fault, status, code)) in [
        (json!({ "kind": "unavailable", "retry_after": 2 }), 503, "13001"),
        (json!({ "kind": "unavailable" }), 503, "13001"),
        (json!({ "kind": "throttled", "retry_after": 1 }), 429, "13001"),
        (json!({ "kind": "locked" }), 409, "2621573"),
        (json!({ "kind": "drop_before" }), 0, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut fault = fault;
        crate::path::merge(&mut fault, &json!({ "count": 2, "method": "post", "path": list, "connection": "ontap" }));
        assert_eq!(lab.ask("ontap", "POST", "/simulator/faults", &fault).status, 200);
        let name = format!("f{number}");
        assert_eq!(lab.ask("ontap", "GET", list, &Value::Null).status, 200, "{fault}");
        for _ in 0..2 {
            let answer = lab.ask("ontap", "POST", list, &policy(&name));
            assert_eq!(
                (answer.refusal(), answer.header("retry-after").is_empty()),
                ((status, code), fault["retry_after"].is_null())
            );
        }
        assert_eq!(lab.get(&format!("{list}?name={name}"))["num_records"], 0);
        assert_eq!(lab.ask("ontap", "POST", list, &policy(&name)).status, 201);
    }
}

#[test]
fn what_was_dropped_afterwards_is_done_and_counted() {
    let mut lab = Lab::with_svm();
    let list = "/api/protocols/nfs/export-policies";
    lab.ask(
        "ontap",
        "POST",
        "/simulator/faults",
        &json!([{ "kind": "drop_after", "method": "POST" }, { "kind": "slow", "delay_ms": 700, "method": "GET" }]),
    );
    assert_eq!(lab.ask("ontap", "POST", list, &json!({ "name": "d", "svm.name": "s1" })).status, 0);
    let slow = lab.ask("ontap", "GET", &format!("{list}?name=d"), &Value::Null);
    assert_eq!((slow.delay_ms, &slow.body["num_records"]), (700, &json!(1)));
    let requests = lab.get("/simulator/requests");
    let counted = requests["counts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|count| count["path"] == list && count["method"] == "POST");
    assert_eq!(
        counted.map(|count| (count["status"].clone(), count["count"].clone())).collect::<Vec<_>>(),
        [(json!(0), json!(1))]
    );
}

#[test]
fn jobs_fail_with_a_message_or_vanish() {
    let mut lab = Lab::with_svm();
    let body =
        |name: &str| json!({ "name": name, "svm.name": "s1", "aggregates": [{ "name": "aggr1" }], "size": "1GB" });
    let fault =
        json!({ "kind": "job_failure", "path": "/api/storage/volumes", "message": "no disks left", "code": 123 });
    lab.ask("ontap", "POST", "/simulator/faults", &fault);
    let failed = lab.ask("ontap", "POST", "/api/storage/volumes", &body("bad"));
    assert_eq!(failed.status, 202);
    lab.pass(2000);
    let job = lab.get(failed.job());
    assert_eq!(
        (&job["state"], &job["message"], &job["code"], &job["error"]["code"]),
        (&json!("failure"), &json!("no disks left"), &json!(123), &json!("123"))
    );
    assert_eq!(lab.get("/api/storage/volumes?name=bad")["num_records"], 0);
    lab.ask("ontap", "POST", "/simulator/faults", &json!({ "kind": "job_gone" }));
    let gone = lab.ask("ontap", "POST", "/api/storage/volumes", &body("good"));
    assert_eq!(lab.get(gone.job())["state"], "queued");
    lab.pass(2000);
    assert_eq!(lab.ask("ontap", "GET", gone.job(), &Value::Null).refusal(), (404, "4"));
    assert_eq!(lab.get(gone.header("location"))["name"], "good");
}

#[test]
fn a_reset_forgets_everything_and_begins_with_the_same_ids() {
    let mut lab = Lab::new();
    let first = lab.get("/api/cluster")["uuid"].clone();
    lab.make("ontap", "/api/svm/svms", json!({ "name": "x" }));
    assert_eq!(lab.ask("ontap", "POST", "/simulator/reset", &json!({})).status, 200);
    assert_eq!(lab.get("/api/svm/svms?name=x")["num_records"], 0);
    assert_eq!(lab.get("/api/cluster")["uuid"], first);
    assert_eq!(lab.ask("ontap", "POST", "/simulator/rules", &json!({ "no_such": true })).status, 400);
    assert_eq!(lab.ask("ontap", "POST", "/simulator/faults", &json!({ "kind": "nonsense" })).status, 400);
}
