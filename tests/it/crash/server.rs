//! A server that takes a while to answer, and remembers everything that it was asked for.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) at: Instant,
    /// What it answered.
    pub(crate) status: u16,
}

/// What was asked, by idempotency key.
pub(crate) type Log = BTreeMap<String, Vec<Asked>>;

pub(crate) struct Server {
    port: u16,
    log: Arc<Mutex<Log>>,
}

impl Server {
    /// Answers until the test's process ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Log::new()));
        let server = Self { port, log: log.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = log.clone();
                // Whoever asked may be killed at any moment.
                std::thread::spawn(move || while answer(&stream, &log).is_some() {});
            }
        });
        server
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn log(&self) -> Log {
        self.log.lock().unwrap().clone()
    }
}

/// Answers one request; none if there is none any more.
fn answer(mut stream: &TcpStream, log: &Mutex<Log>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|length| *length > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => value.trim().clone_into(&mut key),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    reader.take(length).read_to_end(&mut Vec::new()).ok()?;
    let status = note(log, key, path);
    // Between 5 and 165 ms: long enough to be killed meanwhile.
    std::thread::sleep(Duration::from_millis(5 + wait_of(&line)));
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok");
    stream.write_all(answer.as_bytes()).ok()
}

/// The same for the same path.
fn wait_of(line: &str) -> u64 {
    line.bytes().map(u64::from).sum::<u64>() % 160
}

/// Notes a request and decides on the answer: what is flaky fails at first.
fn note(log: &Mutex<Log>, key: String, path: String) -> u16 {
    let mut log = log.lock().unwrap();
    let asked = log.entry(key).or_default();
    let status = if path.contains("/flaky/") && asked.is_empty() { 500 } else { 200 };
    asked.push(Asked { path, at: Instant::now(), status });
    status
}
