//! Traces, as a collector gets them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Ready, ready};
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Held;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

use super::kit::{Daemon, until};
use crate::kit::Place;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Takes traces, and keeps what came.
#[derive(Clone, Default)]
struct Collector(Arc<std::sync::Mutex<Vec<(HeaderMap, Bytes)>>>);

impl Collector {
    /// One on a free port, and where it is.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let router = Router::new().route("/v1/traces", post(Self::take)).with_state(collector.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (collector, url)
    }

    fn take(State(collector): State<Self>, headers: HeaderMap, body: Bytes) -> Ready<StatusCode> {
        collector.0.lock().unwrap().push((headers, body));
        ready(StatusCode::OK)
    }

    fn spans(&self) -> Vec<Span> {
        let bodies: Vec<_> = self.0.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
        let requests = bodies.into_iter().map(|body| ExportTraceServiceRequest::decode(body).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// The spans of an execution and of all below it, once they are there.
    async fn of(&self, id: &str) -> Vec<Span> {
        until("the trace", async || {
            let spans = self.spans();
            let root = spans.iter().find(|span| text(span, "runner.execution_id") == id)?.span_id.clone();
            let mut below = vec![root];
            let mut found = Vec::new();
            while let Some(parent) = below.pop() {
                found.extend(spans.iter().filter(|span| span.span_id == parent).cloned());
                below
                    .extend(spans.iter().filter(|span| span.parent_span_id == parent).map(|span| span.span_id.clone()));
            }
            (found.len() == spans.iter().filter(|span| span.trace_id == found[0].trace_id).count()).then_some(found)
        })
        .await
    }
}

fn text(span: &Span, key: &str) -> String {
    let value = span.attributes.iter().find(|one| one.key == key).and_then(|one| one.value.clone()?.value);
    match value {
        Some(Held::StringValue(text)) => text,
        Some(Held::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// A line for each span, below its parent, in the order of their begin.
fn tree(spans: &[Span], parent: &[u8], depth: usize) -> Vec<String> {
    let mut here: Vec<_> = spans.iter().filter(|span| span.parent_span_id == parent).collect();
    let number = |span: &Span, key: &str| text(span, key).parse::<i64>().unwrap_or_default();
    here.sort_by_key(|span| (number(span, "runner.step"), number(span, "runner.item"), number(span, "runner.attempt")));
    let lines = here.into_iter().flat_map(|span| {
        let keys = ["runner.action", "runner.item", "runner.attempt", "runner.status", "runner.outcome", "error.type"];
        let said: Vec<_> = keys.iter().map(|key| text(span, key)).filter(|text| !text.is_empty()).collect();
        let line = format!("{}{}: {}", "  ".repeat(depth), span.name, said.join(" "));
        [line].into_iter().chain(tree(spans, &span.span_id, depth + 1))
    });
    lines.collect()
}

fn place() -> Place {
    let place = Place::new();
    place.write("packs/t/pack.yaml", "ref: t\nversion: 1.2.3\n");
    place.write(
        "packs/t/workflows/outer.yaml",
        "name: outer\nparameters: {word: {type: string, secret: true, default: sesame}}\n\
         tasks:\n  flaky:\n    action: core.fail\n    input: {code: nope}\n    retry: {count: 1, delay: 0}\n    \
         next:\n      - when: <% failed() %>\n        do: each\n  \
         each:\n    with: <% [1, 2] %>\n    action: core.echo\n    input: {message: same}\n    \
         next:\n      - do: inner\n  \
         inner:\n    action: t.inner\n    input: {word: <% ctx(\"word\") %>}\n    next:\n      - do: never\n  \
         never:\n    if: <% false %>\n    action: core.noop\n",
    );
    place.write(
        "packs/t/workflows/inner.yaml",
        "name: inner\nparameters: {word: {type: string, secret: true}}\n\
         tasks:\n  say:\n    action: core.echo\n    input: {message: <% ctx(\"word\") %>}\n    next:\n      - do: wait\n  \
         wait:\n    action: core.wait_for\n    input: {key: go}\n",
    );
    place
}

fn start(place: &Place, endpoint: &str) -> Daemon {
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20let-me-in");
    Daemon::of(command, place)
}

const TREE: &str = "\
t.outer: t.outer succeeded
  flaky: core.fail failed nope
    attempt: 1 failed nope
    attempt: 2 failed nope
  each: core.echo succeeded
    item: 0 succeeded
      attempt: 1 succeeded
    item: 1 succeeded
      attempt: 1 succeeded
  inner: t.inner succeeded
    attempt: 1 succeeded
      t.inner: t.inner succeeded
        say: core.echo succeeded
          attempt: 1 succeeded
        wait: core.wait_for succeeded
          attempt: 1 succeeded
  never: skipped";

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_one_trace_also_if_the_process_was_killed_meanwhile() {
    let (collector, url) = Collector::start().await;
    let place = place();
    let daemon = start(&place, &url);
    let request = daemon.client.post(daemon.at("/api/v1/executions")).json(&json!({ "action": "t.outer" }));
    let begun = request.header("traceparent", format!("00-{TRACE}-{SPAN}-01")).send().await.unwrap();
    let begun: Value = begun.json().await.unwrap();
    let id = begun["id"].as_str().unwrap_or_else(|| panic!("{begun}"));
    until("the wait", async || {
        let list = daemon.get(&format!("/api/v1/executions?parent={id}&status=pending")).await;
        (!list["items"].as_array()?.is_empty()).then_some(())
    })
    .await;
    assert_eq!(collector.spans().len(), 0, "nothing has ended");
    daemon.signal("KILL");
    daemon.ended();
    let daemon = start(&place, &url);
    let (status, sent) = daemon.post("/api/v1/events", &json!({ "key": "go" })).await;
    assert_eq!(status / 100, 2, "{sent}");

    let spans = collector.of(id).await;
    assert_eq!(tree(&spans, &hex(SPAN), 0).join("\n"), TREE);
    let ids: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span)).collect();
    assert_eq!(ids.len(), spans.len(), "every span has its own id");
    for span in &spans {
        assert_eq!(span.trace_id, hex(TRACE));
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        if let Some(parent) = ids.get(&span.parent_span_id) {
            let within = parent.start_time_unix_nano <= span.start_time_unix_nano
                && span.end_time_unix_nano <= parent.end_time_unix_nano;
            assert!(within, "{span:?} is not within {parent:?}");
        }
    }
    let execution = daemon.get(&format!("/api/v1/executions/{id}")).await;
    assert_eq!(execution["status"], "succeeded");
    let root = spans.iter().find(|span| text(span, "runner.execution_id") == id).unwrap();
    assert_eq!(text(root, "runner.pack.version"), "1.2.3");
    assert_eq!(root.start_time_unix_nano / 1_000_000, millis(&execution["created_at"]));
    assert_eq!(root.end_time_unix_nano / 1_000_000, millis(&execution["finished_at"]));
    for (headers, body) in collector.0.lock().unwrap().iter() {
        assert_eq!(headers["authorization"], "Bearer let-me-in");
        assert_eq!(headers["content-type"], "application/x-protobuf");
        assert!(!body.windows(6).any(|bytes| bytes == b"sesame"), "a secret was sent");
    }
    assert_eq!(daemon.stop().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_nobody_gave_a_trace_is_one_and_what_is_not_sampled_is_not_sent() {
    let (collector, url) = Collector::start().await;
    let place = place();
    let daemon = start(&place, &url);
    let body = json!({ "action": "core.noop" });
    let request = daemon.client.post(daemon.at("/api/v1/executions?wait=60s")).json(&body);
    let unsampled = request.header("traceparent", format!("00-{TRACE}-{SPAN}-00")).send().await.unwrap();
    assert_eq!(unsampled.status(), 200);
    let execution = daemon.run("core.noop", json!({})).await;
    let id = execution["id"].as_str().unwrap();
    let spans = collector.of(id).await;
    assert!(spans.iter().all(|span| span.trace_id == hex(&id.replace('-', ""))), "{spans:?}");
    assert_eq!(daemon.stop().code(), Some(0));
    let traces: BTreeSet<_> = collector.spans().into_iter().map(|span| span.trace_id).collect();
    assert!(!traces.contains(&hex(TRACE)), "it was not sampled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_does_not_fit_into_one_request_comes_whole_in_several() {
    let (collector, url) = Collector::start().await;
    let place = place();
    place.write(
        "packs/t/workflows/many.yaml",
        "name: many\ntasks:\n  each:\n    with: <% range(300) %>\n    action: core.noop\n",
    );
    let daemon = start(&place, &url);
    let execution = daemon.run("t.many", json!({})).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    let all = 1 + 1 + 300 * 2; // the execution, its step, and for each item itself and its attempt
    let spans = until("the trace", async || Some(collector.spans()).filter(|spans| spans.len() >= all)).await;
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!((spans.len(), ids.len()), (all, all));
    assert_eq!(collector.0.lock().unwrap().len(), 2, "512 in a request");
    assert_eq!(daemon.stop().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_is_said_once_and_stops_nobody() {
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let place = place();
    let daemon = start(&place, &format!("http://{nowhere}"));
    for _ in 0..5 {
        daemon.run("core.echo", json!({ "message": "hello" })).await;
    }
    let log = || std::fs::read_to_string(place.path("daemon.log")).unwrap();
    until("the warning", async || log().contains("traces cannot be sent").then_some(())).await;
    daemon.run("core.echo", json!({ "message": "hello" })).await;
    assert_eq!(daemon.stop().code(), Some(0));
    assert_eq!(log().matches("WARN").count(), 1, "{}", log());
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn millis(at: &Value) -> u64 {
    at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond().try_into().unwrap()
}
