//! What is made, changed and deleted: by jobs, and through the gateway.

use super::*;

#[test]
fn an_svm_is_made_by_a_job_and_seen_after_the_next_acquisition() {
    let mut um = Um::new();
    um.ask("POST", "/simulator/rules", &json!({ "acquisition_ms": 60_000 }));
    let own = with_svm(&mut um);
    let path = format!("/api/v2/datacenter/svm/svms/{}", key(&own));
    assert_eq!(um.ask("GET", &path, &Value::Null).0, 404);
    um.pass(60);
    let svm = um.get(&path);
    assert_eq!(
        (&svm["name"], &svm["nfs"]["enabled"], &svm["cifs"]["enabled"]),
        (&json!("svm1"), &json!(true), &json!(false))
    );
}

#[test]
fn a_job_goes_from_initialized_over_running_to_completed() {
    let mut um = Um::new();
    let cluster = um.first("/api/v2/datacenter/cluster/clusters")["key"].clone();
    let body = json!({ "name": "svm1", "cluster": { "key": cluster } });
    let (_, answer) = um.ask("POST", "/api/v2/datacenter/svm/svms", &body);
    let path = format!("/api/v2/management-server/jobs/{}", key(&answer["job"]["key"]));
    let mut states = Vec::new();
    for _ in 0..6 {
        states.push(um.get(&path)["state"].as_str().unwrap().to_owned());
        um.pass(1);
    }
    states.dedup();
    assert_eq!(states, ["initialized", "running", "completed"]);
}

#[test]
fn what_is_made_through_unified_manager_is_seen_through_its_gateway_and_the_other_way_round() {
    let mut um = Um::new();
    let own = with_svm(&mut um);
    let (cluster, uuid) = (
        own.as_str().unwrap().split(':').next().unwrap().to_owned(),
        own.as_str().unwrap().rsplit('=').next().unwrap().to_owned(),
    );
    let svm = um.get(&format!("/api/v2/gateways/{cluster}/svm/svms/{uuid}"));
    assert_eq!(svm["name"], "svm1");
    let href = svm["_links"]["self"]["href"].as_str().unwrap().to_owned();
    assert!(href.starts_with(&format!("/api/gateways/{cluster}/svm/svms/")), "{href}");
    let policy = json!({ "name": "p1", "svm": { "uuid": uuid }, "rules": [{ "clients": [{ "match": "10.1.0.0/16" }], "ro_rule": ["sys"], "rw_rule": ["sys"] }] });
    assert_eq!(um.ask("POST", &format!("/api/v2/gateways/{cluster}/protocols/nfs/export-policies"), &policy).0, 201);
    um.pass(5);
    let seen = um.first("/api/v2/datacenter/protocols/nfs/export-policies?name=p1");
    assert_eq!((&seen["svm"]["key"], &seen["rules"][0]["clients"][0]["match"]), (&own, &json!("10.1.0.0/16")));
    assert_eq!(um.ask_as("storage_admin", "POST", &format!("/api/v2/gateways/{cluster}/svm/svms"), &json!({})).0, 403);
    assert_eq!(um.get("/api/v2/gateways")["records"][0]["uuid"], json!(cluster));
}

#[test]
fn a_share_takes_one_change_at_a_time_and_is_deleted() {
    let mut um = Um::new();
    let svm = with_svm(&mut um);
    um.pass(5);
    let level = um.first("/api/v2/storage-provider/performance-service-levels?name=Value")["key"].clone();
    let shares = "/api/v2/storage-provider/file-shares";
    let rules = json!([{ "clients": [{ "match": "0.0.0.0/0" }], "ro_rule": ["sys"], "rw_rule": ["kerberos5"] }]);
    let body = json!({ "name": "docs", "svm": { "key": svm }, "space": { "size": 53_687_091_200_u64 }, "performance_service_level": { "key": level },
        "access_control": { "export_policy": { "rules": rules, "name_tag": "docs_policy" } } });
    let job = um.job("POST", shares, &body);
    assert_eq!(job["status"], "normal", "{job}");
    let one = format!("{shares}/{}", key(&job["job_results"][0]["value"]));
    um.pass(5);
    let share = um.get(&one);
    assert_eq!(share["mountpoint"], "/docs");
    assert_eq!(share["access_control"]["export_policy"]["name"], "docs_policy");
    assert_eq!(share["assigned_performance_service_level"]["name"], "Value");
    assert_eq!(um.ask("PATCH", &one, &json!({ "name": "a", "mountpoint": "/a" })).0, 400);
    assert_eq!(um.job("PATCH", &one, &json!({ "space": { "size": 107_374_182_400_u64 } }))["status"], "normal");
    um.pass(5);
    assert_eq!(um.get(&one)["space"]["size"], 107_374_182_400_u64);
    assert_eq!(um.first("/api/v2/storage-provider/workloads?name=docs")["conformance_status"], "conforming");
    assert_eq!(um.job("DELETE", &one, &Value::Null)["status"], "normal");
    um.pass(5);
    assert_eq!(um.ask("GET", &one, &Value::Null).0, 404);
}

#[test]
fn a_lun_and_an_access_endpoint_are_made() {
    let mut um = Um::new();
    let svm = with_svm(&mut um);
    um.pass(5);
    let level = um.first("/api/v2/storage-provider/performance-service-levels?name=Performance")["key"].clone();
    let body = json!({ "name": "lun1", "svm": { "key": svm }, "os_type": "linux", "space": { "size": 10_737_418_240_u64 }, "performance_service_level": { "key": level } });
    let job = um.job("POST", "/api/v2/storage-provider/luns", &body);
    assert_eq!((&job["status"], &job["job_results"][0]["name"]), (&json!("normal"), &json!("lunKey")), "{job}");
    let body = json!({ "svm": { "key": svm }, "ip": { "address": "10.1.100.60", "netmask": "255.255.255.0" }, "data_protocols": ["nfs"] });
    let job = um.job("POST", "/api/v2/storage-provider/access-endpoints", &body);
    assert_eq!(
        (&job["status"], &job["job_results"][0]["name"]),
        (&json!("normal"), &json!("accessEndpointKey")),
        "{job}"
    );
    um.pass(5);
    assert_eq!(um.get("/api/v2/datacenter/network/ip/interfaces?ip.address=10.1.100.60")["num_records"], 1);
}

#[test]
fn a_job_fails_partly_or_wholly_or_is_forgotten_on_request() {
    for (kind, status, state) in
        [("job_failure", "error", 200), ("job_partial", "partial_failures", 200), ("job_gone", "", 404)]
    {
        let mut um = Um::new();
        um.ask("POST", "/simulator/faults", &json!({ "kind": kind, "message": "no licence" }));
        let cluster = um.first("/api/v2/datacenter/cluster/clusters")["key"].clone();
        let (_, answer) =
            um.ask("POST", "/api/v2/datacenter/svm/svms", &json!({ "name": "svm1", "cluster": { "key": cluster } }));
        um.pass(10);
        let (found, job) =
            um.ask("GET", &format!("/api/v2/management-server/jobs/{}", key(&answer["job"]["key"])), &Value::Null);
        assert_eq!(found, state, "{kind}");
        if found == 200 {
            assert_eq!(
                (job["status"].as_str(), job["task_reports"][0]["failure_reason"].as_str()),
                (Some(status), Some("no licence"))
            );
        }
        um.pass(10);
        let made = um.get("/api/v2/datacenter/svm/svms?name=svm1")["num_records"].clone();
        assert_eq!(made, json!(if kind == "job_failure" { 0 } else { 1 }), "{kind}");
    }
}

#[test]
fn what_ontap_refuses_is_the_jobs_failure() {
    let mut um = Um::new();
    with_svm(&mut um);
    um.pass(5);
    let cluster = um.first("/api/v2/datacenter/cluster/clusters?name=cluster1")["key"].clone();
    let job = um.job("POST", "/api/v2/datacenter/svm/svms", &json!({ "name": "svm1", "cluster": { "key": cluster } }));
    assert_eq!(job["status"], "error");
    assert!(job["task_reports"][0]["failure_reason"].as_str().unwrap().contains("svm1"), "{job}");
}

#[test]
fn events_are_acknowledged_and_assigned_and_levels_of_the_system_stay() {
    let mut um = Um::new();
    let event = um.first("/api/v2/management-server/events?current_state=new");
    let path = format!("/api/v2/management-server/events/{}", event["key"].as_str().unwrap());
    assert_eq!(um.ask("PATCH", &path, &json!({ "current_state": "acknowledged" })).1["acknowledged_username"], "admin");
    assert_eq!(um.ask("PATCH", &path, &json!({ "assigned": { "user": "ada" } })).1["assigned"]["user"], "ada");
    assert_eq!(um.ask("PATCH", &path, &json!({})).0, 400);
    let levels = "/api/v2/storage-provider/performance-service-levels";
    let system = um.first(levels);
    assert_eq!(um.ask("DELETE", &format!("{levels}/{}", key(&system["key"])), &Value::Null).0, 403);
    let body = json!({ "name": "gold", "iops": { "expected_iops_per_tb": 1000, "peak_iops_per_tb": 2000 }, "latency": { "expected": 2.0 } });
    let (status, gold) = um.ask("POST", levels, &body);
    assert_eq!((status, um.ask("POST", levels, &body).0), (201, 400));
    assert_eq!(um.ask("DELETE", &format!("{levels}/{}", key(&gold["key"])), &Value::Null).0, 200);
}

#[test]
fn a_further_cluster_is_watched_and_forgotten() {
    let mut um = Um::new();
    let sources = "/api/v2/admin/datasources/clusters";
    let body = json!({ "address": "cluster7", "username": "admin", "password": "secret" });
    let (status, source) = um.ask("POST", sources, &body);
    assert_eq!((status, source.to_string().contains("secret")), (201, false));
    assert_eq!(um.get("/api/v2/datacenter/cluster/clusters?name=cluster7")["num_records"], 1);
    assert_eq!(um.ask("DELETE", &format!("{sources}/{}", key(&source["key"])), &Value::Null).0, 200);
    assert_eq!(um.get("/api/v2/datacenter/cluster/clusters?name=cluster7")["num_records"], 0);
}

#[test]
fn a_data_source_shows_how_it_is_logged_in_to_but_not_the_password() {
    let mut um = Um::new();
    let sources = "/api/v2/admin/datasources/clusters";
    let body = |more: Value| {
        let mut body = json!({ "address": "cluster7", "username": "admin", "password": "hidden-away" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, target) in [
        (json!({ "port": 0 }), "port"),
        (json!({ "port": 65_536 }), "port"),
        (json!({ "protocol": "ftp" }), "protocol"),
        (json!({ "password": "" }), "password"),
    ] {
        let (status, answer) = um.ask("POST", sources, &body(more));
        assert_eq!((status, &answer["error"]["target"]), (400, &json!(target)));
    }
    assert_eq!(um.ask_as("storage_admin", "POST", sources, &body(json!({}))).0, 403);
    let (_, source) = um.ask("POST", sources, &body(json!({ "port": 8443, "protocol": "http" })));
    assert_eq!(
        (&source["port"], &source["protocol"], &source["username"]),
        (&json!(8443), &json!("http"), &json!("admin"))
    );
    assert_eq!(um.ask("POST", sources, &body(json!({}))).0, 400);
    let changed = json!({ "username": "reader", "password": "hidden-elsewhere" });
    let own = format!("{sources}/{}", key(&source["key"]));
    assert_eq!(um.ask("PATCH", &own, &changed).1["username"], "reader");
    let shown = um.get(&own);
    assert_eq!((&shown["username"], &shown["port"]), (&json!("reader"), &json!(8443)));
    assert!(!shown.to_string().contains("hidden"));
}

#[test]
fn the_roomiest_aggregate_is_placed_upon() {
    let mut um = Um::new();
    let body = json!({ "capacity": "1073741824" });
    let (status, best) = um.ask("POST", "/api/v2/storage-provider/data-placement", &body);
    assert_eq!((status, &best["state"]), (202, &json!("online")));
    assert_eq!(
        um.ask("POST", "/api/v2/storage-provider/data-placement", &json!({ "capacity": "99999999999999999" })).0,
        400
    );
}
