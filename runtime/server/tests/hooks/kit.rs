//! A process that listens, as far as this crate makes one: packs in a directory, the store on the disk, no guests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::middleware::Next;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use runner_executor::{Call, Executor, ExecutorOptions, Grants, Guests, Packs, PacksOptions};
use runner_host::{Connections, Polled};
use runner_model::{Clock, Failure, Limits, ManualClock, NodeId, Outcome, PackRef, Role, Secret, SystemClock};
use runner_model::{SystemEntropy, code};
use runner_pack::{Library, Pack, Sensor};
use runner_server::local::Nodes;
use runner_server::new_key;
use runner_server::{AccessMode, Api, ApiOptions, Entrance, HttpOptions, serve_http};
use runner_store::{
    AuditOrigin, Audited, KeySource, Keyring, SEAL_KEY_BYTES, SealKey, SqliteOptions, SqliteStore, Store,
};
use runner_triggers::{Sensors, Triggers, TriggersOptions};
use serde_json::Value;
use sha2::Sha256;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What there is to run: nothing that needs a guest.
const WORKFLOWS: [(&str, &str); 4] = [
    (
        "good",
        "parameters: {text: {type: string, default: hi}}\noutput: [{said: <% ctx(\"text\") %>}]\ntasks: {one: {}}\n",
    ),
    ("bad", "tasks: {one: {next: [{do: fail}]}}\n"),
    ("asks", "tasks: {one: {action: core.ask, input: {prompt: Well?}}}\n"),
    ("waits", "tasks: {one: {action: core.wait_for, input: {key: ready-1}}}\n"),
];

/// Somebody who changes something.
pub(crate) fn by() -> Audited {
    Audited { at: SystemClock.now(), actor: "a test".to_owned(), origin: AuditOrigin::Cli }
}

/// Runs nothing: what a test starts needs no guest.
struct NoGuests;

#[async_trait]
impl Guests for NoGuests {
    async fn run(&self, _: Call) -> Outcome {
        Outcome::Failed { failure: Failure::new(code::HOST_OTHER, "there are no guests here") }
    }
}

/// Sees nothing.
struct NoSensors;

#[async_trait]
impl Sensors for NoSensors {
    async fn poll(
        &self,
        _: Arc<Pack>,
        _: Arc<Sensor>,
        cursor: Option<String>,
        _: CancellationToken,
    ) -> Result<Polled, Failure> {
        Ok(Polled { events: Vec::new(), cursor })
    }
}

/// A directory with packs and the data of processes.
pub(crate) struct Place {
    directory: Arc<tempfile::TempDir>,
}

/// How a process is to be.
pub(crate) struct Settings {
    pub(crate) access: AccessMode,
    pub(crate) queue_max: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) http: HttpOptions,
    pub(crate) nodes: Option<Nodes>,
}

impl Default for Settings {
    fn default() -> Self {
        let (clock, http) = (Arc::new(SystemClock), HttpOptions::default());
        Self { access: AccessMode::Open, queue_max: 1_000, clock, http, nodes: None }
    }
}

impl Place {
    /// The pack `h` with these rules.
    pub(crate) fn with(rules: &[(&str, &str)]) -> Self {
        let place = Self { directory: Arc::new(tempfile::tempdir().unwrap()) };
        place.pack("h", rules);
        place
    }

    /// Another pack with these rules.
    pub(crate) fn pack(&self, name: &str, rules: &[(&str, &str)]) {
        let pack = self.directory.path().join("packs").join(name);
        let write = |path: &str, text: &str| {
            let path = pack.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let manifest =
            format!("ref: {name}\nname: Test\ndescription: For tests.\nversion: 1.2.3\nauthor: The project\n");
        write("pack.yaml", &manifest);
        for (name, body) in WORKFLOWS {
            write(&format!("workflows/{name}.yaml"), &format!("name: {name}\ndescription: x\n{body}"));
        }
        for (name, body) in rules {
            write(&format!("rules/{name}.yaml"), &format!("description: x\n{body}"));
        }
    }

    /// Another file of the pack `h`.
    #[allow(dead_code, reason = "two test binaries share this, and one of them writes no further files")]
    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.directory.path().join("packs/h").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) async fn start(&self) -> Process {
        self.start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(&self, settings: Settings) -> Process {
        Process::start(self.directory.clone(), settings).await
    }
}

/// The secrets that are configured.
pub(crate) const SECRET: &str = "It's a Secret to Everybody";
pub(crate) const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn secrets(name: &str) -> Vec<Secret> {
    let all = match name {
        "main" => vec!["the next one", SECRET],
        "standard" => vec![STANDARD_SECRET],
        _ => Vec::new(),
    };
    all.into_iter().map(|text| Secret::new(text.to_owned())).collect()
}

/// A process that listens.
pub(crate) struct Process {
    pub(crate) api: Api,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) executor: Executor,
    pub(crate) triggers: Triggers,
    pub(crate) address: SocketAddr,
    /// Made once: each new one reads the certificates of the whole system.
    pub(crate) client: reqwest::Client,
    sqlite: Arc<SqliteStore>,
    undocumented: Undocumented,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    /// There for as long as something is read in it.
    _directory: Arc<tempfile::TempDir>,
}

impl Process {
    async fn start(directory: Arc<tempfile::TempDir>, settings: Settings) -> Self {
        let core = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let (library, report) = Library::load(&[directory.path().join("packs"), core], None);
        assert!(!report.has_errors(), "{}", report.plain());
        let keys = KeySource::of(Keyring::new(SealKey::new([7; SEAL_KEY_BYTES]), Vec::new()));
        let options = SqliteOptions { keys: Some(keys), ..SqliteOptions::default() };
        let sqlite = Arc::new(SqliteStore::open(&directory.path().join("data"), options).await.unwrap());
        let store: Arc<dyn Store> = sqlite.clone();
        let connections = Connections::none(&Limits::default());
        let grants = Grants::default();
        let packs = Arc::new(Packs::new(PacksOptions { library, grants, connections, simulate: false, archive: None }));
        let (clock, entropy, node) = (settings.clock, Arc::new(SystemEntropy), NodeId("test".to_owned()));
        let executor = Executor::new(ExecutorOptions {
            node: node.clone(),
            guests: Arc::new(NoGuests),
            store: store.clone(),
            packs: packs.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            verify: true,
            queue_max: settings.queue_max,
        });
        let triggers = Triggers::start(TriggersOptions {
            executor: executor.clone(),
            store: store.clone(),
            packs: packs.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            sensors: Arc::new(NoSensors),
        })
        .await
        .unwrap();
        let api = Api::new(ApiOptions {
            executor: executor.clone(),
            store: store.clone(),
            packs,
            triggers: triggers.clone(),
            node,
            nodes: settings.nodes,
            clock,
            entropy,
            access: settings.access,
            hosts: Vec::new(),
            webhook_secrets: Arc::new(secrets),
            keys: KeySource::of(Keyring::new(SealKey::new([7; SEAL_KEY_BYTES]), Vec::new())),
            secret_users: Arc::new(()),
            metrics: Arc::new(String::new),
            body_bytes_max: 1024 * 1024,
            version: "0.0.0",
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let undocumented = Undocumented::default();
        let entrance = Entrance::new(undocumented.watch(&api)).with_deliveries_to(&api);
        let serving = tokio::spawn(serve_http(listener, entrance, settings.http, stop.clone()));
        let client = client();
        let _directory = directory;
        Self { api, store, executor, triggers, address, sqlite, client, undocumented, stop, serving, _directory }
    }

    /// Ends it, as a process that is told to.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.serving.await.unwrap();
        self.triggers.shutdown().await;
        self.executor.shutdown().await;
        self.sqlite.close().await;
        let undocumented = self.undocumented.0.lock();
        assert!(undocumented.is_empty(), "the document does not know {undocumented:?}");
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("http://{}/api/v1{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.request("POST", path).header("content-type", "application/json");
        Answer::of(request.body(body.to_string())).await
    }

    /// Delivers JSON with GitHub's signature.
    pub(crate) async fn github(&self, path: &str, delivery: &str, body: &str) -> Answer {
        Answer::of(self.github_request(path, delivery, body)).await
    }

    pub(crate) fn github_request(&self, path: &str, delivery: &str, body: &str) -> reqwest::RequestBuilder {
        self.request("POST", &format!("/webhooks/{path}"))
            .header("content-type", "application/json")
            .header("x-github-delivery", delivery)
            .header("x-hub-signature-256", format!("sha256={}", hex::encode(mac(SECRET.as_bytes(), body.as_bytes()))))
            .body(body.to_owned())
    }

    /// A new API key's secret.
    pub(crate) async fn key(&self, role: Role, packs: Option<&[&str]>) -> String {
        let packs = packs.map(|packs| packs.iter().map(|pack| PackRef::new(pack).unwrap()).collect());
        let (secret, key, digest) = new_key(&SystemEntropy, &SystemClock, "test".to_owned(), role, packs, None);
        self.store.add_key(key, digest, by()).await.unwrap();
        secret
    }

    /// How an execution ended.
    pub(crate) async fn ended(&self, id: &str) -> String {
        let path = format!("/executions/{id}");
        let found = eventually("the execution ends", async || {
            let answer = self.get(&path).await;
            let status = answer.json()["status"].as_str().map(str::to_owned);
            status.filter(|status| ["succeeded", "failed", "canceled", "timeout"].contains(&status.as_str()))
        });
        found.await
    }
}

pub(crate) fn client() -> reqwest::Client {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Answers with a status that the OpenAPI document does not name for their operation.
#[derive(Clone, Default)]
struct Undocumented(Arc<Mutex<BTreeSet<String>>>);

impl Undocumented {
    /// The routes of `api`, each of whose answers is held against the document.
    fn watch(&self, api: &Api) -> axum::Router {
        let paths = api.openapi()["paths"].as_object().unwrap().clone();
        let (found, paths) = (self.0.clone(), Arc::new(paths));
        let hold = move |request: axum::extract::Request, next: Next| {
            let (found, paths) = (found.clone(), paths.clone());
            async move {
                let (method, path) = (request.method().as_str().to_lowercase(), request.uri().path().to_owned());
                let answer = next.run(request).await;
                let operations = paths.iter().filter(|(template, _)| is_one(template, &path));
                let mut operations = operations.filter_map(|(_, item)| item.get(&method)).peekable();
                let status = answer.status().as_str().to_owned();
                let is_known = |operation: &Value| {
                    let responses = &operation["responses"];
                    responses.get(&status).is_some() || responses.get("default").is_some()
                };
                if operations.peek().is_some() && !operations.any(is_known) {
                    found.lock().insert(format!("{status} of {method} {path}"));
                }
                answer
            }
        };
        api.router().layer(axum::middleware::from_fn(hold))
    }
}

/// Whether a path is one of those that a template stands for.
fn is_one(template: &str, path: &str) -> bool {
    let (mut parts, mut named) = (path.split('/'), template.split('/').peekable());
    while let Some(name) = named.next() {
        // The last one takes the rest: names of webhooks have parts.
        let is_rest = named.peek().is_none() && name == "{path}";
        let Some(part) = parts.next() else { return false };
        if is_rest {
            return true;
        }
        if name != part && !name.starts_with('{') {
            return false;
        }
    }
    parts.next().is_none()
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The status and the stable code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let problem = self.json();
        assert_eq!(self.headers["content-type"], "application/problem+json", "{problem}");
        assert_eq!(problem["status"], self.status);
        (self.status, problem["code"].as_str().unwrap().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The executions of an acknowledged delivery, by rule.
    pub(crate) fn executions(&self) -> BTreeMap<String, String> {
        assert_eq!(self.status, 202, "{}", self.text());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let body = self.json();
        body["executions"].as_array().unwrap().iter().map(|one| (text(&one["rule"]), text(&one["execution"]))).collect()
    }
}

pub(crate) fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// What `look` finds, as soon as it finds something.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.unwrap_or_else(|_| panic!("in vain: {what}"))
}

/// A clock that stands at the time of day.
pub(crate) fn manual_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(SystemClock.now()))
}

/// A webhook with GitHub's signatures that runs `action`.
pub(crate) fn github_rule(path: &str, action: &str, more: &str) -> String {
    format!(
        "trigger:\n  type: core.webhook\n  parameters:\n    path: {path}\n    signature: {{scheme: github, secret: main}}\n\
         {more}\naction: {{ref: {action}}}\n"
    )
}
