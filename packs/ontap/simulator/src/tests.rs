//! The simulated clusters, asked directly, on a clock that the tests move.

mod conventions;
mod faults;
mod peers;
mod storage;

use std::cell::Cell;
use std::rc::Rc;

use runner_sdk::simulator::{Ending, Request, Simulator};
use serde_json::{Value, json};

use crate::{Ontap, with_clock};

/// Clusters and their clock.
struct Lab {
    ontap: Ontap,
    clock: Rc<Cell<u64>>,
}

/// What came back.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
    delay_ms: u32,
}

impl Lab {
    fn new() -> Self {
        let clock = Rc::new(Cell::new(1_795_257_960_000));
        let time = Rc::clone(&clock);
        Self { ontap: with_clock(move || time.get()), clock }
    }

    fn pass(&self, millis: u64) {
        self.clock.set(self.clock.get() + millis);
    }

    /// Asks a cluster; the target may have a query.
    fn ask(&mut self, connection: &str, method: &str, target: &str, body: &Value) -> Answer {
        self.ask_with(connection, method, target, &[("authorization", "Basic YWRtaW46c2VjcmV0")], body)
    }

    fn ask_with(
        &mut self,
        connection: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Request::new(method, path);
        request.connection = connection.to_owned();
        let pairs =
            query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        request.query = pairs.map(|(name, value)| (crate::path::decoded(name), crate::path::decoded(value))).collect();
        request.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        request.body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let reply = self.ontap.handle(&request);
        match reply.ending {
            Ending::Response { status, headers, body } => {
                let body = serde_json::from_slice(&body).unwrap_or_default();
                Answer { status, headers, body, delay_ms: reply.delay_ms }
            }
            Ending::Dropped => Answer { status: 0, headers: Vec::new(), body: Value::Null, delay_ms: reply.delay_ms },
        }
    }

    fn get(&mut self, target: &str) -> Value {
        self.ask("ontap", "GET", target, &Value::Null).body
    }

    /// Makes something and waits for it; gives its path.
    #[track_caller]
    fn make(&mut self, connection: &str, target: &str, body: Value) -> String {
        let answer = self.ask(connection, "POST", target, &body);
        assert!(matches!(answer.status, 201 | 202), "{target}: {} {}", answer.status, answer.body);
        self.finish(connection, &answer);
        answer.header("location").to_owned()
    }

    /// Changes something and waits for it.
    #[track_caller]
    fn change(&mut self, connection: &str, target: &str, body: Value) {
        let answer = self.ask(connection, "PATCH", target, &body);
        assert!(matches!(answer.status, 200 | 202), "{target}: {} {}", answer.status, answer.body);
        self.finish(connection, &answer);
    }

    #[track_caller]
    fn finish(&mut self, connection: &str, answer: &Answer) {
        if answer.status == 202 {
            self.pass(5000);
            let job = self.ask(connection, "GET", answer.job(), &Value::Null).body;
            assert_eq!(job["state"], "success", "{job}");
        }
    }

    /// An SVM `s1` on the first cluster.
    fn with_svm() -> Self {
        let mut lab = Self::new();
        lab.make("ontap", "/api/svm/svms", json!({ "name": "s1", "aggregates": [{ "name": "aggr1" }] }));
        lab
    }

    /// A volume of 1 GiB in `s1`; gives its path.
    fn volume(&mut self, name: &str) -> String {
        let body = json!({ "name": name, "svm.name": "s1", "aggregates": [{ "name": "aggr1" }], "size": "1GB", "nas.path": format!("/{name}") });
        self.make("ontap", "/api/storage/volumes", body)
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn job(&self) -> &str {
        self.body["job"]["_links"]["self"]["href"].as_str().unwrap_or_default()
    }

    /// The status and ONTAP's code.
    fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }
}

fn names(list: &Value) -> Vec<&str> {
    list["records"].as_array().into_iter().flatten().filter_map(|record| record["name"].as_str()).collect()
}
