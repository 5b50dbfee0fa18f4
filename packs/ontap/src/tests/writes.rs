//! Writes look first: what is there is not made again, and what cannot be is said.

use runner_sdk::http::Response;
use runner_sdk::prelude::{Value, json};
use runner_sdk::testing::Host;

use super::{methods, run};

const VOLUMES: &str = "/api/storage/volumes";

fn list(records: Value) -> Value {
    let count = records.as_array().map_or(0, Vec::len);
    json!({ "records": records, "num_records": count })
}

fn host(records: Value) -> Host {
    Host::new().on("GET", "ontap", VOLUMES, 200, list(records))
}

fn volume() -> Value {
    json!({
        "uuid": "u1", "name": "v1", "svm": { "name": "s1", "uuid": "s" }, "size": 1_099_511_627_776_u64, "state": "online", "type": "rw",
        "nas": { "path": "/v1" }, "aggregates": [{ "name": "aggr1", "uuid": "a" }],
    })
}

fn accepted(path: &str) -> Response {
    let body = json!({ "job": { "uuid": "j1", "_links": {} } });
    let headers =
        vec![("location".to_owned(), path.to_owned()), ("content-type".to_owned(), "application/json".to_owned())];
    Response::new(202, headers, body.to_string().into_bytes())
}

#[test]
fn a_new_object_is_made_once_and_its_job_told() {
    let host = host(json!([])).on_result("POST", "ontap", VOLUMES, Ok(accepted("/api/storage/volumes/u9")));
    let run = run(
        host,
        "create_volume",
        json!({ "name": "v1", "svm": "s1", "size": "1TB", "aggregates": ["aggr1"], "comment": null }),
    );
    let output = run.output();
    assert_eq!((&output["changed"], &output["created"]), (&json!(true), &json!(true)));
    assert_eq!(output["record"], json!({ "name": "v1", "svm": { "name": "s1" }, "uuid": "u9" }));
    assert_eq!(output["job"]["uuid"], "j1");
    assert_eq!(output["job"]["path"], "/api/storage/volumes/u9");
    assert_eq!(
        run.requests[1].json::<Value>(),
        json!({ "name": "v1", "svm": { "name": "s1" }, "size": 1_099_511_627_776_u64, "aggregates": [{ "name": "aggr1" }] })
    );
    let query = &run.requests[0].query;
    assert!(query.contains(&("svm.name".to_owned(), "s1".to_owned())), "{query:?}");
}

#[test]
fn what_is_there_is_not_made_again() {
    let input = json!({ "name": "v1", "svm": "s1", "size": "1TB", "aggregates": ["aggr1"], "junction_path": "/v1" });
    let run = run(host(json!([volume()])), "create_volume", input);
    assert_eq!(run.output()["changed"], false);
    assert_eq!(methods(&run), ["GET"]);
}

#[test]
fn what_is_there_as_another_thing_is_a_clear_failure() {
    let input = |on: &str| json!({ "name": "v1", "svm": "s1", "size": "2TB", "type": "dp", "on_difference": on });
    let failure = run(host(json!([volume()])), "create_volume", input("fail")).failure();
    assert_eq!(failure.code, "exists-differently");
    assert!(failure.message.contains("`size` is 1099511627776, not 2199023255552"), "{failure}");
    let failure = run(host(json!([volume()])), "create_volume", input("update")).failure();
    assert_eq!(failure.code, "cannot-change");
    assert!(failure.message.contains("`type`"), "{failure}");
    let left = run(host(json!([volume()])), "create_volume", input("ignore"));
    assert_eq!((&left.output()["changed"], left.requests.len()), (&json!(false), 1));
}

#[test]
fn what_can_be_changed_is_changed_where_that_is_wanted() {
    let host = host(json!([volume()])).on_result(
        "PATCH",
        "ontap",
        "/api/storage/volumes/u1",
        Ok(accepted("/api/storage/volumes/u1")),
    );
    let run =
        run(host, "create_volume", json!({ "name": "v1", "svm": "s1", "size": "2TB", "on_difference": "update" }));
    let output = run.output();
    assert_eq!((&output["changed"], &output["created"]), (&json!(true), &json!(false)));
    assert_eq!(run.requests[1].json::<Value>(), json!({ "size": 2_199_023_255_552_u64 }));
}

#[test]
fn an_object_that_appears_meanwhile_is_taken_as_it_is() {
    let host = Host::new()
        .on("GET", "ontap", VOLUMES, 200, list(json!([])))
        .on("GET", "ontap", VOLUMES, 200, list(json!([volume()])))
        .on("POST", "ontap", VOLUMES, 409, json!({ "error": { "code": "1", "message": "exists" } }));
    let run = run(host, "create_volume", json!({ "name": "v1", "svm": "s1" }));
    assert_eq!(run.output()["changed"], false);
}

#[test]
fn a_change_sends_only_what_is_different() {
    let host = host(json!([volume()])).on_result(
        "PATCH",
        "ontap",
        "/api/storage/volumes/u1",
        Ok(accepted("/api/storage/volumes/u1")),
    );
    let input =
        json!({ "name": "v1", "svm": "s1", "state": "online", "junction_path": "/other", "fields": { "nas.gid": 7 } });
    let run = run(host, "update_volume", input);
    assert_eq!(run.requests[1].json::<Value>(), json!({ "nas": { "gid": 7, "path": "/other" } }));
    assert_eq!(run.output()["job"]["expect"], json!({ "nas": { "gid": 7, "path": "/other" } }));
}

#[test]
fn a_name_that_is_that_of_several_is_not_guessed() {
    let other = json!({ "uuid": "u2", "name": "v1", "svm": { "name": "s2" } });
    let failure = run(host(json!([volume(), other])), "delete_volume", json!({ "name": "v1" })).failure();
    assert_eq!(failure.code, "ambiguous");
    assert!(failure.message.ends_with("give `svm` too"), "{failure}");
}

#[test]
fn what_is_not_there_need_not_be_deleted() {
    let gone = run(host(json!([])), "delete_volume", json!({ "name": "v1", "svm": "s1" }));
    assert_eq!((&gone.output()["changed"], methods(&gone)), (&json!(false), vec!["GET"]));
    let kept = run(Host::new(), "delete_volume", json!({ "name": "v1", "svm": "s1", "only_if": false }));
    assert_eq!((&kept.output()["changed"], kept.requests.len()), (&json!(false), 0));
}

#[test]
fn a_volume_does_not_shrink_by_mistake() {
    let failure =
        run(host(json!([volume()])), "resize_volume", json!({ "name": "v1", "svm": "s1", "size": "1GB" })).failure();
    assert_eq!(failure.code, "would-shrink");
}

#[test]
fn a_key_of_several_values_is_found_in_the_location() {
    let place = "/api/storage/qtrees";
    let headers = vec![("location".to_owned(), "/api/storage/qtrees/u1/4".to_owned())];
    let made = Response::new(201, headers, br#"{"num_records":1}"#.to_vec());
    let host = Host::new().on("GET", "ontap", place, 200, list(json!([]))).on_result("POST", "ontap", place, Ok(made));
    let output = run(host, "create_qtree", json!({ "name": "q", "volume": "v1", "svm": "s1" })).output();
    assert_eq!(output["record"]["volume"], json!({ "name": "v1", "uuid": "u1" }));
    assert_eq!((&output["record"]["id"], &output["job"]), (&json!("4"), &Value::Null));
}

#[test]
fn what_belongs_to_another_object_is_found_below_it() {
    let place = "/api/storage/volumes/u1/snapshots";
    let host = host(json!([volume()])).on("GET", "ontap", place, 200, list(json!([{ "uuid": "n", "name": "before" }])));
    let output = run(host, "get_snapshot", json!({ "name": "before", "volume": "v1", "svm": "s1" })).output();
    assert_eq!(output["record"]["uuid"], "n");
    let failure =
        run(self::host(json!([])), "get_snapshot", json!({ "name": "x", "volume": "v2", "svm": "s1" })).failure();
    assert_eq!(failure.to_string(), "not-found: there is no volume with name `v2` and svm.name `s1` on `ontap`");
}
