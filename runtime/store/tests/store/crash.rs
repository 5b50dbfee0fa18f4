//! `kill -9`: what was acknowledged before is there afterwards.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use runner_model::Version;
use runner_store::{Advance, Catalogue as _, Events as _, ExecutionFilter, Journal as _, Recorded};

use crate::given::{append_at, event, event_id, id, new, plain, scheduled, sqlite};

/// Says to the child, which is this very test binary, where to write.
const DIRECTORY: &str = "RUNNER_STORE_TEST_DIRECTORY";
const WRITERS: u128 = 8;

#[tokio::test]
async fn every_append_that_was_acknowledged_before_a_kill_is_there_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = vec![0_u64; usize::try_from(WRITERS).unwrap()];
    // The later rounds find what the earlier ones left, a log that was not closed among it.
    for (round, kill_after) in [1, 40, 300, 1000].into_iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::a_child_that_appends_until_it_is_killed", "--ignored", "--nocapture"])
            .env(DIRECTORY, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acks = 0;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            let Some(ack) = line.strip_prefix("ack ") else { continue };
            let (writer, version) = ack.split_once(' ').unwrap();
            expected[writer.parse::<usize>().unwrap()] = version.parse().unwrap();
            acks += 1;
            if acks == kill_after {
                // SIGKILL; what is still in the pipe is read on, it was acknowledged too.
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success() && acks >= kill_after, "round {round}: {acks} acknowledged");

        let store = sqlite(dir.path()).await;
        store.verify().await.unwrap();
        for (writer, acknowledged) in expected.iter_mut().enumerate().filter(|(_, acknowledged)| **acknowledged > 0) {
            let found = store.read(id(writer as u128), Version(0)).await.unwrap();
            let steps = (0..).map(|step| scheduled(1, step)).take(found.len() - 2);
            assert_eq!(found, new(writer as u128).entries.into_iter().chain(steps).collect::<Vec<_>>());
            assert!(found.len() as u64 >= *acknowledged, "writer {writer}: {acknowledged} acknowledged");
        }
    }
}

#[tokio::test]
async fn every_event_that_was_acknowledged_before_a_kill_is_there_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::a_child_that_records_until_it_is_killed", "--ignored", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged: Vec<u128> = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let Some(number) = line.strip_prefix("recorded ") else { continue };
        acknowledged.push(number.parse().unwrap());
        if acknowledged.len() == 200 {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success() && acknowledged.len() >= 200);

    let store = sqlite(dir.path()).await;
    store.verify().await.unwrap();
    let newest = acknowledged.iter().max().unwrap();
    assert!(store.mark("newest").await.unwrap().unwrap().parse::<u128>().unwrap() >= *newest);
    for number in acknowledged {
        let expected = event(number, Some(&number.to_string()), &["a"]);
        assert_eq!(store.event(event_id(number)).await, Ok(expected.clone()));
        // Whoever did not hear of it sends it again.
        let again = plain(event(number + 1_000_000, Some(&number.to_string()), &["a"]));
        assert_eq!(store.record(vec![again], vec![]).await, Ok(vec![Recorded::Known(expected)]));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is the child of the test above and does not end by itself"]
async fn a_child_that_records_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let store = sqlite(&directory).await;
    for number in 1.. {
        let advance = vec![Advance::Mark { name: "newest".into(), value: number.to_string() }];
        let delivery = plain(event(number, Some(&number.to_string()), &["a"]));
        store.record(vec![delivery], advance).await.unwrap();
        std::io::stdout().lock().write_all(format!("recorded {number}\n").as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is the child of the first test and does not end by itself"]
async fn a_child_that_appends_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let store = Arc::new(sqlite(&directory).await);
    let known = store.list(&ExecutionFilter::default(), None, 99).await.unwrap();
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let store = Arc::clone(&store);
        let is_known = known.iter().any(|record| record.id == id(number));
        writers.push(tokio::spawn(async move {
            let mut lease =
                runner_store::Lease { id: id(number), token: runner_model::FencingToken(1), version: Version(0) };
            lease.version = if is_known {
                Version(store.read(id(number), Version(0)).await.unwrap().len() as u64)
            } else {
                store.create(new(number)).await.unwrap().version
            };
            loop {
                // One write a line, so that a kill cannot leave half of one in the pipe.
                let line = format!("ack {number} {}\n", lease.version);
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                let step = u32::try_from(lease.version.0 - 2).unwrap();
                lease.version = store.append(append_at(&lease, lease.version, vec![scheduled(1, step)])).await.unwrap();
            }
        }));
    }
    // None of them ends: the first that does has failed.
    writers.swap_remove(0).await.unwrap();
}
