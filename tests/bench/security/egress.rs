//! The egress door: what classifying costs a request (S14), and what a server that floods costs in memory (S17).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_host::{Attempt, Compiling, Component, Connections, Deaf, Host, HostOptions, NoKv, PackContext, World};
use runner_model::{
    AddressClass, AttemptNumber, ConnectionName, ExecutionId, Limits, Outcome, PackRef, Permissions, StepId,
    SystemClock,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Row;

/// Requests whose median is shown.
const REQUESTS: usize = 300;
/// Floods, one after the other.
const FLOODS: usize = 64;

pub(crate) async fn measure() -> Vec<Row> {
    let guest = Guest::new().await;
    let (friendly, flooding) = (serve(false).await, serve(true).await);
    let url = format!("http://127.0.0.1:{friendly}/");
    let mut rows = vec![
        classify(),
        guest.requests("a request through a connection", friendly, json!({ "connection": "box", "path": "/" })).await,
        guest.requests("a request to a URL", friendly, json!({ "url": url })).await,
    ];
    rows.extend(guest.floods(flooding).await);
    rows
}

fn classify() -> Row {
    let addresses: Vec<IpAddr> =
        ["8.8.8.8", "10.1.2.3", "169.254.169.254", "2606:4700::1111", "::ffff:10.1.2.3", "fd00:ec2::254"]
            .map(|text| text.parse().unwrap())
            .into();
    let (start, rounds) = (Instant::now(), 100_000_u32);
    for _ in 0..rounds {
        for address in &addresses {
            std::hint::black_box(AddressClass::of(std::hint::black_box(*address)));
        }
    }
    let each = start.elapsed() / (rounds * u32::try_from(addresses.len()).unwrap());
    Row("an address is classified in", format!("{each:?}"), "")
}

struct Guest {
    host: Host,
    component: Component,
    _cache: tempfile::TempDir,
}

impl Guest {
    async fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let (cache_dir, limits) = (Some(cache.path().to_owned()), Limits::default());
        let host =
            Host::new(HostOptions { cache_dir, compiling: Compiling::Here, limits, clock: Arc::new(SystemClock) })
                .unwrap();
        let wasm = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/components/host-guest.wasm");
        let component = host.load(std::fs::read(wasm).unwrap().into(), World::Action).await.unwrap();
        Self { host, component, _cache: cache }
    }

    async fn requests(&self, what: &'static str, port: u16, request: Value) -> Row {
        let pack = pack(port);
        let mut times = Vec::new();
        for _ in 0..REQUESTS {
            let start = Instant::now();
            let answer = self.ask(&pack, request.clone()).await;
            times.push(start.elapsed());
            assert_eq!(answer["status"], 200, "{answer}");
        }
        times.sort_unstable();
        Row(what, format!("{:?}, p99 {:?}", times[REQUESTS / 2], times[REQUESTS * 99 / 100]), "")
    }

    async fn floods(&self, port: u16) -> Vec<Row> {
        let pack = pack(port);
        let request = json!({ "connection": "box", "path": "/" });
        // The first ones size the buffers that stay.
        for _ in 0..4 {
            self.ask(&pack, request.clone()).await;
        }
        let (before, start) = (resident_kib(), Instant::now());
        let mut peak = before;
        for _ in 0..FLOODS {
            let answer = self.ask(&pack, request.clone()).await;
            assert_eq!(answer["error"]["code"], "E-NET-0008", "{answer}");
            peak = peak.max(resident_kib());
        }
        let grown = |kib: u64| i64::try_from(kib).unwrap() - i64::try_from(before).unwrap();
        let each = start.elapsed() / u32::try_from(FLOODS).unwrap();
        vec![
            Row("a body without an end is refused in", format!("{each:?}"), ""),
            Row("memory at the most while 64 of them are", format!("{:+} KiB", grown(peak)), "S17: + 8192 KiB"),
            Row("memory afterwards", format!("{:+} KiB", grown(resident_kib())), ""),
        ]
    }

    async fn ask(&self, pack: &Arc<PackContext>, request: Value) -> Value {
        let attempt = Attempt {
            execution: ExecutionId::from_bytes([7; 16]),
            step: StepId(0),
            action: "bench.http".parse().unwrap(),
            function: "http".to_owned(),
            number: AttemptNumber::FIRST,
            idempotency_key: "key".to_owned(),
            span_key: None,
            input: request,
            timeout: Duration::from_secs(60),
            last_heartbeat: None,
            trace: None,
            cancel: CancellationToken::new(),
            pack: Arc::clone(pack),
            observer: Arc::new(Deaf),
        };
        match self.host.run(&self.component, attempt).await {
            Outcome::Succeeded { result } => result,
            other => panic!("{other:?}"),
        }
    }
}

fn pack(port: u16) -> Arc<PackContext> {
    let url = format!("http://127.0.0.1:{port}");
    let rules = json!({ "http": [{ "connection": "*" }, { "url": url }] });
    let permissions: Permissions = serde_json::from_value(rules).unwrap();
    let config = json!({ "kind": "storage", "base_url": url, "manners": { "retry": { "tries": 1 } } });
    let configs = vec![(ConnectionName::new("box").unwrap(), serde_json::from_value(config).unwrap())];
    Arc::new(PackContext {
        pack: PackRef::new("bench").unwrap(),
        version: "0.1.0".to_owned(),
        permissions: permissions.clone(),
        grant: permissions,
        current: None,
        config: "{}".to_owned(),
        kv: Arc::new(NoKv),
        connections: Connections::new(configs, BTreeMap::new(), &Limits::default()).unwrap(),
    })
}

/// A server that answers with two bytes, or without an end.
async fn serve(floods: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while stream.read(&mut [0; 4_096]).await.is_ok_and(|read| read > 0) {
                    if !floods {
                        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await);
                        continue;
                    }
                    drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
                    while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
                    return;
                }
            });
        }
    });
    port
}

/// The memory of this process, in KiB, as the system counts it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
