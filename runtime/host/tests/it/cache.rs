//! The compile cache: fast when it can be trusted, ignored when it cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_host::{Compiling, Host, HostOptions, World};
use runner_model::{Outcome, SystemClock};
use serde_json::json;

use super::kit::{attempt, limits, wasm};

fn host_in(directory: &Path) -> Host {
    let mut small = limits();
    small.guest.concurrency_max = 1;
    Host::new(HostOptions {
        cache_dir: Some(directory.to_owned()),
        compiling: Compiling::Here,
        limits: small,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

/// The smallest guest: it is compiled many times here.
async fn load(host: &Host) -> runner_host::Component {
    host.load(wasm("host-sensor.wasm"), World::Sensor).await.unwrap()
}

fn compiled(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect()
}

fn only(directory: &Path) -> PathBuf {
    let files = compiled(directory);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[tokio::test]
async fn the_directory_is_private_and_a_second_process_finds_what_the_first_compiled() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("cache");
    load(&host_in(&directory)).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("key")), 0o600);
    let file = only(&directory);
    assert_eq!(mode(&file), 0o600);
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    let start = std::time::Instant::now();
    load(&host_in(&directory)).await;
    assert_eq!(fs::metadata(only(&directory)).unwrap().modified().unwrap(), written, "it was not compiled again");
    eprintln!("from the cache: {:?}", start.elapsed());
}

#[tokio::test]
async fn a_changed_byte_anywhere_is_refused_and_the_file_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let host = host_in(directory.path());
    load(&host).await;
    let file = only(directory.path());
    let good = fs::read(&file).unwrap();
    let places = [0, 1, 31, 32, 33, 64, good.len() / 3, good.len() / 2, good.len() - 1];
    let mut mutations: Vec<Vec<u8>> = places
        .iter()
        .map(|place| {
            let mut bytes = good.clone();
            bytes[*place] ^= 1;
            bytes
        })
        .collect();
    mutations.extend([Vec::new(), good[..16].to_vec(), good[..good.len() - 1].to_vec(), [&good[..], b"x"].concat()]);
    for (number, mutation) in mutations.into_iter().enumerate() {
        fs::write(&file, &mutation).unwrap();
        let sensor = load(&host).await;
        assert_ne!(fs::read(&file).unwrap(), mutation, "mutation {number} was not replaced");
        let polled = host.poll(&sensor, attempt("counter", json!({})), None).await.unwrap();
        assert_eq!(polled.events.len(), 1);
    }
}

#[tokio::test]
async fn a_file_under_another_name_or_with_another_key_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (host_one, host_two) = (host_in(one.path()), host_in(two.path()));
    load(&host_one).await;
    load(&host_two).await;
    // The other directory's file: right content, right name, another key.
    let foreign = fs::read(only(one.path())).unwrap();
    fs::write(only(two.path()), &foreign).unwrap();
    load(&host_two).await;
    assert_ne!(fs::read(only(two.path())).unwrap(), foreign);

    // The same directory's file of another component: right key, another name.
    let simulator = host_one.load(wasm("host-simulator.wasm"), World::Simulator).await;
    assert!(simulator.is_ok());
    let files = compiled(one.path());
    let (a, b) = (fs::read(&files[0]).unwrap(), fs::read(&files[1]).unwrap());
    fs::write(&files[0], &b).unwrap();
    fs::write(&files[1], &a).unwrap();
    load(&host_one).await;
    host_one.load(wasm("host-simulator.wasm"), World::Simulator).await.unwrap();
    assert_ne!(fs::read(&files[0]).unwrap(), b);
    assert_ne!(fs::read(&files[1]).unwrap(), a);
}

#[tokio::test]
async fn a_key_that_others_could_read_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    load(&host_in(directory.path())).await;
    let key = directory.path().join("key");
    let (old, sealed) = (fs::read(&key).unwrap(), fs::read(only(directory.path())).unwrap());
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    load(&host_in(directory.path())).await;
    assert_ne!(fs::read(&key).unwrap(), old);
    assert_ne!(fs::read(only(directory.path())).unwrap(), sealed);
}

#[tokio::test]
async fn two_hosts_can_fill_one_directory_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let loading: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move {
                let host = host_in(&path);
                let sensor = load(&host).await;
                host.poll(&sensor, attempt("counter", json!({})), None).await.is_ok()
            })
        })
        .collect();
    for task in loading {
        assert!(task.await.unwrap());
    }
    only(directory.path());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left beside file and key");
}

#[tokio::test]
async fn without_a_directory_that_can_be_written_it_runs_all_the_same() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let host = host_in(&file.join("cache"));
    let sensor = load(&host).await;
    let ended = host.poll(&sensor, attempt("nothing", json!({})), None).await.unwrap_err();
    assert!(matches!(ended, Outcome::Failed { .. }));
}
