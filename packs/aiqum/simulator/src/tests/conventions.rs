//! The manners of the API: logins, paths, keys, filters, pages, errors.

use super::*;

#[test]
fn nobody_is_answered_without_a_login_and_operators_only_read() {
    let mut um = Um::new();
    let reply = Host::new().inside(|| um.aiqum.handle(&Request::new("GET", "/api/v2/gateways")));
    assert!(matches!(reply.ending, Ending::Response { status: 401, .. }), "{reply:?}");
    let (clusters, svms) = ("/api/v2/datacenter/cluster/clusters", "/api/v2/datacenter/svm/svms");
    assert_eq!(um.ask_as("operator", "GET", clusters, &Value::Null).0, 200);
    assert_eq!(um.ask_as("operator", "POST", svms, &json!({})).0, 403);
}

#[test]
fn paths_work_with_and_without_a_version_and_keys_raw_and_encoded() {
    let mut um = Um::new();
    let cluster = um.first("/api/datacenter/cluster/clusters");
    let raw = cluster["key"].as_str().unwrap().to_owned();
    assert!(raw.contains(":type=cluster,uuid="), "{raw}");
    for path in [
        format!("/api/datacenter/cluster/clusters/{raw}"),
        format!("/api/v2/datacenter/cluster/clusters/{}", key(&cluster["key"])),
    ] {
        assert_eq!(um.get(&path)["name"], "cluster1");
    }
    let href = cluster["_links"]["self"]["href"].as_str().unwrap().to_owned();
    assert!(href.starts_with("/api/datacenter/"), "{href}");
    assert_eq!(um.get(&href)["key"], cluster["key"]);
}

#[test]
fn the_real_dialect_has_no_state_and_no_fields() {
    let cluster = Um::new().first("/api/v2/datacenter/cluster/clusters?fields=name");
    assert!(cluster.get("state").is_none() && cluster["nodes"][0]["health"] == true, "{cluster}");
    assert!(cluster["storage_capacity"]["available"].as_u64().unwrap() > 0);
}

#[test]
fn lists_are_filtered_ordered_and_paged() {
    let mut um = Um::new();
    let nodes = "/api/v2/datacenter/cluster/nodes";
    let page = um.get(&format!("{nodes}?order_by=name%20desc&max_records=3"));
    assert_eq!((&page["num_records"], &page["total_records"]), (&json!(3), &json!(4)));
    assert_eq!(page["records"][0]["name"], "cluster2-02");
    let next = page["_links"]["next"]["href"].as_str().unwrap().to_owned();
    let last = um.get(&next);
    assert_eq!((&last["records"][0]["name"], last["_links"].get("next")), (&json!("cluster1-01"), None));
    assert_eq!(um.get(&format!("{nodes}?name=*-01"))["num_records"], 2);
    assert_eq!(um.get(&format!("{nodes}?name=cluster1-01|cluster2-02"))["num_records"], 2);
    assert_eq!(um.ask("GET", &format!("{nodes}?name=cluster?"), &Value::Null).0, 400);
}

#[test]
fn errors_have_a_code_and_a_message() {
    let mut um = Um::new();
    for (method, path, body, status) in [
        ("GET", "/api/v2/datacenter/svm/svms/x", Value::Null, 404),
        ("GET", "/api/v2/nothing", Value::Null, 404),
        ("POST", "/api/v2/datacenter/svm/svms", json!({}), 400),
        ("POST", "/api/v2/datacenter/svm/svms", json!({ "name": "a", "cluster": { "key": "x" } }), 400),
        (
            "POST",
            "/api/v2/storage-provider/file-shares",
            json!({ "name": "a", "svm": { "key": "x" }, "space": { "size": 1 } }),
            400,
        ),
        // What the document asks for and there is not.
        ("POST", "/api/v2/datacenter/svm/svms/x/network/ip/interfaces", json!({}), 404),
        ("POST", "/api/v2/datacenter/svm/svms/x/export-policies", json!({}), 404),
    ] {
        let (found, answer) = um.ask(method, path, &body);
        assert_eq!(found, status, "{method} {path}: {answer}");
        assert!(answer["error"]["message"].is_string() && answer["error"]["code"].is_string(), "{answer}");
    }
}

#[test]
fn faults_come_on_request_and_requests_are_counted() {
    let mut um = Um::new();
    let fault = json!([{ "kind": "unavailable", "count": 2, "path": "/api/v2/datacenter/cluster" }, { "kind": "drop_before", "method": "POST" }]);
    assert_eq!(um.ask("POST", "/simulator/faults", &fault).0, 200);
    let clusters = "/api/v2/datacenter/cluster/clusters";
    let mut status = |method| um.ask(method, clusters, &Value::Null).0;
    assert_eq!([status("GET"), status("GET"), status("GET")], [503, 503, 200]);
    assert_eq!(um.ask("POST", "/api/v2/datacenter/svm/svms", &json!({})).0, 0);
    let requests = um.get("/simulator/requests");
    assert_eq!(requests["total"], 4);
    assert_eq!(requests["counts"][0], json!({ "method": "GET", "path": clusters, "status": 503, "count": 2 }));
    assert_eq!(um.ask("POST", "/simulator/reset", &Value::Null).0, 200);
    assert_eq!(um.get("/simulator/requests")["total"], 0);
}
