//! The load: connections that are kept open, on each one request after the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::Served;

/// How long one part is asked in one round.
const ROUND: Duration = Duration::from_secs(2);

/// What was measured in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Half of them took less, in milliseconds.
    pub(crate) p50_ms: f64,
    /// All but one of a hundred took less.
    pub(crate) p99_ms: f64,
}

impl Measured {
    /// The round in the middle, by its rate.
    pub(crate) fn middle(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds[rounds.len() / 2]
    }
}

/// Every delivery has an id of its own.
static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// Asks for one round.
pub(crate) async fn measure(served: &Served, connections: usize) -> Measured {
    let begun = Instant::now();
    let asking = (0..connections).map(|_| ask(served, begun));
    let mut times: Vec<_> = futures::future::join_all(asking).await.into_iter().flatten().collect();
    let took = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    Measured { rate: times.len() as f64 / took, p50_ms: at(0.5), p99_ms: at(0.99) }
}

async fn ask(served: &Served, begun: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    while begun.elapsed() < ROUND {
        let request = served.request(&format!("d-{}", DELIVERIES.fetch_add(1, Ordering::Relaxed)));
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        accepted(&mut stream, &mut buffer).await;
        times.push(sent.elapsed());
    }
    times
}

/// Reads one answer, which has to be 202.
async fn accepted(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the connection was closed: {}", String::from_utf8_lossy(&buffer[..filled]));
        filled += read;
        let text = std::str::from_utf8(&buffer[..filled]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 202"), "{text}");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= length.expect("an answer has a length") {
            return;
        }
    }
}
