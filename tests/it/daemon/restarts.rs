//! Restarts under load: who asks is served or told to come again, and nothing is lost or done twice.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::kit::{Daemon, until};
use crate::kit::Place;

const RESTARTS: usize = 20;
const CLIENTS: usize = 4;

/// What one client was answered.
#[derive(Default)]
struct Answered {
    /// The execution made for each of its keys.
    made: BTreeMap<String, String>,
    /// How often it was told to come again.
    later: usize,
}

/// Asks for executions, each until it is accepted, as long as `going`.
async fn ask(url: String, client: reqwest::Client, number: usize, going: Arc<AtomicBool>) -> Answered {
    let mut answered = Answered::default();
    let mut n = 0;
    while going.load(Ordering::Relaxed) {
        let key = format!("{number}-{n}");
        let body = json!({ "action": "core.echo", "parameters": { "message": key } });
        let request = client.post(format!("{url}/api/v1/executions")).header("idempotency-key", &key).json(&body);
        let response = request.send().await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
        match response.status().as_u16() {
            201 => {
                let execution: Value = response.json().await.unwrap();
                answered.made.insert(key, execution["id"].as_str().unwrap().to_owned());
                n += 1;
            }
            503 => {
                assert!(response.headers().contains_key("retry-after"), "{response:?}");
                answered.later += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => panic!("{key}: {other} {}", response.text().await.unwrap()),
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_restarts_under_load_fail_nobody_and_lose_and_double_nothing() {
    let place = Place::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut daemon = Daemon::on(&place, &socket, &["--grace", "10"]);
    let going = Arc::new(AtomicBool::new(true));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(ask(daemon.url.clone(), daemon.client.clone(), number, going.clone())))
        .collect();
    for _ in 0..RESTARTS {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(daemon.stop().code(), Some(0));
        daemon = Daemon::on(&place, &socket, &["--grace", "10"]);
    }
    going.store(false, Ordering::Relaxed);
    let mut made = BTreeMap::new();
    for client in clients {
        made.extend(client.await.unwrap().made);
    }
    assert!(made.len() > RESTARTS, "there was load: {}", made.len());
    for (key, id) in &made {
        let path = format!("/api/v1/executions/{id}");
        let execution = until("the end", async || {
            let execution = daemon.get(&path).await;
            (execution["status"] == "succeeded").then_some(execution)
        });
        assert_eq!(execution.await["parameters"]["message"], **key);
    }
    let count = daemon.client.get(daemon.at("/api/v1/executions?count=true&limit=1")).send().await.unwrap();
    let count = count.headers()["x-total-count"].to_str().unwrap().parse::<usize>().unwrap();
    assert_eq!(count, made.len(), "one execution for each that was accepted");
    assert_eq!(daemon.stop().code(), Some(0));
}
