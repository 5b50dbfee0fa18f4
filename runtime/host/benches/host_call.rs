//! What a call of an action through the host costs beside the bare engine: the same pool, async calls and epochs.
//!
//! Figures are medians; both are measured in turns, so that a busy machine slows both down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss, reason = "a measurement for people")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_host::{Attempt, Component, Connections, Deaf, Host, HostOptions, NoKv, PackContext, World};
use runner_model::{ActionRef, AttemptNumber, ExecutionId, Limits, Outcome, PackRef, Permissions, StepId, SystemClock};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

mod bare {
    #![allow(missing_docs, unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({ world: "action", path: "../../wit/0.1.0", exports: { default: async } });
}

const ROUNDS: usize = 20;
const CALLS: usize = 250;
const RESIDENT_BYTES: usize = 256 * 1024;
const INPUT: &str = r#"{"name":"vol1","size":1073741824,"tags":["a","b"]}"#;

fn main() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
    let wasm: Arc<[u8]> = std::fs::read(path).unwrap().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(wasm));
}

async fn measure(wasm: Arc<[u8]>) {
    let (engine, pre) = bare_engine(&wasm);
    let cache = tempfile::tempdir().unwrap();
    start(cache.path(), &wasm, "start, nothing compiled yet").await;
    let (host, component) = start(cache.path(), &wasm, "start, compiled component in the cache").await;
    let pack = pack();
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut turns = (Vec::new(), Vec::new());
        for _ in 0..CALLS {
            turns.0.push(bare_call(&engine, &pre).await);
        }
        for _ in 0..CALLS {
            turns.1.push(host_call(&host, &component, &pack).await);
        }
        // The first round warms both up.
        if round > 0 {
            bare.append(&mut turns.0);
            ours.append(&mut turns.1);
        }
    }
    let (bare, ours) = (Figures::of(bare), Figures::of(ours));
    println!("{:<44} {:>10} {:>10}", "a call of `echo` in a fresh instance", "median", "p99");
    println!("{:<44} {:>7.1} us {:>7.1} us", "bare wasmtime (pooling, async, epochs)", bare.median, bare.p99);
    println!("{:<44} {:>7.1} us {:>7.1} us", "Host::run", ours.median, ours.p99);
    println!("{:<44} {:>9.2}x", "ratio of the medians (aim: at most 1.5)", ours.median / bare.median);
}

/// Makes a host and loads the component, and prints how long each took.
async fn start(cache: &Path, wasm: &Arc<[u8]>, what: &str) -> (Host, Component) {
    let begin = Instant::now();
    let options =
        HostOptions { cache_dir: Some(cache.to_owned()), limits: Limits::default(), clock: Arc::new(SystemClock) };
    let host = Host::new(options).unwrap();
    let made = begin.elapsed();
    let component = host.load(Arc::clone(wasm), World::Action).await.unwrap();
    let loaded = begin.elapsed() - made;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{what:<44} {:>7.2} ms for Host::new, {:>7.2} ms for Host::load", ms(made), ms(loaded));
    (host, component)
}

struct Figures {
    median: f64,
    p99: f64,
}

impl Figures {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 100).unwrap().as_secs_f64() * 1e6;
        Self { median: at(50), p99: at(99) }
    }
}

fn bare_engine(wasm: &[u8]) -> (Engine, bare::ActionPre<()>) {
    // As much memory stays mapped in a free slot as in the host's pool: without it the bare engine is the slower one.
    let mut pool = PoolingAllocationConfig::new();
    pool.linear_memory_keep_resident(RESIDENT_BYTES).table_keep_resident(RESIDENT_BYTES);
    let mut config = Config::new();
    config.epoch_interruption(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).unwrap();
    let component = wasmtime::component::Component::from_binary(&engine, wasm).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let pre = bare::ActionPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
    (engine, pre)
}

async fn bare_call(engine: &Engine, pre: &bare::ActionPre<()>) -> Duration {
    let input = INPUT.to_owned();
    let start = Instant::now();
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    let instance = pre.instantiate_async(&mut store).await.unwrap();
    let result = instance.call_run(&mut store, "echo", &input).await.unwrap().unwrap();
    drop(store);
    let elapsed = start.elapsed();
    assert!(result.contains("vol1"));
    elapsed
}

fn pack() -> Arc<PackContext> {
    Arc::new(PackContext {
        pack: PackRef::new("demo").unwrap(),
        version: "0.1.0".to_owned(),
        permissions: Permissions::default(),
        grant: Permissions::default(),
        config: "{}".to_owned(),
        kv: Arc::new(NoKv),
        connections: Connections::none(&Limits::default()),
    })
}

async fn host_call(host: &Host, component: &Component, pack: &Arc<PackContext>) -> Duration {
    let attempt = Attempt {
        execution: ExecutionId::from_bytes([7; 16]),
        step: StepId(0),
        action: ActionRef::new(&pack.pack, "echo").unwrap(),
        function: "echo".to_owned(),
        number: AttemptNumber::FIRST,
        idempotency_key: "key".to_owned(),
        input: json!({ "name": "vol1", "size": 1_073_741_824_u64, "tags": ["a", "b"] }),
        timeout: Duration::from_secs(60),
        last_heartbeat: None,
        cancel: CancellationToken::new(),
        pack: Arc::clone(pack),
        observer: Arc::new(Deaf),
    };
    let start = Instant::now();
    let outcome = host.run(component, attempt).await;
    let elapsed = start.elapsed();
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
    elapsed
}
