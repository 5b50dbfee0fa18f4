//! The load: connections that are kept open, on each one request after the other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::{Cpu, Served};

/// How long one part is asked in one round.
const ROUND: Duration = Duration::from_secs(2);

/// What is asked: requests, each of which takes a number of its own, and how a good answer begins.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) request: Box<dyn Fn(u64) -> String>,
    pub(crate) status: u16,
    /// Of the process that answers.
    pub(crate) cpu: Cpu,
}

impl Target {
    /// Posts of the same JSON, with further headers of each.
    pub(crate) fn post(
        served: &Served,
        (path, status): (&'static str, u16),
        headers: impl Fn(u64) -> String + 'static,
        body: &str,
    ) -> Self {
        let (address, length, body) = (served.address, body.len(), body.to_owned());
        let request = move |number| {
            let headers = headers(number);
            format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n{headers}\r\n{body}"
            )
        };
        Self { address, request: Box::new(request), status, cpu: served.cpu() }
    }
}

/// What was measured in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Half of them took less, in milliseconds.
    pub(crate) p50_ms: f64,
    /// All but one of a hundred took less.
    pub(crate) p99_ms: f64,
    /// Time of a processor that the process took for one request, in microseconds.
    pub(crate) cpu_us: f64,
}

impl Measured {
    /// The round in the middle, by its rate.
    pub(crate) fn middle(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds[rounds.len() / 2]
    }
}

static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// Asks for one round.
pub(crate) async fn measure(target: &Target, connections: usize) -> Measured {
    let (begun, cpu) = (Instant::now(), target.cpu.taken());
    let asking = (0..connections).map(|_| ask(target, begun));
    let mut times: Vec<_> = futures::future::join_all(asking).await.into_iter().flatten().collect();
    let took = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let cpu_us = (target.cpu.taken() - cpu).as_secs_f64() * 1e6 / times.len() as f64;
    Measured { rate: times.len() as f64 / took, p50_ms: at(0.5), p99_ms: at(0.99), cpu_us }
}

async fn ask(target: &Target, begun: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(target.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    while begun.elapsed() < ROUND {
        let request = (target.request)(NUMBERS.fetch_add(1, Ordering::Relaxed));
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        answered(&mut stream, &mut buffer, target.status).await;
        times.push(sent.elapsed());
    }
    times
}

/// Reads one answer, which has to have this status.
async fn answered(stream: &mut TcpStream, buffer: &mut [u8], status: u16) {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the connection was closed: {}", String::from_utf8_lossy(&buffer[..filled]));
        filled += read;
        let text = std::str::from_utf8(&buffer[..filled]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= length.expect("an answer has a length") {
            return;
        }
    }
}
