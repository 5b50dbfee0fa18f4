//! The simulated Unified Manager, asked directly.

mod conventions;
mod dialect;
mod work;

use runner_sdk::simulator::{Ending, Request, Simulator};
use runner_sdk::testing::Host;
use serde_json::{Value, json};

use super::{Aiqum, aiqum};

/// A moment from which tests count.
const START: u64 = 1_795_000_000_000;

/// Unified Manager, and the time of its host.
struct Um {
    aiqum: Aiqum,
    now: u64,
}

impl Um {
    fn new() -> Self {
        Self { aiqum: aiqum(), now: START }
    }

    /// Sends a request; the status and the body.
    fn ask(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask_as("admin", method, path, body)
    }

    fn ask_as(&mut self, user: &str, method: &str, target: &str, body: &Value) -> (u16, Value) {
        use base64::Engine as _;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Request::new(method, path);
        request.connection = "aiqum".to_owned();
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:secret"));
        request.headers.push(("authorization".to_owned(), format!("Basic {login}")));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        request.query = pairs.map(|(name, value)| (name.to_owned(), crate::path::decoded(value))).collect();
        if !body.is_null() {
            request.body = body.to_string().into_bytes();
        }
        let aiqum = &mut self.aiqum;
        match Host::new().now_ms(self.now).inside(|| aiqum.handle(&request)).ending {
            Ending::Response { status, body, .. } => (status, serde_json::from_slice(&body).unwrap_or_default()),
            Ending::Dropped => (0, Value::Null),
        }
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// The first record of a list.
    fn first(&mut self, path: &str) -> Value {
        self.get(path)["records"][0].clone()
    }

    /// Lets time pass.
    fn pass(&mut self, seconds: u64) {
        self.now += seconds * 1000;
    }

    /// Starts a job, waits for it and gives it.
    fn job(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert_eq!(status, 202, "{method} {path}: {answer}");
        self.pass(10);
        self.get(&format!("/api/v2/management-server/jobs/{}", key(&answer["job"]["key"])))
    }
}

/// A key as it stands in a path.
fn key(value: &Value) -> String {
    crate::path::encoded(value.as_str().unwrap())
}

/// An SVM `svm1` with NFS; its key.
fn with_svm(um: &mut Um) -> Value {
    let cluster = um.first("/api/v2/datacenter/cluster/clusters?name=cluster1")["key"].clone();
    let body = json!({ "name": "svm1", "cluster": { "key": cluster }, "nfs": { "enabled": true }, "aggregates": [{ "name": "aggr1" }] });
    let job = um.job("POST", "/api/v2/datacenter/svm/svms", &body);
    assert_eq!((&job["state"], &job["status"]), (&json!("completed"), &json!("normal")), "{job}");
    assert_eq!(job["job_results"][0]["name"], "svmKey");
    job["job_results"][0]["value"].clone()
}
