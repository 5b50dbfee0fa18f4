//! The answer to a request that was stopped, and what is noted of it.

use serde_json::{Map, Value, json};

use super::change::{Change, ChangeKind, differences, name_of};
use super::overlay::{Overlay, merge, tidy};
use crate::egress::{Effect, HttpResponse};
use crate::traffic::Ask;

/// Members by which systems call what they made.
const KEYS: [&str; 3] = ["uuid", "id", "key"];

/// What a stopped request would change, and the answer that lets its sender go on.
pub(super) fn of(
    ask: &Ask,
    effect: Effect,
    before: Option<Value>,
    number: usize,
    overlay: &mut Overlay,
) -> (Change, HttpResponse) {
    let body: Option<Value> = serde_json::from_slice(&ask.body).ok();
    let written = body.clone().filter(Value::is_object).unwrap_or_else(|| json!({}));
    let mut change = Change {
        kind: ChangeKind::Changed,
        name: String::new(),
        target: ask.target.clone(),
        action: ask.origin.action.clone(),
        method: ask.method.clone(),
        path: ask.path.clone(),
        query: ask.query.clone(),
        body,
        differences: differences(before.as_ref(), &written),
    };
    let named = name_of(&written).or_else(|| before.as_ref().and_then(name_of));
    change.name = named.unwrap_or_else(|| ask.path.clone());
    let answer = match (ask.method.as_str(), effect) {
        ("DELETE", _) => {
            overlay.remove(&ask.target, &ask.path, before.as_ref());
            json!({})
        }
        ("POST", Effect::Create) => return created(change, ask, &written, number, overlay),
        ("PUT" | "PATCH", _) => {
            // What was not there and is written whole is made.
            let is_new = ask.method == "PUT" && before.is_none();
            if is_new {
                change.kind = ChangeKind::Created;
            }
            let mut after = before.filter(|_| ask.method == "PATCH").unwrap_or_else(|| json!({}));
            merge(&mut after, &written);
            overlay.put(&ask.target, &ask.path, after.clone(), is_new);
            after
        }
        _ => written,
    };
    match effect {
        Effect::Delete => (change.kind, change.differences) = (ChangeKind::Deleted, Vec::new()),
        Effect::Create => change.kind = ChangeKind::Created,
        _ => {}
    }
    (change, json_response(200, &answer, false))
}

/// Something new: it is found under a made-up key from now on.
fn created(
    mut change: Change,
    ask: &Ask,
    written: &Value,
    number: usize,
    overlay: &mut Overlay,
) -> (Change, HttpResponse) {
    change.kind = ChangeKind::Created;
    let mut made = written.as_object().cloned().unwrap_or_default();
    let key =
        KEYS.iter().find_map(|key| made.get(*key)?.as_str().map(str::to_owned)).unwrap_or_else(|| made_up(number));
    // Which of them the system has is not known, and its sender looks for one.
    for name in KEYS {
        made.entry(name).or_insert_with(|| key.clone().into());
    }
    let place = format!("{}/{key}", tidy(&ask.path));
    let made = Value::Object(made);
    overlay.put(&ask.target, &place, made.clone(), true);
    // Some systems give the thing itself, others a list of what was made.
    let mut answer: Map<String, Value> = made.as_object().cloned().unwrap_or_default();
    answer.entry("records").or_insert_with(|| json!([made]));
    answer.entry("num_records").or_insert_with(|| 1.into());
    let mut response = json_response(201, &Value::Object(answer), false);
    response.headers.push(("location".to_owned(), place));
    (change, response)
}

/// A key that no system gives, and that says so to a reader.
fn made_up(number: usize) -> String {
    format!("00000000-0000-4000-8000-{:012x}", number + 1)
}

/// A JSON response; without its body, if only the head was asked for.
pub(super) fn json(status: u16, value: &Value, is_head: bool) -> HttpResponse {
    json_response(status, value, is_head)
}

fn json_response(status: u16, value: &Value, is_head: bool) -> HttpResponse {
    let body = if is_head { Vec::new() } else { value.to_string().into_bytes() };
    HttpResponse { status, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body }
}

/// What is planned to be deleted.
pub(super) fn gone(path: &str) -> HttpResponse {
    let message = format!("{path} is planned to be deleted");
    json_response(404, &json!({ "error": { "code": "404", "message": message } }), false)
}
