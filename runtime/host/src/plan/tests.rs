//! What a plan answers, and what it lists.

use serde_json::{Value, json};

use super::*;
use crate::traffic::Origin;

fn ask(method: &str, path: &str, body: &Value) -> Ask {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Ask {
        origin: Origin { action: "demo.act".to_owned(), key: "x/1".to_owned() },
        target: "box".to_owned(),
        kind: "storage".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: Vec::new(),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    }
}

fn answered(planner: &Planner, path: &str) -> Option<(u16, Value)> {
    match planner.reading(&ask("GET", path, &Value::Null)) {
        Reading::Answered(response) => {
            Some((response.status, serde_json::from_slice(&response.body).unwrap_or_default()))
        }
        Reading::Asked => None,
    }
}

fn listed(planner: &Planner, path: &str, records: &Value) -> Value {
    let body = json!({ "records": records, "num_records": 9 }).to_string().into_bytes();
    let response = HttpResponse { status: 200, headers: Vec::new(), body };
    serde_json::from_slice(&planner.completed(&ask("GET", path, &Value::Null), response).body).unwrap()
}

fn made(planner: &Planner, path: &str, body: &Value) -> String {
    let response = planner.stopped(&ask("POST", path, body), Effect::Create, None);
    assert_eq!(response.status, 201);
    response.headers.iter().find(|(name, _)| name == "location").unwrap().1.clone()
}

#[test]
fn what_is_planned_to_be_made_is_found_by_its_place_and_by_its_name() {
    let planner = Planner::default();
    let place = made(&planner, "/volumes", &json!({ "name": "vol_a", "svm": { "name": "svm1" }, "size": 5 }));
    let (status, found) = answered(&planner, &place).unwrap();
    assert_eq!((status, &found["name"], place.rsplit('/').next()), (200, &json!("vol_a"), found["uuid"].as_str()));
    let other = json!([{ "name": "vol_b", "uuid": "u" }]);
    for (query, count) in [("name=vol_a", 2), ("name=vol_c", 1), ("svm.name=svm1&fields=size", 2), ("svm.name=svm2", 1)]
    {
        let list = listed(&planner, &format!("/volumes?{query}"), &other);
        assert_eq!(
            (list["records"].as_array().unwrap().len(), &list["num_records"]),
            (count, &json!(count)),
            "{query}"
        );
    }
    assert_eq!(listed(&planner, "/aggregates", &other)["num_records"], 9, "another collection is left alone");
    // The system knows nothing below it, and is not asked.
    made(&planner, &format!("{place}/snapshots"), &json!({ "name": "daily" }));
    let (_, below) = answered(&planner, &format!("{place}/snapshots?name=daily")).unwrap();
    assert_eq!(below["num_records"], 1);
    assert!(answered(&planner, "/volumes/u").is_none(), "what is not planned is asked for");
}

#[test]
fn a_change_says_what_differs_and_is_found_done() {
    let planner = Planner::default();
    let now = json!({ "name": "vol_b", "size": 5, "nas": { "path": "/b", "export_policy": "default" } });
    let change = json!({ "size": 7, "nas": { "path": "/b" }, "nas.export_policy": "strict" });
    planner.stopped(&ask("PATCH", "/volumes/u", &change), Effect::Update, Some(now));
    let changes = planner.changes();
    let differences: Vec<_> =
        changes[0].differences.iter().map(|one| (one.path.as_str(), one.before.clone())).collect();
    assert_eq!(differences, [("nas.export_policy", Some(json!("default"))), ("size", Some(json!(5)))]);
    assert_eq!((changes[0].kind, changes[0].name.as_str()), (ChangeKind::Changed, "vol_b"));
    assert_eq!(answered(&planner, "/volumes/u").unwrap().1["size"], 7);
    assert_eq!(
        listed(&planner, "/volumes", &json!([{ "name": "vol_b", "uuid": "u", "size": 5 }]))["records"][0]["size"],
        7
    );
    assert_eq!(planner.before(&ask("PATCH", "/volumes/u", &change)).unwrap().unwrap()["size"], 7);
}

#[test]
fn what_is_planned_to_be_deleted_is_not_found() {
    let planner = Planner::default();
    planner.stopped(&ask("DELETE", "/volumes/u/", &Value::Null), Effect::Delete, Some(json!({ "name": "vol_b" })));
    assert_eq!(answered(&planner, "/volumes/u").unwrap().0, 404);
    assert_eq!(answered(&planner, "/volumes/u/snapshots").unwrap().0, 404);
    let list =
        listed(&planner, "/volumes", &json!([{ "name": "vol_b", "uuid": "u" }, { "name": "vol_c", "uuid": "v" }]));
    assert_eq!((list["records"].as_array().unwrap().len(), &list["records"][0]["name"]), (1, &json!("vol_c")));
    assert_eq!((planner.changes()[0].kind, planner.changes()[0].name.as_str()), (ChangeKind::Deleted, "vol_b"));
}

#[test]
fn only_a_post_may_say_of_itself_that_it_reads() {
    for (method, effect, reads) in [
        ("GET", Effect::Read, true),
        ("POST", Effect::Read, true),
        ("DELETE", Effect::Read, false),
        ("PATCH", Effect::Read, false),
        ("GET", Effect::Create, false),
        ("POST", Effect::Create, false),
    ] {
        assert_eq!(Planner::reads(&ask(method, "/", &Value::Null), effect), reads, "{method}");
    }
}

#[test]
fn no_secret_is_shown() {
    let planner = Planner::default();
    let body =
        json!({ "name": "peer", "authentication": { "passphrase": "c4n4ry-phrase" }, "note": "is c4n4ry-phrase" });
    made(&planner, "/peers", &body);
    let shown = format!("{:?} {}", planner.changes(), serde_json::to_string(&planner.changes()).unwrap());
    assert!(!shown.contains("c4n4ry") && shown.contains("is ***"), "{shown}");
}
