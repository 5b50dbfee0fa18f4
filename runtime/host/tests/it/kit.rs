//! One host for all tests, compiled guests, attempts with sensible defaults, and a listening observer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use runner_host::{
    Attempt, Compiling, Component, ConnectionConfig, Connections, Host, HostOptions, Kv, KvError, LogLine, Observer,
    PackContext, RequestSummary, World,
};
use runner_model::{
    AttemptNumber, ConnectionName, ExecutionId, KvAccess, Limits, Outcome, PackRef, Permissions, StepId, SystemClock,
};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// Limits that tests reach quickly.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.guest.concurrency_max = 16;
    limits.guest.host_calls_max = 20_000;
    limits.guest.log_lines_max = 50;
    limits.http.connect_timeout = Duration::from_secs(2);
    limits.http.timeout = Duration::from_secs(20);
    limits.http.response_bytes_max = 1024 * 1024;
    limits.http.connection_concurrency_max = 4;
    limits
}

pub(super) fn cache_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}

pub(super) fn host_with(limits: Limits) -> Host {
    Host::new(HostOptions {
        cache_dir: Some(cache_dir()),
        compiling: Compiling::Here,
        limits,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

/// The host that most tests share.
pub(super) fn host() -> &'static Host {
    static HOST: std::sync::OnceLock<Host> = std::sync::OnceLock::new();
    HOST.get_or_init(|| host_with(limits()))
}

/// The bytes of a committed component.
pub(super) fn wasm(name: &str) -> Arc<[u8]> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components").join(name);
    std::fs::read(path).unwrap().into()
}

pub(super) async fn actions() -> &'static Component {
    static LOADED: OnceCell<Component> = OnceCell::const_new();
    LOADED.get_or_init(async || host().load(wasm("host-guest.wasm"), World::Action).await.unwrap()).await
}

pub(super) async fn sensors() -> &'static Component {
    static LOADED: OnceCell<Component> = OnceCell::const_new();
    LOADED.get_or_init(async || host().load(wasm("host-sensor.wasm"), World::Sensor).await.unwrap()).await
}

pub(super) async fn simulators() -> &'static Component {
    static LOADED: OnceCell<Component> = OnceCell::const_new();
    LOADED.get_or_init(async || host().load(wasm("host-simulator.wasm"), World::Simulator).await.unwrap()).await
}

/// A pack that may do everything over these connections.
pub(super) fn pack(connections: Connections) -> PackContext {
    let everything: Permissions = serde_json::from_value(serde_json::json!({
        "http": [{ "connection": "*", "methods": ["*"] }, { "url": "http://*:80", "methods": ["*"] }],
        "kv": "read_write",
    }))
    .unwrap();
    PackContext {
        pack: PackRef::new("demo").unwrap(),
        version: "1.2.3".to_owned(),
        permissions: everything.clone(),
        grant: everything,
        current: None,
        config: r#"{"greeting":"hello"}"#.to_owned(),
        kv: Arc::new(MemoryKv::default()),
        connections,
    }
}

pub(super) fn no_connections() -> Connections {
    Connections::none(&limits())
}

/// Connections from JSON, as a configuration would give them.
pub(super) fn connections(configs: &[(&str, Value)]) -> Connections {
    let parsed = configs.iter().map(|(name, config)| {
        (ConnectionName::new(name).unwrap(), serde_json::from_value::<ConnectionConfig>(config.clone()).unwrap())
    });
    Connections::new(parsed.collect(), BTreeMap::new(), &limits()).unwrap()
}

/// One connection `box` of kind `storage`.
pub(super) fn connection(base_url: &str) -> Connections {
    connections(&[("box", serde_json::json!({ "kind": "storage", "base_url": base_url }))])
}

pub(super) fn attempt(function: &str, input: Value) -> Attempt {
    attempt_in(pack(no_connections()), function, input)
}

pub(super) fn attempt_in(pack: PackContext, function: &str, input: Value) -> Attempt {
    Attempt {
        execution: ExecutionId::from_bytes([7; 16]),
        step: StepId(3),
        action: format!("demo.{}", function.replace(':', "_")).parse().unwrap(),
        function: function.to_owned(),
        number: AttemptNumber(2),
        idempotency_key: "key-1".to_owned(),
        span_key: None,
        input,
        timeout: Duration::from_secs(30),
        last_heartbeat: None,
        trace: None,
        cancel: CancellationToken::new(),
        pack: Arc::new(pack),
        observer: Arc::new(Ears::default()),
    }
}

/// Runs an action of the test guest in the shared host.
pub(super) async fn run(attempt: Attempt) -> Outcome {
    host().run(actions().await, attempt).await
}

/// Runs one that must succeed.
pub(super) async fn value(attempt: Attempt) -> Value {
    match run(attempt).await {
        Outcome::Succeeded { result } => result,
        other => panic!("{other:?}"),
    }
}

/// Sends a request from the test guest; what it got.
pub(super) async fn http(pack: PackContext, request: Value) -> Value {
    value(attempt_in(pack, "http", request)).await
}

/// The code of a failure or a timeout.
pub(super) fn code_of(outcome: &Outcome) -> &str {
    outcome.failure().map_or("", |failure| failure.code.as_str())
}

/// Hears everything.
#[derive(Default)]
pub(super) struct Ears {
    pub(super) lines: Mutex<Vec<LogLine>>,
    pub(super) heartbeats: Mutex<Vec<String>>,
    pub(super) requests: Mutex<Vec<RequestSummary>>,
}

impl Observer for Ears {
    fn log(&self, line: LogLine) {
        self.lines.lock().push(line);
    }
    fn heartbeat(&self, progress: &str) {
        self.heartbeats.lock().push(progress.to_owned());
    }
    fn request(&self, summary: RequestSummary) {
        self.requests.lock().push(summary);
    }
}

/// Key-value data in memory. Remembers the lifetimes, and lets none pass.
#[derive(Default)]
pub(super) struct MemoryKv {
    values: Mutex<BTreeMap<(PackRef, String), Value>>,
    pub(super) lifetimes: Mutex<Vec<Option<Duration>>>,
}

#[async_trait]
impl Kv for MemoryKv {
    async fn get(&self, pack: &PackRef, key: &str) -> Result<Option<Value>, KvError> {
        Ok(self.values.lock().get(&(pack.clone(), key.to_owned())).cloned())
    }
    async fn set(&self, pack: &PackRef, key: &str, value: Value, ttl: Option<Duration>) -> Result<(), KvError> {
        if key == "broken" {
            return Err(KvError("the disk is full".to_owned()));
        }
        self.lifetimes.lock().push(ttl);
        self.values.lock().insert((pack.clone(), key.to_owned()), value);
        Ok(())
    }
    async fn delete(&self, pack: &PackRef, key: &str) -> Result<bool, KvError> {
        Ok(self.values.lock().remove(&(pack.clone(), key.to_owned())).is_some())
    }
    async fn compare_and_swap(
        &self,
        pack: &PackRef,
        key: &str,
        expected: Option<Value>,
        value: Option<Value>,
        _: Option<Duration>,
    ) -> Result<bool, KvError> {
        let mut values = self.values.lock();
        let place = (pack.clone(), key.to_owned());
        if values.get(&place).cloned() != expected {
            return Ok(false);
        }
        match value {
            Some(value) => values.insert(place, value),
            None => values.remove(&place),
        };
        Ok(true)
    }
    async fn keys(&self, pack: &PackRef, prefix: &str, limit: usize) -> Result<Vec<String>, KvError> {
        let values = self.values.lock();
        let own = values.keys().filter(|(owner, key)| owner == pack && key.starts_with(prefix));
        Ok(own.map(|(_, key)| key.clone()).take(limit).collect())
    }
}

/// The pack with its access to key-value data changed, on the side of the wish and of the grant.
pub(super) fn kv_pack(wish: KvAccess, grant: KvAccess) -> PackContext {
    let mut pack = pack(no_connections());
    pack.permissions.kv = wish;
    pack.grant.kv = grant;
    pack
}
