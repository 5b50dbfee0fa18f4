//! What an acknowledged append costs beside a bare commit of SQLite with the same settings on the same disk.
//!
//! Every figure is a median of rounds, because a shared disk is now fast, now slow; the ratios are what counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss, reason = "a measurement for people")]

use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use runner_model::{
    AttemptNumber, Entry, ExecutionId, Fact, NodeId, Origin, Outcome, Requested, Status, StepId, Timestamp,
};
use runner_store::{Append, Journal as _, Lease, NewExecution, SqliteOptions, SqliteStore, StoreStats, Upkeep as _};
use serde_json::json;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1000);

fn main() {
    let dir = tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:<28} {:>11} {:>11} {:>9} {:>12} {:>8} {:>8} {:>9}",
        "", "appends/s", "commits/s", "batch", "commit mean", "ratio", "CPU us", "slowest"
    );

    let sync = median((0..ROUNDS).map(|_| flushes(dir.path())).collect());
    println!("{:<28} {:>11} {sync:>11.0}", "fsync of 4 KiB, bare", "-");
    let bare = median((0..ROUNDS).map(|round| bare_commits(&dir.path().join(format!("bare-{round}")))).collect());
    println!("{:<28} {bare:>11.0} {bare:>11.0} {:>9} {:>9.0} us {:>7.2}x", "SQLite, bare, FULL", 1, 1e6 / bare, 1.0);

    for writers in [1, 16, 200] {
        let data = dir.path().join(format!("store-{writers}"));
        runtime.block_on(appends(&data, writers, bare));
    }
    for in_flight in [1, 50, 200] {
        let data = dir.path().join(format!("whole-{in_flight}"));
        runtime.block_on(executions(&data, in_flight, bare));
    }
    let data = dir.path().join("start");
    runtime.block_on(start_and_end(&data));
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Runs `step` for a round and returns how often a second.
fn rate(mut step: impl FnMut(u64)) -> f64 {
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < ROUND {
        step(count);
        count += 1;
    }
    count as f64 / started.elapsed().as_secs_f64()
}

fn flushes(dir: &Path) -> f64 {
    use std::io::Write as _;
    let mut file = std::fs::File::create(dir.join("flushes")).unwrap();
    rate(|_| {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    })
}

fn bare_commits(path: &Path) -> f64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)",
    )
    .unwrap();
    let json = serde_json::to_vec(&[outcome()]).unwrap();
    let mut insert = db.prepare("INSERT INTO t (b) VALUES (?1)").unwrap();
    rate(|_| {
        insert.execute([&json]).unwrap();
    })
}

async fn appends(data: &Path, writers: u64, bare: f64) {
    let store = Arc::new(SqliteStore::open(data, SqliteOptions::default()).await.unwrap());
    let mut leases = Vec::new();
    for number in 0..writers {
        leases.push(store.create(new(number)).await.unwrap());
    }
    let mut rounds = Rounds::begin(&store);
    for _ in 0..ROUNDS {
        let started = rounds.start();
        let tasks: Vec<_> =
            leases.iter().map(|lease| tokio::spawn(append_for_a_round(Arc::clone(&store), *lease))).collect();
        for (task, lease) in tasks.into_iter().zip(&mut leases) {
            *lease = task.await.unwrap();
        }
        rounds.end(started);
    }
    rounds.print(&format!("append, {writers} at a time"), bare);
    store.close().await;
}

/// Whole executions: begun, one step after the other, ended.
async fn executions(data: &Path, in_flight: u64, bare: f64) {
    let store = Arc::new(SqliteStore::open(data, SqliteOptions::default()).await.unwrap());
    let mut rounds = Rounds::begin(&store);
    for _ in 0..ROUNDS {
        let started = rounds.start();
        let tasks: Vec<_> =
            (0..in_flight).map(|_| tokio::spawn(execute_for_a_round(Arc::clone(&store), STEPS))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        rounds.end(started);
    }
    rounds.print(&format!("{STEPS} steps, {in_flight} at a time"), bare);
    store.close().await;
}

/// Steps of a whole execution.
const STEPS: u32 = 3;

async fn execute_for_a_round(store: Arc<SqliteStore>, steps: u32) {
    static NUMBERS: AtomicU64 = AtomicU64::new(1 << 32);
    let started = Instant::now();
    while started.elapsed() < ROUND {
        let mut lease = store.create(new(NUMBERS.fetch_add(1, Ordering::Relaxed))).await.unwrap();
        for step in 1..=steps {
            let end = (step == steps).then(|| Fact::Finished {
                status: Status::Succeeded,
                result: json!(null),
                errors: vec![],
            });
            let entries = iter::once(outcome()).chain(end.map(|fact| Entry::new(Timestamp::from_millis(7), fact)));
            let Lease { id, token, version: expected } = lease;
            let append = Append { id, token, expected, entries: entries.collect(), sealed: false, announce: false };
            lease.version = store.append(append).await.unwrap();
        }
    }
}

/// What the store has done in rounds of a measurement.
struct Rounds<'a> {
    store: &'a SqliteStore,
    before: StoreStats,
    cpu: f64,
    rates: Vec<f64>,
}

impl<'a> Rounds<'a> {
    fn begin(store: &'a SqliteStore) -> Self {
        Self { store, before: store.stats(), cpu: cpu_us(), rates: Vec::new() }
    }

    fn start(&self) -> (u64, Instant) {
        (self.store.stats().commands, Instant::now())
    }

    fn end(&mut self, (commands, started): (u64, Instant)) {
        self.rates.push((self.store.stats().commands - commands) as f64 / started.elapsed().as_secs_f64());
    }

    fn print(self, name: &str, bare: f64) {
        let (before, stats, rate) = (self.before, self.store.stats(), median(self.rates));
        let (commands, commits) = (stats.commands - before.commands, stats.commits - before.commits);
        let batch = commands as f64 / commits as f64;
        let mean = (stats.commit_time - before.commit_time).as_micros() as f64 / commits as f64;
        let cpu = (cpu_us() - self.cpu) / commands as f64;
        let slowest = stats.commit_time_max.max(stats.checkpoint_time_max).as_secs_f64() * 1e3;
        println!(
            "{name:<28} {rate:>11.0} {:>11.0} {batch:>9.1} {mean:>9.0} us {:>7.2}x {cpu:>8.1} {slowest:>6.1} ms",
            rate / batch,
            rate / bare
        );
    }
}

/// Time that this process has taken of the processors, in microseconds; nothing where the system does not say.
fn cpu_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name: utime and stime are the 12th and 13th words, in hundredths of a second.
    let words = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    words.into_iter().flatten().filter_map(|word| word.parse::<f64>().ok()).sum::<f64>() * 1e4
}

async fn append_for_a_round(store: Arc<SqliteStore>, mut lease: Lease) -> Lease {
    let started = Instant::now();
    while started.elapsed() < ROUND {
        let append = Append {
            id: lease.id,
            token: lease.token,
            expected: lease.version,
            entries: vec![outcome()],
            sealed: false,
            announce: false,
        };
        lease.version = store.append(append).await.unwrap();
    }
    lease
}

/// What one `runner exec` pays for its store: open it, begin and end an execution, close it.
async fn start_and_end(data: &Path) {
    let (mut opened, mut worked, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..20 {
        let started = Instant::now();
        let store = SqliteStore::open(data, SqliteOptions::default()).await.unwrap();
        opened.push(started.elapsed().as_micros() as f64);
        let started = Instant::now();
        let lease = store.create(new(number)).await.unwrap();
        let append = Append {
            id: lease.id,
            token: lease.token,
            expected: lease.version,
            entries: vec![outcome()],
            sealed: false,
            announce: false,
        };
        store.append(append).await.unwrap();
        worked.push(started.elapsed().as_micros() as f64);
        let started = Instant::now();
        store.close().await;
        closed.push(started.elapsed().as_micros() as f64);
    }
    let (open, work, close) = (median(opened), median(worked), median(closed));
    println!("one process: open {open:.0} us, create and append {work:.0} us, close {close:.0} us");
}

fn new(number: u64) -> NewExecution {
    let requested = Requested {
        action: "core.noop".parse().unwrap(),
        pack_version: "0.1.0".into(),
        pack_digest: "0".repeat(64),
        parameters: json!({}),
        secret: vec![],
        secret_output: Vec::new(),
        sealed: false,
        origin: Origin::Cli,
        depth: 0,
        simulate: false,
        trace_parent: None,
    };
    let at = Timestamp::from_millis(0);
    NewExecution {
        id: ExecutionId::from_bytes(u128::from(number).to_be_bytes()),
        entries: vec![Entry::new(at, Fact::Requested(Box::new(requested))), Entry::new(at, Fact::Started)],
        owner: NodeId("bench".into()),
        lease_until: Timestamp::from_millis(i64::MAX),
    }
}

fn outcome() -> Entry {
    let outcome = Outcome::Succeeded { result: json!({"state": "up", "uuid": "6f2e4f0c-0b7a-4b51-8a65-2f6f3a0a7e11"}) };
    let fact = Fact::AttemptFinished { step: StepId(0), item: None, attempt: AttemptNumber::FIRST, outcome };
    Entry::new(Timestamp::from_millis(1_795_257_960_007), fact)
}
