//! An action that sends one request with `wasi:http`, as its input says, and returns what came of it.

wit_bindgen::generate!({
    world: "demo:web/sending",
    path: ["../../../../wit/0.1.0", "wit"],
    generate_all,
});

use serde_json::{Value, json};
use wasi::http::outgoing_handler::handle;
use wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasi::io::streams::StreamError;

struct Sending;

/// What one call reads or writes.
const CHUNK_BYTES: usize = 4096;

impl Guest for Sending {
    fn run(action: String, input: String) -> Result<String, Failure> {
        let input: Value = serde_json::from_str(&input).map_err(|e| failure("bad-input", &e.to_string()))?;
        match action.as_str() {
            "send" => Ok(send(&input).unwrap_or_else(|error| json!({ "error": error })).to_string()),
            "hold_fields" => hold_fields(),
            "large_fields" => large_fields(),
            "ask_forever" => loop {
                drop(Fields::new());
            },
            other => Err(failure("unknown-action", other)),
        }
    }
}

fn send(input: &Value) -> Result<Value, String> {
    let request = request(input)?;
    let options = input["timeout_ms"].as_u64().map(|ms| {
        let options = RequestOptions::new();
        options.set_first_byte_timeout(Some(ms * 1_000_000)).ok();
        options
    });
    let body = request.body().map_err(|()| "the body is gone")?;
    let future = handle(request, options).map_err(|error| said(&error))?;
    let written = write(body, input["body_bytes"].as_u64().unwrap_or(0), input["body"].as_str().unwrap_or(""));
    future.subscribe().block();
    let response = future.get().ok_or("it did not come")?.map_err(|()| "it was taken")?;
    let response = response.map_err(|error| said(&error))?;
    written?;
    Ok(received(&response))
}

fn request(input: &Value) -> Result<OutgoingRequest, String> {
    let headers = Fields::new();
    for (name, value) in input["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or("").as_bytes();
        headers.append(name, value).map_err(|error| format!("header: {error:?}"))?;
    }
    let request = OutgoingRequest::new(headers);
    let method = match input["method"].as_str().unwrap_or("GET") {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        other => Method::Other(other.to_owned()),
    };
    request.set_method(&method).map_err(|()| "method")?;
    let scheme = if input["scheme"] == "http" { Scheme::Http } else { Scheme::Https };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request.set_authority(input["authority"].as_str()).map_err(|()| "authority")?;
    request.set_path_with_query(input["path"].as_str()).map_err(|()| "path")?;
    Ok(request)
}

fn write(body: OutgoingBody, bytes: u64, text: &str) -> Result<(), String> {
    let stream = body.write().map_err(|()| "the body was taken")?;
    let put = |chunk: &[u8]| stream.blocking_write_and_flush(chunk).map_err(|error| format!("write: {error:?}"));
    if !text.is_empty() {
        put(text.as_bytes())?;
    }
    let mut left = bytes as usize;
    while left > 0 {
        let now = left.min(CHUNK_BYTES);
        put(&[b'x'; CHUNK_BYTES][..now])?;
        left -= now;
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|error| said(&error))
}

fn received(response: &IncomingResponse) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let entries = response.headers().entries();
    let headers: serde_json::Map<_, _> = entries.into_iter().map(|(name, value)| (name, text(&value).into())).collect();
    let mut body = Vec::new();
    if let Ok(incoming) = response.consume()
        && let Ok(stream) = incoming.stream()
    {
        loop {
            match stream.blocking_read(CHUNK_BYTES as u64) {
                Ok(bytes) => body.extend(bytes),
                Err(StreamError::Closed) => break,
                Err(error) => return json!({ "error": format!("read: {error:?}") }),
            }
        }
    }
    json!({ "status": response.status(), "headers": headers, "body": text(&body) })
}

/// More resources at the same time than any program needs.
fn hold_fields() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(Fields::new());
    }
}

/// One that grows without end.
fn large_fields() -> ! {
    let fields = Fields::new();
    loop {
        fields.append("x-more", &[b'x'; 1024]).ok();
    }
}

fn said(error: &ErrorCode) -> String {
    format!("{error:?}")
}

fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned(), details: None, retryable: false }
}

export!(Sending);
