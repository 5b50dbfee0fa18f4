//! What a restart pays for the executions that the process before it left open, and what it costs to own many.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss, reason = "a measurement for people")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_model::{Entry, ExecutionId, Fact, FencingToken, NodeId, Origin, Requested, Timestamp, Version};
use runner_store::{Claimed, Journal as _, Leases as _, NewExecution, SqliteOptions, SqliteStore, Upkeep as _};
use serde_json::json;

/// Executions that ride in one commit when they are claimed.
const BATCH: usize = 1_000;
/// Executions that are made or parked at the same time, so that they share commits.
const TOGETHER: u64 = 500;

fn main() {
    let dir = tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:<24} {:>9} {:>9} {:>10} {:>10} {:>9} {:>9}",
        "", "open ms", "claim ms", "us each", "commit max", "renew us", "read ms"
    );
    for (count, parked) in [(1_000, false), (10_000, false), (10_000, true), (100_000, true)] {
        let data = dir.path().join(format!("{count}-{parked}"));
        runtime.block_on(restart(&data, count, parked));
    }
}

async fn restart(data: &Path, count: u64, parked: bool) {
    fill(data, count, parked).await;
    let opening = Instant::now();
    let store = SqliteStore::open(data, SqliteOptions::default()).await.unwrap();
    let open = opening.elapsed();

    let node = NodeId("second".into());
    let claiming = Instant::now();
    store.expire(&first()).await.unwrap();
    store.renew(&node, at(60_000)).await.unwrap();
    let mut claimed: Vec<Claimed> = Vec::new();
    loop {
        let batch = store.claim_open(&node, at(1), BATCH).await.unwrap();
        let is_last = batch.len() < BATCH;
        claimed.extend(batch);
        if is_last {
            break;
        }
    }
    let claim = claiming.elapsed();
    assert_eq!(claimed.len() as u64, count);
    assert!(claimed.iter().all(|claimed| claimed.wake_at.is_some() == parked));
    let commit_max = store.stats().commit_time_max;

    let mut renewals: Vec<Duration> = Vec::new();
    for turn in 1..=21 {
        let renewing = Instant::now();
        store.renew(&node, at(60_000 + turn)).await.unwrap();
        renewals.push(renewing.elapsed());
    }
    renewals.sort();
    let renewal = renewals.get(renewals.len() / 2).copied().unwrap_or_default();

    // What was at work has its journal read.
    let reading = Instant::now();
    for one in claimed.iter().filter(|one| one.wake_at.is_none()) {
        store.read(one.lease.id, Version(0)).await.unwrap();
    }
    let read = reading.elapsed();
    println!(
        "{:<24} {:>9.1} {:>9.1} {:>10.1} {:>7.1} ms {:>9} {:>9.1}",
        format!("{count} open{}", if parked { ", parked" } else { "" }),
        millis(open),
        millis(claim),
        1000.0 * millis(claim) / count as f64,
        millis(commit_max),
        renewal.as_micros(),
        millis(read),
    );
    store.close().await;
}

/// Executions of a process that is gone.
async fn fill(data: &Path, count: u64, parked: bool) {
    let store = Arc::new(SqliteStore::open(data, SqliteOptions::default()).await.unwrap());
    let tasks: Vec<_> = (0..TOGETHER)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in (task..count).step_by(usize::try_from(TOGETHER).unwrap()) {
                    let lease = store.create(new(number)).await.unwrap();
                    assert_eq!(lease.token, FencingToken(1));
                    if parked {
                        store.park(lease.id, lease.token, Some(at(1_000_000))).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    store.close().await;
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn first() -> NodeId {
    NodeId("first".into())
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
    // As ids of version 7 are: in the order of time, then random.
    let id = (u128::from(number / 10) << 80) | u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    NewExecution {
        id: ExecutionId::from_bytes(id.to_be_bytes()),
        entries: vec![Entry::new(at(0), Fact::Requested(Box::new(requested))), Entry::new(at(0), Fact::Started)],
        owner: first(),
        lease_until: at(30_000),
    }
}
