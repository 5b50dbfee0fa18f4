//! The document: whole, and true of what is answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kit::{Answer, Place};
use crate::{ask, begun, send};

/// Every operation: path, method, what the document says of it.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let of = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.flat_map(of).collect()
}

/// Holds an answer against what the document says of it.
pub(crate) fn hold(document: &Value, path: &str, method: &str, answer: &Answer) {
    let start: String = answer.text().chars().take(300).collect();
    let place = format!("{method} {path} {}: {start}", answer.status);
    let responses = &document["paths"][path][method.to_lowercase()]["responses"];
    let response = &responses[answer.status.to_string()];
    assert!(response.is_object(), "the document does not know {place}");
    let kind = answer.header("content-type").split(';').next().unwrap_or_default();
    let content = response["content"].get(kind);
    assert!(content.is_some(), "the document does not know `{kind}` of {place}");
    if kind.ends_with("json") {
        let mut schema = content.unwrap()["schema"].clone();
        schema["components"] = document["components"].clone();
        let errors: Vec<_> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&answer.json())
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:?} in {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reference_leads_somewhere_and_every_operation_has_a_rule() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let document = process.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document, process.api.openapi());
    let text = document.to_string();
    for part in text.split("\"$ref\":\"").skip(1) {
        let reference = part.split('"').next().unwrap();
        let found = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(found.is_some(), "{reference} leads nowhere");
    }
    let mut ids = BTreeMap::new();
    for (path, method, operation) in operations(&document) {
        assert!(operation["x-role"].is_string(), "{method} {path} has no rule");
        assert!(operation["summary"].is_string(), "{method} {path} is not described");
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert_eq!(ids.insert(id.clone(), path.clone()), None, "{id} stands twice");
        let named: Vec<_> = path.split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned()).collect();
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none);
        let described: Vec<_> = parameters
            .iter()
            .filter(|one| one["in"] == "path")
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(named, described, "{method} {path}");
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_has_a_path_of_its_own_with_its_parameters() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let document = process.get("/openapi.json").await.json();
    let path = "/api/v1/actions/h.good/executions";
    let operation = &document["paths"][path]["post"];
    assert_eq!(operation["operationId"], "run_h.good");
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["text"]["anyOf"][0]["type"], "string");
    let answer = send(&process, "POST", &format!("{path}?wait=20s"), None, &json!({"text": "hello"})).await;
    assert_eq!(answer.json()["result"]["said"], "hello");
    hold(&document, path, "post", &answer);
    let empty = ask(&process, "POST", path, None).await;
    assert_eq!(empty.status, 201, "{}", empty.text());
    let wrong = send(&process, "POST", path, None, &json!({"text": 5, "more": 1})).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.json()["mistakes"].as_array().unwrap().len(), 2);
    hold(&document, path, "post", &wrong);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_is_what_the_document_says() {
    let place = Place::with(&[]);
    let process = place.start().await;
    process.api.ready();
    let document = process.get("/openapi.json").await.json();
    let good = begun(&process, "h.good", json!({})).await;
    let bad = begun(&process, "h.bad", json!({})).await;
    let asks = begun(&process, "h.asks", json!({})).await;
    process.ended(&good).await;
    process.ended(&bad).await;
    crate::kit::eventually("a question is open", async || {
        let found = process.get("/inquiries").await.json()["items"].as_array().unwrap().len();
        (found == 1).then_some(())
    })
    .await;
    for (path, method, operation) in operations(&document) {
        let never_ends = path.ends_with("/stream") || path.ends_with("/events") && path.contains("{id}");
        if method != "get" || never_ends || path.contains("/webhooks/") {
            continue;
        }
        let ids: &[&str] = if path.contains("{id}") { &[&good, &bad, &asks, "nothing"] } else { &[""] };
        for id in ids {
            let real = path.replace("{id}", id).replace("{action}", "h.good").replace("{pack}", "core");
            let real = real.replace("{rule}", "h.none").replace("{ref}", "h.none").replace("{path}", "none");
            let answer = ask(&process, "GET", &real, None).await;
            assert!(answer.status < 500, "{real}: {}", answer.text());
            hold(&document, &path, "get", &answer);
        }
        let unknown = ask(&process, "GET", &format!("{path}?nonsense=1").replace(['{', '}'], ""), None).await;
        let has_query =
            operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
        if has_query {
            assert!([400, 404].contains(&unknown.status), "{path} takes any query: {}", unknown.status);
        }
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_what_there_is_stands_in_the_document() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let document = process.get("/openapi.json").await.json();
    let stale = json!({"digest": "0".repeat(64)});
    let answer = send(&process, "PUT", "/api/v1/packs/h/grant", None, &stale).await;
    assert_eq!(answer.refusal(), (409, "E-PACK-0033".to_owned()));
    hold(&document, "/api/v1/packs/{pack}/grant", "put", &answer);
    process.stop().await;
}
