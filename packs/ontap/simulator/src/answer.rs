//! Answers in HAL.

use runner_sdk::simulator::Reply;
use serde_json::Value;

/// An answer with a body.
pub(crate) fn hal(status: u16, body: &Value) -> Reply {
    Reply::body(status, "application/hal+json", body.to_string())
}

/// Takes away every `_links` but the `next` of the answer itself, as ONTAP does for `Accept: application/json`.
pub(crate) fn without_links(body: &mut Value) {
    let next = body.get("_links").and_then(|links| links.get("next")).cloned();
    strip(body);
    if let Some(next) = next {
        crate::path::set(body, "_links.next", next);
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("_links");
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
