//! One connection to the daemon, kept open.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    used: Instant,
}

/// A daemon closes what is idle for longer.
const IDLE_MAX: Duration = Duration::from_secs(5);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: connect(address), used: Instant::now() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.ask("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, &body.to_string())
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Value {
        if self.used.elapsed() > IDLE_MAX {
            self.stream = connect(self.address);
        }
        let (address, length) = (self.address, body.len());
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n");
        let request = format!("{head}content-length: {length}\r\n\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let answer = self.answer();
        self.used = Instant::now();
        answer
    }

    fn answer(&mut self) -> Value {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "the connection was closed");
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}
