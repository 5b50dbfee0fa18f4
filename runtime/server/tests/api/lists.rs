//! Lists: pages, filters, order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::begun;
use crate::kit::{Place, Process};

/// Every page of a list, one after the other.
async fn pages(process: &Process, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = process.get(&format!("{path}{cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        pages.push(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_everything_once_whichever_way_they_are_read() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let made = futures::future::join_all((0..25).map(|_| begun(&process, "core.noop", json!({})))).await;
    let made: BTreeSet<_> = made.into_iter().collect();
    let ids = |pages: Vec<Vec<Value>>| -> Vec<String> {
        pages.into_iter().flatten().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let newest = pages(&process, "/executions?limit=10").await;
    assert_eq!(newest.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    let mut newest = ids(newest);
    assert!(newest.is_sorted_by(|a, b| a > b), "the newest come first");
    let oldest = ids(pages(&process, "/executions?limit=5&sort=oldest").await);
    newest.reverse();
    assert_eq!(newest, oldest);
    assert_eq!(oldest.into_iter().collect::<BTreeSet<_>>(), made);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_out_what_does_not_fit() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let good = begun(&process, "h.good", json!({})).await;
    let bad = begun(&process, "h.bad", json!({})).await;
    let asks = begun(&process, "h.asks", json!({})).await;
    process.ended(&good).await;
    process.ended(&bad).await;
    let found = async |query: &str| -> BTreeSet<String> {
        let answer = process.get(&format!("/executions?{query}")).await;
        let page = answer.json();
        assert_eq!(answer.status, 200, "{page}");
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    assert_eq!(found("status=failed").await, set(&[&bad]));
    assert_eq!(found("action=h.good").await, set(&[&good]));
    assert_eq!(found("open=true").await, set(&[&asks]));
    assert_eq!(found("open=false").await, set(&[&good, &bad]));
    assert_eq!(found("pack=core").await, set(&[]));
    assert_eq!(found("pack=h").await, set(&[&good, &bad, &asks]));
    assert_eq!(found("created_after=2999-01-01T00:00:00Z").await, set(&[]));
    assert_eq!(found("timestamp_lt=2999-01-01T00:00:00Z").await, set(&[&good, &bad, &asks]));
    assert_eq!(found(&format!("parent={good}")).await, set(&[]));
    assert_eq!(found("rule=h.none&root=false").await, set(&[]));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_and_actions_are_listed_by_name() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let all = pages(&process, "/actions?limit=2").await.into_iter().flatten();
    let names: Vec<_> = all.map(|action| action["ref"].as_str().unwrap().to_owned()).collect();
    assert!(names.is_sorted() && names.contains(&"h.good".to_owned()) && names.contains(&"core.noop".to_owned()));
    let one = process.get("/actions/h.good").await.json();
    assert_eq!((&one["runner_type"], &one["parameters"]["type"]), (&json!("workflow"), &json!("object")));
    let packs = process.get("/packs").await.json();
    let refs: Vec<_> = packs["items"].as_array().unwrap().iter().map(|pack| pack["ref"].as_str().unwrap()).collect();
    assert!(refs.is_sorted() && refs.contains(&"h") && refs.contains(&"core"), "{refs:?}");
    let pack = process.get("/packs/h").await.json();
    assert_eq!((&pack["version"], &pack["mistakes"]), (&json!("1.2.3"), &json!(0)));
    assert!(pack["actions"].as_array().unwrap().contains(&json!("h.good")));
    assert_eq!(process.get("/packs/none").await.status, 404);
    assert_eq!(process.get("/actions/none").await.status, 404);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_waited_for_is_one_list_with_filters_and_pages() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let asked = async |roles: Value| begun(&process, "core.ask", json!({"prompt": "Go on?", "roles": roles})).await;
    let (anybody, admin, operator) =
        (asked(json!([])).await, asked(json!(["admin"])).await, asked(json!(["operator"])).await);
    let event = begun(&process, "core.wait_for", json!({"key": "volume-7"})).await;
    let list = async |query: &str| -> Vec<String> {
        let all = pages(&process, &format!("/waits?limit=2{query}")).await;
        all.into_iter().flatten().map(|wait| wait["execution"].as_str().unwrap().to_owned()).collect()
    };
    crate::kit::eventually("all of them", async || (list("").await.len() == 4).then_some(())).await;
    let all = [&anybody, &admin, &operator, &event];
    let table: &[(&str, &[&String])] = &[
        ("", &all),
        ("&kind=inquiry", &all[..3]),
        ("&kind=event", &[&event]),
        ("&kind=outcome", &[]),
        ("&role=viewer", &[&anybody]),
        ("&role=operator", &[&anybody, &operator]),
        ("&role=admin", &all[..3]),
        (&format!("&execution={admin}"), &[&admin]),
        (&format!("&execution={event}&kind=inquiry"), &[]),
    ];
    for (query, expected) in table {
        assert_eq!(list(query).await.iter().collect::<Vec<_>>(), *expected, "{query}");
    }
    let wait = &process.get(&format!("/waits?execution={event}")).await.json()["items"][0];
    assert!(wait["command"].as_str().unwrap().starts_with("runner event send volume-7"), "{wait}");
    for wrong in ["kind=other", "role=nobody", "limit=0", "x=1"] {
        assert_eq!(process.get(&format!("/waits?{wrong}")).await.status, 400, "{wrong}");
    }
    assert_eq!(process.get("/waits?execution=00000000-0000-7000-8000-000000000000").await.status, 404);
    process.stop().await;
}
