//! A data directory, a pack, and an executor over both.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _};
use runner_executor::{Call, ExecutionRequest, Executor, ExecutorOptions, Grants, Guests, Packs, PacksOptions};
use runner_host::Connections;
use runner_model::{Limits, NodeId, Origin, Outcome, SystemClock, SystemEntropy};
use runner_pack::Library;
use runner_store::{SqliteOptions, SqliteStore};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::asked;

/// Requests that are made at the same time: what one process' clients may do.
const AT_ONCE: usize = 512;

/// Workflows of the pack, and what stands below their names.
const WORKFLOWS: [(&str, &str); 5] = [
    ("delayed", "tasks: {a: {action: many.noop, delay: 3600}}"),
    ("asks", "tasks: {a: {action: core.ask, input: {prompt: Go on?, ttl: 0}}}"),
    ("works", "tasks: {a: {action: many.hangs}}"),
    (
        "noops",
        "parameters: {n: {type: integer}}\n\
         tasks: {a: {with: {items: '<% range(0, ctx(\"n\")) %>', concurrency: 100}, action: many.noop}}",
    ),
    (
        "calls",
        "parameters: {n: {type: integer}}\n\
         tasks: {a: {with: {items: '<% range(0, ctx(\"n\")) %>', concurrency: 100}, action: many.quick}}",
    ),
];

pub(crate) struct Place {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) executor: Executor,
    pub(crate) guests: Arc<Pretend>,
}

/// Guests that answer at once, or never.
#[derive(Default)]
pub(crate) struct Pretend {
    hanging: AtomicUsize,
    changed: Notify,
}

#[async_trait]
impl Guests for Pretend {
    async fn run(&self, call: Call) -> Outcome {
        if call.action.reference.name() == "hangs" {
            self.hanging.fetch_add(1, Ordering::SeqCst);
            self.changed.notify_one();
            call.cancel.cancelled().await;
        }
        Outcome::Succeeded { result: json!({"done": true}) }
    }
}

impl Pretend {
    /// Waits until so many guests hang.
    pub(crate) async fn hang(&self, count: usize) {
        while self.hanging.load(Ordering::SeqCst) < count {
            self.changed.notified().await;
        }
    }
}

impl Place {
    pub(crate) async fn open(directory: &Path, node: &str) -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (library, report) = Library::load(&[root.join("packs"), pack(directory)], None);
        assert!(!report.has_errors(), "{}", report.plain());
        let store = Arc::new(SqliteStore::open(&directory.join("data"), SqliteOptions::default()).await.unwrap());
        let packs = Packs::new(PacksOptions {
            library,
            grants: Grants::default(),
            connections: Connections::none(&Limits::default()),
            simulate: false,
            archive: None,
        });
        let guests = Arc::new(Pretend::default());
        let executor = Executor::new(ExecutorOptions {
            node: NodeId(node.to_owned()),
            guests: guests.clone(),
            store: store.clone(),
            packs: Arc::new(packs),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            verify: false,
            queue_max: runner_model::limits::QUEUE_MAX,
        });
        Self { store, executor, guests }
    }

    /// Asks for as many executions of a workflow; nobody waits for their ends.
    pub(crate) async fn submit(&self, workflow: &str, count: usize) {
        let request = |_| async {
            self.executor.submit(of(workflow, Map::new())).await.unwrap();
        };
        stream::iter(0..count).for_each_concurrent(AT_ONCE, request).await;
    }

    /// Ends as a process does that is killed: what it had stays its own until somebody knows that it is gone.
    pub(crate) async fn leave(self) {
        self.executor.shutdown().await;
        self.store.close().await;
    }
}

pub(crate) fn of(workflow: &str, parameters: Map<String, Value>) -> ExecutionRequest {
    let action = format!("many.{workflow}").parse().unwrap();
    ExecutionRequest::new(action, parameters, Origin::Api)
}

fn pack(directory: &Path) -> PathBuf {
    let packs = directory.join("packs");
    let write = |path: &str, text: &str| {
        let path = packs.join("many").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("pack.yaml", "ref: many\nname: Many\ndescription: x\nversion: 0.1.0\nauthor: runner\n");
    write("actions/noop.yaml", "name: noop\ndescription: x\nrunner_type: noop\n");
    for name in ["hangs", "quick"] {
        write(
            &format!("actions/{name}.yaml"),
            &format!("name: {name}\ndescription: x\nrunner_type: wasm\nidempotent: true\n"),
        );
    }
    for (name, body) in WORKFLOWS {
        write(&format!("workflows/{name}.yaml"), &format!("name: {name}\ndescription: x\n{body}\n"));
    }
    let guest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    std::fs::create_dir_all(packs.join("many/components")).unwrap();
    std::fs::copy(guest, packs.join("many/components/many.wasm")).unwrap();
    packs
}

/// This program again, in a process of its own.
pub(crate) fn again(words: &[&str]) {
    let json = asked::option("--json").map(|path| ["--json".to_owned(), path]);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let status = command.args(words).args(json.into_iter().flatten()).status().unwrap();
    assert!(status.success());
}

/// What the process occupies, in bytes.
pub(crate) fn resident() -> usize {
    of_status("VmRSS:") * 1024
}

pub(crate) fn threads() -> usize {
    of_status("Threads:")
}

fn of_status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

pub(crate) fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
