//! Streams: what happens, as it happens, without gaps and repeats.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Answer, Place, Process};
use crate::{begun, request};

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    kind: String,
    id: Option<String>,
    data: Value,
}

/// What came so far, and the connection.
struct Stream {
    response: reqwest::Response,
    buffer: String,
}

impl Stream {
    async fn open(process: &Process, path: &str, last: Option<&str>) -> Self {
        let mut request = request(process, "GET", &format!("/api/v1{path}"), None);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(Duration::from_secs(30), self.read()).await.expect("nothing came")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(kind) = field("event: ") {
                    let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                    return Some(Event { kind, id: field("id: "), data });
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.buffer.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_followed_from_its_request_to_its_end() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let id = begun(&process, "h.asks", json!({})).await;
    let mut stream = Stream::open(&process, &format!("/executions/{id}/events"), None).await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|event: &Event| event.kind != "wait_opened") {
        seen.push(stream.next().await.unwrap());
    }
    let answer = json!({"answer": {"approved": true}});
    let answer = process.post(&format!("/executions/{id}/respond"), &answer).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    seen.extend(stream.rest().await);
    let end = seen.pop().unwrap();
    assert_eq!((end.kind.as_str(), end.id), ("end", None));
    let journal = process.get(&format!("/executions/{id}/journal")).await.json();
    let facts: Vec<_> = seen.iter().map(|event| event.data.clone()).collect();
    assert_eq!(journal["entries"], Value::Array(facts));
    let ids: Vec<_> = seen.iter().map(|event| event.id.clone().unwrap()).collect();
    assert_eq!(ids, (1..=seen.len()).map(|n| n.to_string()).collect::<Vec<_>>());
    for (count, last) in ids.iter().enumerate() {
        let path = format!("/executions/{id}/events");
        let again = Stream::open(&process, &path, Some(last)).await.rest().await;
        assert_eq!(again[..again.len() - 1], seen[count + 1..], "after {last}");
        assert_eq!(again.last().unwrap().kind, "end");
    }
    let beyond = Stream::open(&process, &format!("/executions/{id}/events"), Some("999")).await.rest().await;
    assert_eq!(beyond.len(), seen.len() + 1, "who has seen more than there is begins again");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_executions_are_followed_and_those_that_do_not_fit_left_out() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let mut all = Stream::open(&process, "/stream", None).await;
    let mut failed = Stream::open(&process, "/stream?status=failed", None).await;
    let good = begun(&process, "h.good", json!({})).await;
    process.ended(&good).await;
    let bad = begun(&process, "h.bad", json!({})).await;
    let mut statuses = Vec::new();
    loop {
        let event = all.next().await.unwrap();
        assert_eq!(event.kind, "execution");
        statuses
            .push((event.data["id"].as_str().unwrap().to_owned(), event.data["status"].as_str().unwrap().to_owned()));
        if statuses.last().unwrap().1 == "failed" {
            break;
        }
    }
    assert!(statuses.contains(&(good, "succeeded".to_owned())) && statuses.last().unwrap().0 == bad);
    assert_eq!(failed.next().await.unwrap().data["id"], bad);
    process.api.drain();
    assert_eq!(failed.rest().await, [], "it ends when the process does");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_what_is_not_there_is_a_problem() {
    let place = Place::with(&[]);
    let process = place.start().await;
    let answer = process.get("/executions/00000000-0000-7000-8000-000000000000/events").await;
    assert_eq!(answer.refusal(), (404, "E-STORE-0006".to_owned()));
    assert_eq!(Answer::of(process.request("GET", "/stream?status=gone")).await.status, 400);
    process.stop().await;
}
