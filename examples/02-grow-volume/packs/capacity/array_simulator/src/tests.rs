//! The simulated array, asked directly.

use runner_sdk::prelude::Value;
use runner_sdk::simulator::{Ending, Simulator};

use super::*;

fn ask(array: &mut impl Simulator, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut request = Request::new(method, path);
    // admin:secret
    request.headers.push(("authorization".to_owned(), "Basic YWRtaW46c2VjcmV0".to_owned()));
    request.body = body.to_string().into_bytes();
    match array.handle(&request).ending {
        Ending::Response { status, body, .. } => {
            (status, runner_sdk::serde_json::from_slice(&body).unwrap_or_default())
        }
        Ending::Dropped => (0, Value::Null),
    }
}

#[test]
fn nobody_is_answered_without_a_login() {
    for header in [None, Some("Bearer x"), Some("Basic !"), Some("Basic OnNlY3JldA=="), Some("Basic YWRtaW46d3Jvbmc=")]
    {
        let mut request = Request::new("GET", "/v1/volumes");
        request.headers.extend(header.map(|value| ("authorization".to_owned(), value.to_owned())));
        let reply = array().handle(&request);
        assert!(matches!(reply.ending, Ending::Response { status: 401, .. }), "{header:?}: {reply:?}");
    }
}

#[test]
fn a_volume_stays_as_it_was_made() {
    let mut array = array();
    assert_eq!(ask(&mut array, "PATCH", "/v1/volumes/vol_db", &json!({ "size_gib": 1240 })).0, 200);
    let (status, volume) = ask(&mut array, "GET", "/v1/volumes/vol_db", &Value::Null);
    assert_eq!((status, &volume["size_gib"], &volume["used_percent"]), (200, &json!(1240), &json!(75.0)));
}

#[test]
fn space_is_used_up() {
    let mut array = array();
    assert_eq!(ask(&mut array, "PATCH", "/v1/volumes/vol_db", &json!({ "size_gib": 2500 })).0, 200);
    let (status, problem) = ask(&mut array, "PATCH", "/v1/volumes/vol_web", &json!({ "size_gib": 1001 }));
    assert_eq!((status, problem["error"].as_str()), (409, Some("only 500 GiB are free")));
    assert_eq!(ask(&mut array, "PATCH", "/v1/volumes/vol_web", &json!({ "size_gib": 1000 })).0, 200);
}

#[test]
fn a_resize_that_makes_no_sense_is_refused() {
    for (path, body, status) in [
        ("/v1/volumes/vol_db", json!({ "size_gib": 1 }), 422),
        ("/v1/volumes/vol_db", json!({ "size_gib": -1 }), 400),
        ("/v1/volumes/vol_db", json!({}), 400),
        ("/v1/volumes/vol_x", json!({ "size_gib": 1 }), 404),
        ("/v1/volumes", json!({ "size_gib": 1 }), 405),
    ] {
        assert_eq!(ask(&mut array(), "PATCH", path, &body).0, status, "{path} {body}");
    }
}

#[test]
fn faults_come_on_request_and_pass() {
    let mut array = array();
    assert_eq!(ask(&mut array, "POST", "/simulator/faults", &json!({ "count": 2 })).0, 204);
    let mut status = || ask(&mut array, "GET", "/v1/volumes", &Value::Null).0;
    assert_eq!([status(), status(), status()], [503, 503, 200]);
    assert_eq!(ask(&mut array, "POST", "/simulator/faults", &json!({ "count": 1, "dropped": true })).0, 204);
    assert_eq!(ask(&mut array, "GET", "/v1/volumes", &Value::Null).0, 0);
}
