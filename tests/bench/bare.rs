//! The bare parts: wasmtime, SQLite and a file, each used in the plainest way that does the same work.

use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

mod bindings {
    #![allow(unreachable_pub, clippy::all, reason = "generated")]
    wasmtime::component::bindgen!({ world: "action", path: "../../wit/0.1.0", exports: { default: async } });
}

/// What every call of `echo` is given.
pub(crate) const INPUT: &str = r#"{"message":"vol1","size":1073741824,"tags":["a","b"]}"#;

const RESIDENT_BYTES: usize = 256 * 1024;

/// An engine with a pool, asynchronous calls and epochs, as the host has.
pub(crate) struct Wasm {
    engine: Engine,
    pre: bindings::ActionPre<()>,
}

impl Wasm {
    pub(crate) fn new(wasm: &[u8]) -> Self {
        // As much memory stays mapped in a free slot as in the host's pool: without it the bare engine is the slower one.
        let mut pool = PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(RESIDENT_BYTES).table_keep_resident(RESIDENT_BYTES);
        let mut config = Config::new();
        config.epoch_interruption(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).unwrap();
        let component = wasmtime::component::Component::from_binary(&engine, wasm).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let pre = bindings::ActionPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        Self { engine, pre }
    }

    pub(crate) async fn call(&self) -> Duration {
        let input = INPUT.to_owned();
        let start = Instant::now();
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let result = instance.call_run(&mut store, "echo", &input).await.unwrap().unwrap();
        drop(store);
        let elapsed = start.elapsed();
        assert!(result.contains("vol1"));
        elapsed
    }
}

/// A database with the store's settings and one table.
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    pub(crate) fn new(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x BLOB)").unwrap();
        Self(connection)
    }

    pub(crate) fn commit(&self) -> Duration {
        let start = Instant::now();
        self.0.prepare_cached("INSERT INTO t VALUES (?1)").unwrap().execute([[7_u8; 500].as_slice()]).unwrap();
        start.elapsed()
    }
}

/// A file that is written and flushed.
pub(crate) struct File(std::fs::File);

impl File {
    pub(crate) fn new(path: &Path) -> Self {
        Self(std::fs::File::create(path).unwrap())
    }

    pub(crate) fn flush(&self) -> Duration {
        let start = Instant::now();
        let mut file = &self.0;
        file.rewind().unwrap();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        start.elapsed()
    }
}
