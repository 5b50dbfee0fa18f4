//! The simulated ONTAP in a process of its own, and what it is asked beside the product.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kit::{Place, Run};

/// How long anything may take that has to come: a machine with everything else on it is slow.
const SOON: Duration = Duration::from_secs(60);

pub(super) struct Array {
    pub(super) place: Place,
    url: String,
    child: Child,
    client: reqwest::Client,
}

impl Array {
    /// Starts one, with a configuration beside it by which it is reached like a real system.
    pub(super) fn start() -> Self {
        Self::of("ontap")
    }

    /// The same for another kind of system.
    pub(super) fn of(kind: &str) -> Self {
        let place = Place::new();
        let mut command = place.command(&["simulate", kind, "--port", "0", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter::<Value>();
        let url = said.next().unwrap().unwrap()["url"].as_str().unwrap().trim_end_matches('/').to_owned();
        let config = format!(
            "[connections.{kind}]\nkind = \"{kind}\"\nbase_url = \"{url}\"\n\
             auth = {{ type = \"basic\", username = \"admin\", password = {{ file = \"password\" }} }}\n\
             [[grants.{kind}.http]]\nconnection = \"{kind}\"\n\
             methods = [\"GET\", \"POST\", \"PATCH\", \"DELETE\"]\n"
        );
        place.write("runner.toml", &config);
        place.write("password", "netapp1!\n");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { place, url, child, client: reqwest::Client::new() }
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer =
            self.client.get(format!("{}{path}", self.url)).basic_auth("admin", Some("x")).send().await.unwrap();
        answer.json().await.unwrap()
    }

    pub(super) async fn send(&self, method: reqwest::Method, path: &str, body: &Value) {
        let request = self.client.request(method, format!("{}{path}", self.url)).basic_auth("admin", Some("x"));
        let answer = request.json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// How many requests of this method came to this path, and with which statuses.
    pub(super) async fn came(&self, method: &str, path: &str) -> Vec<u64> {
        let log = self.get("/simulator/requests").await;
        let all = log["requests"].as_array().unwrap();
        let ours = all.iter().filter(|one| one["method"] == method && one["path"] == path);
        ours.map(|one| one["status"].as_u64().unwrap()).collect()
    }

    /// How many objects of a collection fit a query.
    pub(super) async fn count(&self, collection: &str, query: &str) -> u64 {
        self.get(&format!("/api/{collection}?{query}")).await["num_records"].as_u64().unwrap()
    }

    /// Waits until something holds.
    pub(super) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + SOON;
        while !holds().await {
            assert!(Instant::now() < deadline, "it does not come to this: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The arguments by which a volume is provisioned.
    pub(super) fn provision(name: &str) -> Vec<String> {
        let given = [&format!("name={name}"), "svm=svm_prod", "size=10GB", r#"clients=["10.1.0.0/16"]"#];
        let verb = ["exec", "ontap.provision_nfs_volume"];
        verb.into_iter().chain(given.map(|text| -> &str { text })).map(str::to_owned).collect()
    }

    /// Runs the product to its end.
    pub(super) fn run(&self, arguments: &[String]) -> Run {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.place.run(&arguments)
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
