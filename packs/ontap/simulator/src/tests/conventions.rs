//! What holds for every collection.

use super::*;

fn policies(lab: &mut Lab, count: usize) {
    for number in 0..count {
        lab.make(
            "ontap",
            "/api/protocols/nfs/export-policies",
            json!({ "name": format!("p{number}"), "svm": { "name": "s1" } }),
        );
    }
}

#[test]
fn nobody_is_answered_without_a_login() {
    let mut lab = Lab::new();
    for header in ["", "Basic !", "Bearer wrong", "Basic YWRtaW46d3Jvbmc="] {
        let answer = lab.ask_with("ontap", "GET", "/api/cluster", &[("authorization", header)], &Value::Null);
        assert_eq!(answer.refusal(), (401, "6691623"), "{header}");
        assert!(answer.header("www-authenticate").starts_with("Basic"));
    }
    let answer = lab.ask_with("ontap", "GET", "/api/cluster", &[("authorization", "Bearer token")], &Value::Null);
    assert_eq!((answer.status, answer.body["name"].as_str()), (200, Some("cluster1")));
}

#[test]
fn fields_say_what_is_shown() {
    let mut lab = Lab::with_svm();
    lab.volume("v1");
    let list = "/api/storage/volumes?name=v1";
    let brief = &lab.get(list)["records"][0];
    assert!(brief["uuid"].is_string() && brief["size"].is_null() && brief["svm"]["name"] == "s1", "{brief}");
    assert_eq!(&lab.get(&format!("{list}&fields="))["records"][0], brief);
    let some = &lab.get(&format!("{list}&fields=size,nas.path,aggregates.name"))["records"][0];
    assert_eq!(
        (&some["size"], &some["nas"], &some["aggregates"]),
        (&json!(1 << 30), &json!({ "path": "/v1" }), &json!([{ "name": "aggr1" }]))
    );
    let all = &lab.get(&format!("{list}&fields=*,!nas.path"))["records"][0];
    assert!(
        all["nas"]["security_style"] == "unix" && all["nas"]["path"].is_null() && all["analytics"].is_null(),
        "{all}"
    );
    assert_eq!(lab.get(&format!("{list}&fields=**"))["records"][0]["analytics"]["state"], "off");
    let text = lab.get(&format!("{list}&fields=**")).to_string();
    assert!(!text.contains('~'), "notes of the simulator are shown: {text}");
}

#[test]
fn pages_follow_opaque_links_to_the_end() {
    let mut lab = Lab::with_svm();
    policies(&mut lab, 5);
    for order in ["", "&order_by=name%20desc"] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        let mut next = format!("/api/protocols/nfs/export-policies?name=p*&max_records=2{order}");
        while !next.is_empty() {
            let answer = lab.ask("ontap", "GET", &next, &Value::Null);
            seen.extend(names(&answer.body).into_iter().map(str::to_owned));
            next = answer.body["_links"]["next"]["href"].as_str().unwrap_or_default().to_owned();
            assert_eq!(
                answer.header("link").contains(&next) && answer.header("link").contains("rel=\"next\""),
                !next.is_empty()
            );
            pages += 1;
        }
        let mut expected = ["p0", "p1", "p2", "p3", "p4"];
        if !order.is_empty() {
            expected.reverse();
        }
        assert_eq!((seen, pages), (expected.map(str::to_owned).to_vec(), 3), "{order}");
    }
    lab.ask("ontap", "POST", "/simulator/rules", &json!({ "empty_next": true }));
    let last = lab.get("/api/protocols/nfs/export-policies?name=p*&max_records=5");
    let empty = lab.get(last["_links"]["next"]["href"].as_str().unwrap());
    assert_eq!(empty["num_records"], 0);
}

#[test]
fn a_collection_can_be_counted_only() {
    let mut lab = Lab::with_svm();
    policies(&mut lab, 3);
    assert_eq!(lab.get("/api/protocols/nfs/export-policies?name=p*&return_records=False"), json!({ "num_records": 3 }));
}

#[test]
fn links_are_given_unless_plain_json_is_asked_for() {
    let mut lab = Lab::with_svm();
    policies(&mut lab, 3);
    let mut ask = |accept: &str| {
        let headers = [("authorization", "Bearer t"), ("accept", accept)];
        lab.ask_with(
            "ontap",
            "GET",
            "/api/protocols/nfs/export-policies?max_records=2&fields=svm&name=p*",
            &headers,
            &Value::Null,
        )
        .body
    };
    for accept in ["*/*", "application/hal+json", ""] {
        let hal = ask(accept);
        assert!(
            hal["_links"]["self"]["href"].is_string() && hal["records"][0]["_links"]["self"]["href"].is_string(),
            "{hal}"
        );
        assert!(hal["records"][0]["svm"]["_links"]["self"]["href"].is_string(), "{hal}");
    }
    let plain = ask("application/json");
    assert_eq!(plain.to_string().matches("_links").count(), 1, "{plain}");
    assert!(plain["_links"]["next"]["href"].is_string());
}

#[test]
fn dotted_keys_text_booleans_bodies_on_delete_and_trailing_slashes_are_accepted() {
    let mut lab = Lab::with_svm();
    let body = json!({ "name": "d", "svm.name": "s1" });
    let answer = lab.ask("ontap", "POST", "/api/protocols/nfs/export-policies/?return_records=True", &body);
    assert_eq!(
        (answer.status, &answer.body["num_records"], &answer.body["records"][0]["svm"]["name"]),
        (201, &json!(1), &json!("s1"))
    );
    let place = answer.header("location").to_owned();
    assert_eq!(lab.get(&format!("{place}/"))["name"], "d");
    assert_eq!(lab.get(&format!("/api/v1{}", place.trim_start_matches("/api")))["name"], "d");
    let answer = lab.ask("ontap", "DELETE", &format!("{place}/"), &json!({}));
    assert_eq!((answer.status, &answer.body), (200, &json!({})));
    assert_eq!(lab.ask("ontap", "GET", &place, &Value::Null).refusal(), (404, "4"));
}

#[test]
fn an_svm_can_be_named_by_a_header() {
    let mut lab = Lab::with_svm();
    lab.make("ontap", "/api/svm/svms", json!({ "name": "s2", "aggregates": [{ "name": "aggr1" }] }));
    let headers = [("authorization", "Bearer t"), ("x-dot-svm-name", "s2")];
    let made =
        lab.ask_with("ontap", "POST", "/api/protocols/nfs/export-policies", &headers, &json!({ "name": "tunnelled" }));
    assert_eq!(made.status, 201, "{}", made.body);
    let seen =
        lab.ask_with("ontap", "GET", "/api/protocols/nfs/export-policies?fields=svm.name", &headers, &Value::Null).body;
    assert_eq!(names(&seen), ["default", "tunnelled"]);
    let unknown = [("authorization", "Bearer t"), ("x-dot-svm-name", "nope")];
    assert_eq!(lab.ask_with("ontap", "GET", "/api/svm/svms", &unknown, &Value::Null).refusal(), (404, "2621462"));
}

#[test]
fn collections_are_changed_and_deleted_by_query() {
    let mut lab = Lab::with_svm();
    policies(&mut lab, 3);
    let list = "/api/protocols/nfs/export-policies";
    assert_eq!(lab.ask("ontap", "DELETE", list, &json!({})).status, 400);
    let answer = lab.ask("ontap", "DELETE", &format!("{list}?name=p0|p1"), &json!({}));
    assert_eq!((answer.status, &answer.body), (200, &json!({ "num_records": 2 })));
    let answer = lab.ask("ontap", "PATCH", &format!("{list}?name=p2"), &json!({ "name": "renamed" }));
    assert_eq!((answer.status, &answer.body), (200, &json!({ "num_records": 1 })));
    assert_eq!(names(&lab.get(&format!("{list}?svm.name=s1"))), ["default", "renamed"]);
}

#[test]
fn several_objects_are_made_at_once() {
    let mut lab = Lab::with_svm();
    let record = |name: &str| json!({ "name": name, "svm": { "name": "s1" }, "size": 1 << 30, "aggregates": [{ "name": "aggr1" }] });
    let answer = lab.ask("ontap", "POST", "/api/storage/volumes", &json!({ "records": [record("a"), record("b")] }));
    assert_eq!(answer.status, 202);
    let results = answer.body["job"]["_links"]["results"]["href"].as_str().unwrap().to_owned();
    lab.pass(5000);
    assert_eq!(names(&lab.get(&results)), ["a", "b"]);
}

#[test]
fn what_cannot_be_is_refused_with_ontaps_codes() {
    let mut lab = Lab::with_svm();
    let v1 = lab.volume("v1");
    let volumes = "/api/storage/volumes";
    let volume = |more: Value| {
        let mut body =
            json!({ "name": "x", "svm": { "name": "s1" }, "aggregates": [{ "name": "aggr1" }], "size": "1GB" });
        crate::path::merge(&mut body, &more);
        body
    };
    for (method, target, body, status, code) in [
        ("POST", volumes, json!({ "name": "x" }), 400, "2621707"),
        ("POST", volumes, json!({ "svm.name": "s1" }), 400, "2"),
        ("POST", volumes, volume(json!({ "svm": { "name": "nope" } })), 404, "2621462"),
        ("POST", volumes, volume(json!({ "aggregates": [] })), 400, "787140"),
        ("POST", volumes, volume(json!({ "aggregates": [{ "name": "nope" }] })), 404, "4"),
        ("POST", volumes, volume(json!({ "name": "v1" })), 409, "1"),
        ("POST", volumes, volume(json!({ "name": "1x" })), 400, "262197"),
        ("POST", volumes, volume(json!({ "size": "much" })), 400, "262197"),
        ("POST", volumes, volume(json!({ "size": 1 })), 400, "262197"),
        ("POST", volumes, volume(json!({ "guarantee": { "type": "some" } })), 400, "262197"),
        ("POST", "/api/svm/svms", json!({ "name": "s1" }), 409, "13434908"),
        ("POST", "/api/nowhere", json!({}), 404, "3"),
        ("PUT", volumes, json!({}), 405, "3"),
        ("POST", v1.as_str(), json!({}), 405, "3"),
        ("DELETE", "/api/cluster/nodes?name=*", json!({}), 405, "3"),
        ("DELETE", v1.as_str(), json!({}), 409, "8"),
        ("GET", "/api/storage/volumes?max_records=abc", json!({}), 400, "262197"),
        ("GET", "/api/storage/volumes?return_timeout=121", json!({}), 400, "262197"),
        ("GET", "/api/storage/volumes/nope", json!({}), 404, "4"),
        ("GET", "/api/storage/volumes/nope/snapshots", json!({}), 404, "4"),
    ] {
        let answer = lab.ask("ontap", method, target, &body);
        assert_eq!(answer.refusal(), (status, code), "{method} {target} {body}: {}", answer.body);
    }
}

#[test]
fn jobs_run_by_the_clock_and_are_gone_later() {
    let mut lab = Lab::with_svm();
    let body = json!({ "name": "j", "svm.name": "s1", "aggregates": [{ "name": "aggr1" }], "size": "1GB" });
    let answer = lab.ask("ontap", "POST", "/api/storage/volumes", &body);
    let (place, job) = (answer.header("location").to_owned(), answer.job().to_owned());
    assert_eq!((answer.status, &answer.body["records"]), (202, &Value::Null));
    let state = |lab: &mut Lab, millis| {
        lab.pass(millis);
        let state = lab.get(&format!("{job}?fields=state,message"))["state"].as_str().map(str::to_owned);
        (state.unwrap_or_default(), lab.ask("ontap", "GET", &place, &Value::Null).status)
    };
    let steps = [0, 300, 1000, 299_800].map(|millis| state(&mut lab, millis));
    let expected = [("queued", 404), ("running", 404), ("success", 200), ("success", 200)];
    assert_eq!(steps, expected.map(|(text, status)| (text.to_owned(), status)));
    lab.pass(1000);
    assert_eq!(lab.ask("ontap", "GET", &job, &Value::Null).refusal(), (404, "4"));
}

#[test]
fn a_client_may_wait_for_a_job() {
    let mut lab = Lab::with_svm();
    let body =
        |name: &str| json!({ "name": name, "svm.name": "s1", "aggregates": [{ "name": "aggr1" }], "size": "1GB" });
    let waited = lab.ask("ontap", "POST", "/api/storage/volumes?return_timeout=15&return_records=true", &body("w"));
    assert_eq!((waited.status, waited.delay_ms, &waited.body["records"][0]["state"]), (201, 1200, &json!("online")));
    let short = lab.ask("ontap", "POST", "/api/storage/volumes?return_timeout=1", &body("s"));
    assert_eq!((short.status, short.delay_ms), (202, 0));
}

#[test]
fn a_job_can_be_paused_resumed_and_cancelled() {
    let mut lab = Lab::with_svm();
    let body =
        |name: &str| json!({ "name": name, "svm.name": "s1", "aggregates": [{ "name": "aggr1" }], "size": "1GB" });
    let job = lab.ask("ontap", "POST", "/api/storage/volumes", &body("p")).job().to_owned();
    lab.ask("ontap", "PATCH", &format!("{job}?action=pause"), &json!({}));
    lab.pass(60_000);
    assert_eq!(lab.get(&job)["state"], "paused");
    lab.ask("ontap", "PATCH", &format!("{job}?action=resume"), &json!({}));
    lab.pass(1500);
    assert_eq!(lab.get(&job)["state"], "success");
    let job = lab.ask("ontap", "POST", "/api/storage/volumes", &body("c")).job().to_owned();
    lab.ask("ontap", "PATCH", &format!("{job}?action=cancel"), &json!({}));
    lab.pass(5000);
    assert_eq!(lab.get(&job)["state"], "failure");
    assert_eq!(lab.get("/api/storage/volumes?name=c")["num_records"], 0);
}
