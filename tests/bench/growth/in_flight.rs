//! Memory of executions in flight: each a workflow whose guest waits for a slow server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::asked;
use crate::place::{Daemon, Place};
use crate::report::{Line, Report};

/// How long requests may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(report: &mut Report) {
    let count = if asked::is_quick() { 100 } else { 1_000 };
    report.title("executions in flight, each waiting for a slow server");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start());
    let place = Place::asking(server.port, &[]);
    let (mut daemon, _) = place.start();
    daemon.run("steps_1", &json!({}));
    let idle = daemon.resident_mb();
    report.add(Line::new("memory of the daemon, idle", idle, "MB"));
    let url = format!("http://127.0.0.1:{}/", server.port);
    let body = json!({ "action": "bench.asks", "parameters": { "url": url } });
    let ids: Vec<_> = (0..count).map(|_| daemon.client.post("/api/v1/executions", &body)["id"].clone()).collect();
    server.wait_for(count);
    let resident = daemon.resident_mb();
    let line = Line::new(format!("memory of the daemon, {count} in flight"), resident, "MB");
    report.add(line.beside(resident / idle, "the idle daemon").aim("1,000: under 300 MB"));
    report.add(Line::new("of which, each", (resident - idle) * 1e3 / count as f64, "kB"));
    server.go.send(true).unwrap();
    for id in ids {
        ended(&mut daemon, id.as_str().unwrap());
    }
    report.add(Line::new("memory of the daemon afterwards", daemon.resident_mb(), "MB"));
}

/// Waits until an execution has ended, well.
fn ended(daemon: &mut Daemon, id: &str) {
    let start = Instant::now();
    loop {
        let view = daemon.client.get(&format!("/api/v1/executions/{id}"));
        if view["status"] == "succeeded" {
            return;
        }
        assert!(view["status"] == "running" && start.elapsed() < PATIENCE, "{view}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Answers nobody until it is told to.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
    go: watch::Sender<bool>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let (go, gone) = watch::channel(false);
        let count = asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (count, mut gone) = (count.clone(), gone.clone());
                tokio::spawn(async move {
                    while stream.read(&mut [0; 4_096]).await.is_ok_and(|read| read > 0) {
                        count.fetch_add(1, Ordering::SeqCst);
                        let _ = gone.wait_for(|go| *go).await;
                        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await);
                    }
                });
            }
        });
        Self { port, asked, go }
    }

    /// Waits until so many requests have come.
    fn wait_for(&self, count: usize) {
        let start = Instant::now();
        while self.asked.load(Ordering::SeqCst) < count {
            assert!(start.elapsed() < PATIENCE, "{} of {count} came", self.asked.load(Ordering::SeqCst));
            std::thread::sleep(Duration::from_millis(20));
        }
        // What was made on the way is given back.
        std::thread::sleep(Duration::from_millis(500));
    }
}
