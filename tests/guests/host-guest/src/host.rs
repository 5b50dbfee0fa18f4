//! Calls into the host, driven by the input.

use serde_json::{Value, json};

use crate::runner::plugin::{context, http, kv, log, random};

pub fn log(input: &Value) -> Value {
    let message = input["message"].as_str().unwrap_or("");
    let fields: Vec<(String, String)> = pairs(&input["fields"]);
    for _ in 0..input["lines"].as_u64().unwrap_or(1) {
        log::emit(log::Level::Warn, message, &fields);
    }
    Value::Null
}

pub fn context() -> Value {
    let attempt = context::current();
    json!({
        "execution": attempt.execution_id,
        "action": attempt.action,
        "number": attempt.number,
        "idempotency_key": attempt.idempotency_key,
        "deadline_ms": attempt.deadline_ms,
        "trace_parent": attempt.trace_parent,
        "last_heartbeat": context::last_heartbeat(),
    })
}

pub fn heartbeat_until_cancelled() -> Value {
    let mut beats = 0_u64;
    while context::heartbeat("{}") {
        beats += 1;
    }
    Value::from(beats)
}

pub fn random(input: &Value) -> Value {
    let first = random::bytes(input["length"].as_u64().unwrap_or(16) as u32);
    let second = random::bytes(16);
    json!({ "length": first.len(), "differ": first != second })
}

pub fn kv(input: &Value) -> Value {
    let key = input["key"].as_str().unwrap_or("");
    let text = |name: &str| input.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let ttl = input["ttl"].as_u64();
    let answer = match input["op"].as_str().unwrap_or("") {
        "get" => kv::get(key).map(|value| json!(value)),
        "set" => kv::set(key, &text("value").unwrap_or_default(), ttl).map(|()| Value::Null),
        "delete" => kv::delete(key).map(Value::from),
        "swap" => kv::compare_and_swap(key, text("expected").as_deref(), text("value").as_deref(), ttl).map(Value::from),
        _ => kv::keys(key, input["limit"].as_u64().unwrap_or(100) as u32).map(Value::from),
    };
    match answer {
        Ok(value) => json!({ "ok": value }),
        Err(kv::KvError::Denied(text)) => json!({ "denied": text }),
        Err(kv::KvError::TooLarge(text)) => json!({ "too_large": text }),
        Err(kv::KvError::NotJson(text)) => json!({ "not_json": text }),
        Err(kv::KvError::Store(text)) => json!({ "store": text }),
    }
}

pub fn http(input: &Value) -> Value {
    match http::send(&request(input)) {
        Ok(response) => json!({
            "status": response.status,
            "headers": response.headers,
            "length": response.body.len(),
            "body": String::from_utf8_lossy(&response.body).chars().take(4096).collect::<String>(),
        }),
        Err(error) => json!({ "error": {
            "kind": format!("{:?}", error.kind),
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "retryable": error.retryable,
        }}),
    }
}

/// A request that says for which step it is made, so that a server can count what it is asked for. Any answer but 200 is
/// a failure.
pub fn count(input: &Value) -> Result<Value, crate::Failure> {
    let mut request = request(input);
    request.method = "POST".to_owned();
    request.headers.push(("idempotency-key".to_owned(), context::current().idempotency_key));
    match http::send(&request) {
        Ok(response) if response.status == 200 => {
            Ok(json!({ "body": String::from_utf8_lossy(&response.body).into_owned() }))
        }
        Ok(response) => Err(crate::failure("refused", &format!("the server answered {}", response.status))),
        Err(error) => Err(crate::failure(&error.code, &error.message)),
    }
}

fn request(input: &Value) -> http::Request {
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    http::Request {
        target: match text("url") {
            Some(url) => http::Target::Url(url),
            None => http::Target::Connection(http::ConnectionTarget {
                name: text("connection").unwrap_or_default(),
                path: text("path").unwrap_or_default(),
            }),
        },
        method: text("method").unwrap_or_else(|| "GET".to_owned()),
        query: pairs(&input["query"]),
        headers: pairs(&input["headers"]),
        body: text("body")
            .map(String::into_bytes)
            .or_else(|| input["body_bytes"].as_u64().map(|length| vec![b'x'; length as usize])),
        timeout_ms: input["timeout_ms"].as_u64().map(|ms| ms as u32),
        effect: match input["effect"].as_str() {
            Some("read") => Some(http::Effect::Read),
            Some("create") => Some(http::Effect::Create),
            Some("update") => Some(http::Effect::Update),
            Some("delete") => Some(http::Effect::Delete),
            _ => None,
        },
    }
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()));
    value.as_array().map(|list| list.iter().filter_map(pair).collect()).unwrap_or_default()
}
