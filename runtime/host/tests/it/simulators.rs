//! Simulated systems: the same door, the same limits, the same errors.

use runner_host::{Connections, SimulatorEnding, SimulatorRequest};
use runner_model::{ConnectionName, Permissions, code};
use serde_json::{Value, json};

use super::kit::{actions, host, http, limits, pack, simulators};

async fn simulated() -> Connections {
    let name = ConnectionName::new("box").unwrap();
    let simulator = host().simulator(simulators().await, name.clone());
    Connections::none(&limits()).with_simulator(name, "storage", simulator)
}

async fn ask(connections: &Connections, request: Value) -> Value {
    let mut whole = json!({ "connection": "box" });
    whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    http(pack(connections.clone()), whole).await
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap_or("null")).unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_simulator_sees_the_request_and_keeps_its_state() {
    let connections = simulated().await;
    let request = json!({
        "path": "/api/a b", "method": "POST", "query": [["q", "x y+z"]], "headers": [["X-A", "1"]], "body": "hi",
    });
    let answer = ask(&connections, request).await;
    assert_eq!(answer["headers"], json!([["content-type", "application/json"]]));
    let seen = body(&answer);
    assert_eq!((&seen["count"], &seen["connection"], &seen["method"]), (&json!(1), &json!("box"), &json!("POST")));
    assert_eq!(
        (&seen["path"], &seen["query"], &seen["body"]),
        (&json!("/api/a%20b"), &json!([["q", "x y+z"]]), &json!("hi"))
    );
    let headers = seen["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-a", "1"])) && headers.iter().any(|header| header[0] == "authorization"));
    assert_eq!(body(&ask(&connections, json!({ "path": "/" })).await)["count"], 2);
    assert_eq!(body(&ask(&simulated().await, json!({ "path": "/" })).await)["count"], 1, "another has its own state");
}

#[tokio::test]
async fn two_connections_lead_into_one_world() {
    let (left, right) = (ConnectionName::new("left").unwrap(), ConnectionName::new("right").unwrap());
    let simulator = host().simulator(simulators().await, left.clone());
    let other = simulator.behind(right.clone());
    let connections =
        Connections::none(&limits()).with_simulator(left, "storage", simulator).with_simulator(right, "storage", other);
    for (count, name) in [(1, "left"), (2, "right"), (3, "left")] {
        let answer = body(&http(pack(connections.clone()), json!({ "connection": name, "path": "/" })).await);
        assert_eq!((&answer["count"], &answer["connection"]), (&json!(count), &json!(name)));
    }
}

#[tokio::test]
async fn a_request_reaches_the_simulator_as_it_was_written() {
    let connections = simulated().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let request = json!({
            "path": "/api/a%3Ab%2Cc/", "method": method, "query": [["fields", ""], ["name", "a,b"]], "body": "{}",
        });
        let seen = body(&ask(&connections, request).await);
        assert_eq!((&seen["method"], &seen["path"]), (&json!(method), &json!("/api/a%3Ab%2Cc/")));
        assert_eq!((&seen["query"], &seen["body"]), (&json!([["fields", ""], ["name", "a,b"]]), &json!("{}")));
    }
}

#[tokio::test]
async fn a_simulated_request_needs_permission_too() {
    let mut nothing = pack(simulated().await);
    nothing.grant = Permissions::default();
    let answer = http(nothing, json!({ "connection": "box", "path": "/" })).await;
    assert_eq!(answer["error"]["code"], code::NET_DENIED.id());
    let answer = ask(&simulated().await, json!({ "path": "/", "headers": [["authorization", "x"]] })).await;
    assert_eq!(answer["error"]["code"], code::NET_BAD_REQUEST.id());
}

#[tokio::test]
async fn delays_drops_sizes_and_statuses_are_those_of_a_network() {
    let connections = simulated().await;
    let slow = json!({ "path": "/", "query": [["delay_ms", "5000"]], "timeout_ms": 100 });
    assert_eq!(ask(&connections, slow).await["error"]["code"], code::NET_TIMEOUT.id());
    let dropped = ask(&connections, json!({ "path": "/drop" })).await;
    assert_eq!(dropped["error"]["code"], code::NET_CLOSED.id(), "{dropped}");
    let limit = limits().http.response_bytes_max;
    let big = |bytes: usize| json!({ "path": "/big", "query": [["bytes", bytes.to_string()]] });
    assert_eq!(ask(&connections, big(limit)).await["length"], limit);
    assert_eq!(ask(&connections, big(limit + 1)).await["error"]["code"], code::NET_TOO_LARGE.id());
    assert_eq!(ask(&connections, json!({ "path": "/", "query": [["status", "503"]] })).await["status"], 503);
    let strange = ask(&connections, json!({ "path": "/", "query": [["status", "7"]] })).await;
    assert_eq!(strange["error"]["code"], code::NET_PROTOCOL.id());
}

#[tokio::test]
async fn a_dropped_read_is_sent_again_and_a_dropped_write_is_not() {
    let read = ask(&simulated().await, json!({ "path": "/drop_first" })).await;
    assert_eq!(body(&read)["count"], 2, "{read}");
    let write = ask(&simulated().await, json!({ "path": "/drop_first", "method": "POST" })).await;
    assert_eq!(write["error"]["code"], code::NET_CLOSED.id());
}

#[tokio::test]
async fn a_simulator_that_breaks_says_so_from_then_on() {
    let connections = simulated().await;
    for path in ["/panic", "/"] {
        let answer = ask(&connections, json!({ "path": path })).await;
        assert_eq!(answer["error"]["code"], code::NET_SIMULATOR.id(), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("trapped"), "{answer}");
    }
}

#[tokio::test]
async fn giving_up_on_a_request_does_not_disturb_the_simulator() {
    let name = ConnectionName::new("box").unwrap();
    let simulator = host().simulator(simulators().await, name);
    let request = SimulatorRequest {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        query: vec![],
        headers: vec![],
        body: vec![],
    };
    tokio::select! {
        biased;
        reply = simulator.handle(request.clone()) => panic!("nobody waited: {reply:?}"),
        () = std::future::ready(()) => {}
    }
    let reply = simulator.handle(request).await.unwrap();
    let SimulatorEnding::Response(response) = reply.ending else { panic!("{reply:?}") };
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn places_of_simulators_come_back_with_their_last_handle() {
    for _ in 0..runner_model::limits::SIMULATORS_MAX * 2 {
        let connections = simulated().await;
        let mut status = ask(&connections, json!({ "path": "/" })).await;
        // The task of a simulator before this one may not have noticed yet that its last handle is gone.
        while status["status"] != 200 {
            assert!(status["error"]["message"].as_str().unwrap().contains("as are allowed"), "{status}");
            tokio::task::yield_now().await;
            status = ask(&connections, json!({ "path": "/" })).await;
        }
    }
}

#[tokio::test]
async fn an_action_is_no_simulator() {
    let simulator = host().simulator(actions().await, ConnectionName::new("box").unwrap());
    let request =
        SimulatorRequest { method: "GET".into(), path: "/".into(), query: vec![], headers: vec![], body: vec![] };
    assert_eq!(simulator.handle(request).await.unwrap_err().code, code::HOST_BAD_COMPONENT.id());
}
