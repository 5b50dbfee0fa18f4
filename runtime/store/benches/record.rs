//! What an event that is recorded costs beside a bare row of SQLite with the same settings on the same disk: one commit
//! each, and many in a commit.
//!
//! Every figure is a median of rounds, because a shared disk is now fast, now slow; the ratios are what counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss, reason = "a measurement for people")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use runner_model::{Event, EventId, Match, MatchState, Timestamp};
use runner_store::{Events as _, NewEvent, Recorded, SqliteOptions, SqliteStore, StoreStats, Upkeep as _};
use rusqlite::Connection;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1000);
const CALLERS: usize = 200;

fn main() {
    let dir = tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!("{:<44} {:>10} {:>9} {:>14}", "", "a second", "batch", "of bare group");
    let single = median((0..ROUNDS).map(|round| single(&dir.path().join(format!("single-{round}")))).collect());
    let group = runtime.block_on(group(&dir.path().join("group")));
    print("a bare row, a commit each", single, 1.0, group);
    print("a bare row, 200 callers, group commit", group, 0.0, group);
    for (name, kind) in
        [("record, no rule", Kind::Unmatched), ("record, one rule", Kind::Matched), ("record, known", Kind::Known)]
    {
        let data = dir.path().join(format!("{kind:?}"));
        let (rate, batch) = runtime.block_on(record(&data, kind));
        print(&format!("{name}, 200 callers"), rate, batch, group);
    }
    let (rate, batch) = runtime.block_on(settle(&dir.path().join("Matched")));
    print("settle, 200 callers", rate, batch, group);
}

fn print(name: &str, rate: f64, batch: f64, group: f64) {
    println!("{name:<44} {rate:>10.0} {batch:>9.1} {:>14.2}", rate / group);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn bare(path: &Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)",
    )
    .unwrap();
    db
}

fn single(path: &Path) -> f64 {
    let db = bare(path);
    let body = body();
    let mut insert = db.prepare("INSERT INTO t (b) VALUES (?1)").unwrap();
    let (started, mut count) = (Instant::now(), 0);
    while started.elapsed() < ROUND {
        insert.execute([&body]).unwrap();
        count += 1;
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}

/// The least that a group commit can be: a thread that inserts what waits and answers after the commit.
async fn group(path: &Path) -> f64 {
    let (queue, mut rows) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>(CALLERS);
    let db = bare(path);
    let writer = std::thread::spawn(move || {
        let mut batch = Vec::new();
        while rows.blocking_recv_many(&mut batch, CALLERS) > 0 {
            db.execute_batch("BEGIN IMMEDIATE").unwrap();
            for (body, _) in &batch {
                db.prepare_cached("INSERT INTO t (b) VALUES (?1)").unwrap().execute([body]).unwrap();
            }
            db.execute_batch("COMMIT").unwrap();
            for (_, reply) in batch.drain(..) {
                reply.send(()).unwrap();
            }
        }
    });
    let rate = callers(move || {
        let queue = queue.clone();
        async move {
            let (reply, done) = oneshot::channel();
            queue.send((body(), reply)).await.unwrap();
            done.await.unwrap();
        }
    })
    .await;
    writer.join().unwrap();
    rate
}

/// Runs `step` in all callers for some rounds and returns how often a second.
async fn callers<F: Future<Output = ()> + Send + 'static>(step: impl Fn() -> F + Clone + Send + 'static) -> f64 {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let (started, count) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let tasks: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (step, count) = (step.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    while started.elapsed() < ROUND {
                        step().await;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        rates.push(count.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64());
    }
    median(rates)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unmatched,
    Matched,
    Known,
}

async fn record(data: &Path, kind: Kind) -> (f64, f64) {
    let store = Arc::new(SqliteStore::open(data, SqliteOptions::default()).await.unwrap());
    let numbers = Arc::new(AtomicU64::new(0));
    let (before, shared) = (store.stats(), Arc::clone(&store));
    let rate = callers(move || {
        let (store, number) = (Arc::clone(&shared), numbers.fetch_add(1, Ordering::Relaxed));
        async move {
            let key = if kind == Kind::Known { 0 } else { number };
            let event = event(number, key, kind == Kind::Matched);
            let recorded = store.record(vec![NewEvent { event, once: vec![] }], vec![]).await.unwrap();
            assert!(kind == Kind::Known || matches!(recorded.as_slice(), [Recorded::New(_)]));
        }
    })
    .await;
    let batch = batch(before, store.stats());
    store.close().await;
    (rate, batch)
}

/// Settles matches that were recorded before, to a state in which they can be settled again.
async fn settle(data: &Path) -> (f64, f64) {
    let store = Arc::new(SqliteStore::open(data, SqliteOptions::default()).await.unwrap());
    let numbers = Arc::new(AtomicU64::new(0));
    let (before, shared) = (store.stats(), Arc::clone(&store));
    let last = store.events(&runner_store::EventFilter::default(), None, 1).await.unwrap().remove(0);
    let last = u64::try_from(u128::from_be_bytes(*last.id.as_bytes())).unwrap();
    let rate = callers(move || {
        // Some of the last were never recorded.
        let number = numbers.fetch_add(1, Ordering::Relaxed) % last.saturating_sub(CALLERS as u64).max(1);
        let store = Arc::clone(&shared);
        async move {
            store.settle(id(number), &"bench.rule".parse().unwrap(), MatchState::Queued).await.unwrap();
        }
    })
    .await;
    let batch = batch(before, store.stats());
    store.close().await;
    (rate, batch)
}

fn batch(before: StoreStats, after: StoreStats) -> f64 {
    (after.commands - before.commands) as f64 / (after.commits - before.commits).max(1) as f64
}

fn id(number: u64) -> EventId {
    EventId::from_bytes(u128::from(number).to_be_bytes())
}

fn event(number: u64, key: u64, matched: bool) -> Event {
    let rule = "bench.rule".parse().unwrap();
    let found = || Match {
        execution: id(number).execution(&rule),
        rule: rule.clone(),
        action: "bench.deploy".parse().unwrap(),
        parameters: [("branch".to_owned(), json!("main"))].into_iter().collect(),
        state: MatchState::Pending,
    };
    Event {
        id: id(number),
        trigger: "core.webhook".parse().unwrap(),
        source: "github".into(),
        // As those of GitHub: they come in no order.
        key: Some(format!("{:016x}-7d1c-11ee", key.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        occurred_at: Timestamp::from_millis(1_795_257_960_007),
        received_at: Timestamp::from_millis(1_795_257_960_009),
        payload: serde_json::from_slice(&body()).unwrap(),
        chain: 0,
        trace_parent: None,
        sealed: false,
        secrets: Vec::new(),
        matches: matched.then(found).into_iter().collect(),
    }
}

/// About 1 KiB.
fn body() -> Vec<u8> {
    let commits: Vec<_> = (0..6)
        .map(|n| json!({"id": format!("{n:040x}"), "message": "grow the volumes of the second site", "author": "anna"}))
        .collect();
    serde_json::to_vec(&json!({"ref": "refs/heads/main", "repository": "acme/storage", "commits": commits})).unwrap()
}
