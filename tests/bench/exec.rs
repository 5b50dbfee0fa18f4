//! A whole execution within one process: request, journal on disk, guest, result.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_executor::{ExecutionRequest, Executor, ExecutorOptions, Grants, HostGuests, Packs, PacksOptions};
use runner_host::Connections;
use runner_model::{Limits, NodeId, Origin, PackRef, Status, SystemClock, SystemEntropy};
use runner_pack::Library;
use runner_store::{KeyValue, SqliteOptions, SqliteStore};

use crate::host;

pub(crate) struct Exec {
    executor: Executor,
    store: Arc<SqliteStore>,
}

impl Exec {
    pub(crate) async fn new(directory: &Path) -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (library, report) = Library::load(&[root.join("packs"), own_pack(directory, &root)], None);
        assert!(!report.has_errors(), "{}", report.plain());
        let limits = Limits::default();
        let store = Arc::new(SqliteStore::open(&directory.join("data"), SqliteOptions::default()).await.unwrap());
        let packs = Arc::new(Packs::new(PacksOptions {
            library,
            grants: Grants::default(),
            connections: Connections::none(&limits),
            simulate: false,
            archive: None,
        }));
        let clock = Arc::new(SystemClock);
        let guests = HostGuests::new(host::make(directory), packs.clone(), store.clone(), clock.clone(), &limits);
        let executor = Executor::new(ExecutorOptions {
            node: NodeId("bench".to_owned()),
            guests: Arc::new(guests),
            store: store.clone(),
            packs,
            clock,
            entropy: Arc::new(SystemEntropy),
            verify: false,
            queue_max: runner_model::limits::QUEUE_MAX,
        });
        Self { executor, store }
    }

    /// One write through the store's writer thread: a group commit with one rider.
    pub(crate) async fn commit(&self) -> Duration {
        let pack = PackRef::new("bench").unwrap();
        let start = Instant::now();
        // Another value each time: what is there already is not written again.
        let value = serde_json::json!({ "since": format!("{start:?}"), "rest": "x".repeat(450) });
        KeyValue::set(&*self.store, &pack, "key", value, None).await.unwrap();
        start.elapsed()
    }

    pub(crate) async fn run(&self, action: &str) -> Duration {
        let request = ExecutionRequest::new(action.parse().unwrap(), Default::default(), Origin::Cli);
        let start = Instant::now();
        let view = self.executor.submit(request).await.unwrap().finished().await.unwrap();
        let elapsed = start.elapsed();
        assert_eq!(view.record.status, Status::Succeeded, "{view:?}");
        elapsed
    }
}

/// A pack with the test guest's `echo`.
fn own_pack(directory: &Path, root: &Path) -> PathBuf {
    let packs = directory.join("packs");
    let pack = packs.join("bench");
    std::fs::create_dir_all(pack.join("actions")).unwrap();
    std::fs::create_dir_all(pack.join("components")).unwrap();
    let manifest = "ref: bench\nname: Bench\ndescription: A guest to measure.\nversion: 0.1.0\nauthor: runner\n";
    std::fs::write(pack.join("pack.yaml"), manifest).unwrap();
    let parameter = "parameters: {name: {type: string, default: vol1}}";
    let action = format!("name: echo\ndescription: Gives back its input.\nrunner_type: wasm\n{parameter}\n");
    std::fs::write(pack.join("actions/echo.yaml"), action).unwrap();
    std::fs::copy(root.join("tests/guests/components/host-guest.wasm"), pack.join("components/bench.wasm")).unwrap();
    packs
}
