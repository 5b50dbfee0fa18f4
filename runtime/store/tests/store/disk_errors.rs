//! A disk that fails in the middle of a commit: the store stops writing and says so.

use std::path::PathBuf;
use std::process::Command;

use runner_model::{Version, code};
use runner_store::{Journal as _, KeyValue as _, StoreError};
use serde_json::{Value, json};

use crate::given::{append_at, id, new, noise, pack, result, sqlite};

const DIRECTORY: &str = "RUNNER_STORE_TEST_LIMITED";

/// The kernel refuses writes beyond a file size to the child, which SQLite sees as an input/output error in COMMIT.
#[cfg(unix)]
#[tokio::test]
async fn after_a_failed_commit_nothing_more_is_written_and_nothing_acknowledged_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "disk_errors::a_child_that_writes_until_the_disk_fails", "--ignored", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged: u64 =
        said.split("acknowledged ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!(acknowledged > 3);
    let store = sqlite(dir.path()).await;
    store.verify().await.unwrap();
    let found = store.read(id(1), Version(0)).await.unwrap().len() as u64;
    // The one that failed may be there: whether it is was unknown.
    assert!(found == acknowledged || found == acknowledged + 1, "{found} found, {acknowledged} acknowledged");
    store.create(new(2)).await.unwrap();
}

#[tokio::test]
#[ignore = "it is the child of the test above"]
async fn a_child_that_writes_until_the_disk_fails() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let store = sqlite(&directory).await;
    let lease = store.create(new(1)).await.unwrap();
    let mut acknowledged = lease.version;
    let big = |seed| Value::String(noise(seed, 64 * 1024));
    let error = loop {
        match store.append(append_at(&lease, acknowledged, vec![result(1, 0, big(acknowledged.0))])).await {
            Ok(version) => acknowledged = version,
            Err(error) => break error,
        }
        assert!(acknowledged < Version(1000), "the limit does not work");
    };
    assert!(matches!(error, StoreError::Halted { .. }), "{error:?}");
    assert_eq!(error.code(), code::STORE_HALTED);
    // Even what would fit: after a failed flush no later one can be trusted.
    let small = store.set(&pack("a"), "k", json!(1), None).await;
    assert!(matches!(small, Err(StoreError::Halted { .. })), "{small:?}");
    assert_eq!(store.read(id(1), Version(0)).await.unwrap().len() as u64, acknowledged.0);
    println!("acknowledged {acknowledged} ");
}
