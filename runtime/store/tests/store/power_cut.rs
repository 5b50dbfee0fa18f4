//! A power cut: what was acknowledged is on the disk. `kill -9` cannot show that, because the system's cache survives it.
//!
//! The writes and flushes of a store at work are recorded. Then, many times, the power is cut somewhere in the recording:
//! a disk is made that holds everything that was flushed until there and a random part of what was only written; the
//! store opens it, finds it sound, and finds every append that had been acknowledged. That the test would see a loss is
//! shown by a store that does not flush its commits.

mod disk;
mod recorder;

use std::path::Path;
use std::sync::Arc;

use runner_model::{Entry, FencingToken, Version};
use runner_store::{
    Journal as _, KeyValue as _, Lease, Leases as _, SqliteOptions, SqliteStore, SqliteTestOptions, StoreError,
    Upkeep as _,
};
use rusqlite::Connection;
use serde_json::json;

use crate::given::{append_at, at, id, new, noise, pack, result, sqlite};
use disk::{Disk, Event, Random};
use recorder::Recorder;

/// Crash images of a short run; `RUNNER_POWER_CUTS=500` asks for a long one.
const IMAGES: u64 = 60;
const WRITERS: usize = 5;
/// Appends of each writer in one life of the store.
const APPENDS: u64 = 14;
/// Lives of the store: each ends by closing it, which moves the log into the database and deletes it.
const LIVES: u64 = 3;

/// The whole journal of a writer.
fn journal(writer: usize) -> Vec<Entry> {
    let entry = |version: u64| {
        // Some are kept as blobs.
        let bytes = if version.is_multiple_of(6) { 20_000 } else { 700 };
        result(1, 0, json!({"version": version, "text": noise(version * 1000 + writer as u64, bytes)}))
    };
    let begin = new(writer as u128 + 1).entries;
    begin.into_iter().chain((2..2 + LIVES * APPENDS).map(entry)).collect()
}

/// A store at work, with everything it writes, flushes and acknowledges.
async fn record(name: &str, unflushed: bool) -> Vec<Event> {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::register(name);
    for life in 0..LIVES {
        let test = SqliteTestOptions { unflushed, vfs: Some(name.to_owned()) };
        let options = SqliteOptions { test, ..SqliteOptions::default() };
        let store = Arc::new(SqliteStore::open(dir.path(), options).await.unwrap());
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(work(Arc::clone(&store), recorder, writer, life))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(store.stats().checkpoints > 0, "{:?}", store.stats());
        // The last one is cut off in the middle of its work.
        if life + 1 < LIVES {
            store.close().await;
        }
    }
    recorder.events()
}

async fn work(store: Arc<SqliteStore>, recorder: &'static Recorder, writer: usize, life: u64) {
    let journal = journal(writer);
    // Enough of it for the log to be moved into the database while the store is at work. What stays the same is not
    // written again, so there are two.
    let ballast = [0, 1].map(|seed| json!(noise(writer as u64 + seed, 200_000)));
    let id = id(writer as u128 + 1);
    let acknowledged = |version: Version| recorder.note(Event::Acknowledged { writer, version: version.0 });
    let mut lease = Lease { id, token: FencingToken(1), version: Version(2 + life * APPENDS) };
    if life == 0 {
        lease = store.create(new(writer as u128 + 1)).await.unwrap();
        acknowledged(lease.version);
    }
    for _ in 0..APPENDS {
        let entries = vec![journal[usize::try_from(lease.version.0).unwrap()].clone()];
        lease.version = store.append(append_at(&lease, lease.version, entries)).await.unwrap();
        acknowledged(lease.version);
        if lease.version.0.is_multiple_of(3) {
            store.park(id, lease.token, Some(at(5))).await.unwrap();
            store
                .set(
                    &pack("core"),
                    &format!("writer {writer}"),
                    ballast[usize::try_from(lease.version.0 % 2).unwrap()].clone(),
                    None,
                )
                .await
                .unwrap();
        }
    }
}

/// What a disk has lost.
#[derive(Debug, Default)]
struct Found {
    images: u64,
    /// Images with changes that had not been flushed: only these can lose anything.
    unflushed: u64,
    /// Images on which appends that had been acknowledged are missing.
    lossy: u64,
}

async fn cut(events: &[Event], images: u64) -> Found {
    let mut found = Found::default();
    let journals: Vec<_> = (0..WRITERS).map(journal).collect();
    let acknowledgements: Vec<usize> =
        (0..events.len()).filter(|at| matches!(events[*at], Event::Acknowledged { .. })).collect();
    for seed in 0..images {
        let mut random = Random(seed);
        // Half of them right after the store has promised something.
        let end = match random.below(2) {
            0 => acknowledgements[random.below(acknowledgements.len())] + 1,
            _ => random.below(events.len() + 1),
        };
        let disk = Disk::after(&events[..end]);
        // Kept where the test fails: another recording is not the same, because writers share commits as it happens.
        let dir = tempfile::tempdir().unwrap().keep();
        for (name, bytes) in disk.crash(&mut random) {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        found.images += 1;
        found.unflushed += u64::from(disk.unflushed() > 0);
        found.lossy += u64::from(loses(&dir, &events[..end], &journals).await);
        std::fs::remove_dir_all(&dir).unwrap();
    }
    found
}

/// Whether acknowledged appends are missing on the disk, which must be sound in any case.
async fn loses(dir: &Path, events: &[Event], journals: &[Vec<Entry>]) -> bool {
    let image = dir.display();
    let mut acknowledged = [0; WRITERS];
    for event in events {
        if let Event::Acknowledged { writer, version } = event {
            acknowledged[*writer] = *version;
        }
    }
    let store = SqliteStore::open(dir, SqliteOptions::default()).await;
    let store = store.unwrap_or_else(|error| panic!("{image}: {error}"));
    let check: String = Connection::open(dir.join("runner.db"))
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok", "{image}");
    store.verify().await.unwrap_or_else(|error| panic!("{image}: {error}"));
    let mut lost = false;
    for (writer, acknowledged) in acknowledged.into_iter().enumerate() {
        let found = match store.read(id(writer as u128 + 1), Version(0)).await {
            Ok(found) => found,
            Err(StoreError::NotFound) => Vec::new(),
            Err(error) => panic!("{image}: {error}"),
        };
        // What is there is what was written, without a gap.
        assert!(journals[writer].starts_with(&found), "{image}: writer {writer}");
        lost |= (found.len() as u64) < acknowledged;
    }
    // And it goes on.
    store.create(new(100)).await.unwrap_or_else(|error| panic!("{image}: {error}"));
    store.close().await;
    assert_eq!(sqlite(dir).await.read(id(100), Version(0)).await.unwrap(), new(100).entries, "{image}");
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn no_power_cut_loses_what_was_acknowledged() {
    let images =
        std::env::var_os("RUNNER_POWER_CUTS").map_or(IMAGES, |images| images.to_str().unwrap().parse().unwrap());
    let events = record("recorder-flushed", false).await;
    let found = cut(&events, images).await;
    println!("{found:?} of {} events", events.len());
    assert_eq!((found.images, found.lossy), (images, 0), "{found:?}");
    assert!(found.unflushed * 3 > images, "{found:?}: hardly any of the images could have lost anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_power_cuts_lose_acknowledged_appends_of_a_store_that_does_not_flush_its_commits() {
    let events = record("recorder-unflushed", true).await;
    let found = cut(&events, IMAGES / 2).await;
    println!("{found:?} of {} events", events.len());
    assert!(found.lossy > 0, "{found:?}: the test above would not notice a loss");
}
