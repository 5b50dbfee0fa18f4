//! A pack of test guests in a directory of its own, and an executor over it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use runner_executor::{
    Execution, ExecutionRequest, Executor, ExecutorOptions, Grants, Heard, HostGuests, Listener, Packs, PacksOptions,
    Progress,
};
use runner_host::{Compiling, Connections, Host, HostOptions};
use runner_model::{ExecutionView, Limits, NodeId, Origin, SeededEntropy, SystemClock};
use runner_pack::Library;
use runner_store::{KeySource, Keyring, MemoryStore, SEAL_KEY_BYTES, SealKey, SqliteOptions, SqliteStore, Store};
use serde_json::{Map, Value};

/// The one host of the test process: its compiled components are shared.
pub(crate) fn host() -> Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    let make = || {
        let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("components"));
        Host::new(HostOptions {
            cache_dir,
            compiling: Compiling::Here,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        })
        .unwrap()
    };
    HOST.get_or_init(make).clone()
}

/// Actions of the pack `t` that every test has: name, function of the guest, more of its metadata.
const ACTIONS: [(&str, &str, &str); 12] = [
    ("echo", "echo", "parameters: {message: {type: string, default: hi}, secret: {type: string, secret: true}}"),
    ("fail", "fail", "parameters: {code: {type: string}, message: {type: string}}"),
    ("panic", "panic", ""),
    ("loop", "loop_forever", "timeout: 0.2"),
    ("hang", "loop_forever", "timeout: 600"),
    ("memory", "allocate_forever", ""),
    ("recurse", "recurse", ""),
    ("big", "big_result", "parameters: {bytes: {type: integer, default: 100000000}}"),
    ("again", "echo", "idempotent: true"),
    ("ask", "echo", "idempotent: {method: [GET, HEAD]}\nparameters: {method: {type: string, default: GET}}"),
    ("kv", "kv", "parameters: {op: {type: string}, key: {type: string}, value: {type: string}}"),
    ("number", "echo", "parameters: {n: {type: integer, required: true}}"),
];

pub(crate) struct Setup {
    directory: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
}

impl Setup {
    pub(crate) fn in_memory(workflows: &[(&str, &str)]) -> Self {
        Self { directory: packs(workflows), store: Arc::new(MemoryStore::default()) }
    }

    pub(crate) async fn on_disk(workflows: &[(&str, &str)]) -> Self {
        let directory = packs(workflows);
        let store = {
            let keys = KeySource::of(Keyring::new(SealKey::new([7; SEAL_KEY_BYTES]), Vec::new()));
            let options = SqliteOptions { keys: Some(keys), ..SqliteOptions::default() };
            SqliteStore::open(&directory.path().join("data"), options).await.unwrap()
        };
        Self { directory, store: Arc::new(store) }
    }

    /// Another process on the same store and packs.
    pub(crate) fn executor(&self, node: &str) -> Executor {
        self.executor_with_clock(node, Arc::new(SystemClock))
    }

    pub(crate) fn executor_with_clock(&self, node: &str, clock: Arc<dyn runner_model::Clock>) -> Executor {
        self.executor_over(node, self.packs(false), clock)
    }

    /// The packs as they are now, and whether their versions are kept.
    pub(crate) fn packs(&self, archived: bool) -> Arc<Packs> {
        let (library, report) = Library::load(&[self.directory.path().join("packs")], None);
        assert!(!report.has_errors(), "{}", report.plain());
        Arc::new(Packs::new(PacksOptions {
            library,
            grants: Grants::default(),
            connections: Connections::none(&Limits::default()),
            simulate: false,
            archive: archived.then(|| self.directory.path().join("kept")),
        }))
    }

    /// A process with these packs.
    pub(crate) fn executor_over(&self, node: &str, packs: Arc<Packs>, clock: Arc<dyn runner_model::Clock>) -> Executor {
        let guests = HostGuests::new(host(), packs.clone(), self.store.clone(), clock.clone(), &Limits::default());
        Executor::new(ExecutorOptions {
            node: NodeId(node.to_owned()),
            guests: Arc::new(guests),
            store: self.store.clone(),
            packs,
            clock,
            entropy: Arc::new(SeededEntropy::new(u64::from(std::process::id()) + node.len() as u64)),
            verify: true,
            queue_max: runner_model::limits::QUEUE_MAX,
        })
    }

    pub(crate) async fn run(&self, action: &str, parameters: Value) -> ExecutionView {
        submit(&self.executor("one"), action, parameters).await.finished().await.unwrap()
    }
}

pub(crate) async fn submit(executor: &Executor, action: &str, parameters: Value) -> Execution {
    let Value::Object(parameters) = parameters else { panic!("parameters are a map") };
    let request = ExecutionRequest::new(action.parse().unwrap(), parameters, Origin::Cli);
    executor.submit(request).await.unwrap()
}

/// The next thing that happens.
pub(crate) async fn heard(progress: &mut Listener) -> Progress {
    match progress.recv().await.unwrap() {
        Heard::Event(event) => event.progress,
        Heard::Lost(_) => panic!("the test listens all the time"),
    }
}

pub(crate) fn request(action: &str, parameters: Map<String, Value>) -> ExecutionRequest {
    ExecutionRequest::new(action.parse().unwrap(), parameters, Origin::Cli)
}

fn packs(workflows: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let pack = directory.path().join("packs/t");
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let manifest = "ref: t\nname: Test\ndescription: Guests for tests.\nversion: 1.0.0\nauthor: The project\n\
                    permissions: {kv: read_write}\n";
    write(&pack.join("pack.yaml"), manifest);
    for (name, function, more) in ACTIONS {
        let text = format!("name: {name}\ndescription: x\nrunner_type: wasm\nentry_point: {function}\n{more}\n");
        write(&pack.join(format!("actions/{name}.yaml")), &text);
    }
    write(&pack.join("actions/noop.yaml"), "name: noop\ndescription: Nothing.\nrunner_type: noop\n");
    for (name, body) in workflows {
        write(&pack.join(format!("workflows/{name}.yaml")), &format!("name: {name}\ndescription: x\n{body}"));
    }
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    std::fs::create_dir_all(pack.join("components")).unwrap();
    std::fs::copy(guest, pack.join("components/t.wasm")).unwrap();
    directory
}
