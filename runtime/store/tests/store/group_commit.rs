//! Group commit: many writers, few flushes, and one that fails does not fail its neighbours.

use std::sync::Arc;

use runner_model::Version;
use runner_store::{Journal as _, StoreError, Upkeep as _};

use crate::given::{append_at, id, new, scheduled, sqlite};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appends_share_commits_and_none_is_lost() {
    const WRITERS: u128 = 64;
    const APPENDS: u32 = 25;
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(sqlite(dir.path()).await);
    let before = store.stats();
    let writers: Vec<_> = (1..=WRITERS)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let lease = store.create(new(number)).await.unwrap();
                let mut version = lease.version;
                for step in 0..APPENDS {
                    version = store.append(append_at(&lease, version, vec![scheduled(1, step)])).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let stats = store.stats();
    let commands = stats.commands - before.commands;
    assert_eq!(u128::from(commands), WRITERS * u128::from(APPENDS + 1));
    assert!(stats.commits * 2 < commands, "{commands} commands took {} commits", stats.commits);
    assert!(stats.batch_max > 1 && stats.commit_time_max <= stats.commit_time);
    store.close().await;
    let store = sqlite(dir.path()).await;
    for number in 1..=WRITERS {
        let expected: Vec<_> = (0..APPENDS).map(|step| scheduled(1, step)).collect();
        assert_eq!(store.read(id(number), Version(2)).await.unwrap(), expected);
    }
    store.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_with_the_same_version_one_wins_and_the_others_learn_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(sqlite(dir.path()).await);
    let lease = store.create(new(1)).await.unwrap();
    let writers: Vec<_> = (0..32)
        .map(|step| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append(append_at(&lease, Version(2), vec![scheduled(1, step)])).await })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(version) => {
                assert_eq!(version, Version(3));
                won += 1;
            }
            Err(error) => assert_eq!(error, StoreError::VersionConflict { expected: Version(2), found: Version(3) }),
        }
    }
    assert_eq!((won, store.read(id(1), Version(0)).await.unwrap().len()), (1, 3));
}

#[tokio::test]
async fn what_was_accepted_is_written_even_if_nobody_waits_and_nothing_is_accepted_after_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    {
        // Polled once, so that the command is in the queue, then dropped.
        let mut create = std::pin::pin!(store.create(new(1)));
        let waker = std::task::Waker::noop();
        let _ = create.as_mut().poll(&mut std::task::Context::from_waker(waker));
    }
    store.close().await;
    assert_eq!(store.create(new(2)).await, Err(StoreError::Closed));
    assert_eq!(store.read(id(1), Version(0)).await, Err(StoreError::Closed));
    drop(store);
    assert_eq!(sqlite(dir.path()).await.read(id(1), Version(0)).await.unwrap(), new(1).entries);
}
