//! S17: servers that break the protocol, flood or stall. Each of them is an error with its own code, within the limits of
//! time and size, and the next request goes on as if nothing had been.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runner_host::{Component, ConnectionConfig, Connections, Host, World};
use runner_model::{Code, ConnectionName, Limits, Outcome, code};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use super::kit::{attempt_in, host_with, limits, pack, wasm};
use super::server::{Authority, Server};

/// What the kernel may hold for a reader that has gone, on both sides, in bytes.
const KERNEL_BUFFERS: usize = 16 * 1024 * 1024;
/// As long as nothing happens in these tests.
const LONG: Duration = Duration::from_secs(600);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection to a hostile server.
struct Wire {
    stream: Box<dyn Stream>,
    sent: Arc<AtomicUsize>,
}

impl Wire {
    /// Reads the request, sends this.
    async fn answer(&mut self, text: &str) {
        self.heard().await;
        self.send(text.as_bytes()).await;
    }

    async fn heard(&mut self) {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") && self.stream.read_buf(&mut seen).await.unwrap_or(0) > 0 {}
    }

    /// False when nobody listens any more.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        let written = self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok();
        self.sent.fetch_add(if written { bytes.len() } else { 0 }, Ordering::SeqCst);
        written
    }

    /// Sends this until nobody listens any more.
    async fn flood(&mut self, bytes: &[u8]) {
        while self.send(bytes).await {}
    }

    /// Sends the first bytes of this one by one, slowly.
    async fn trickle(&mut self, bytes: &[u8]) {
        for byte in bytes {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if !self.send(&[*byte]).await {
                return;
            }
        }
    }

    async fn stall(self) {
        tokio::time::sleep(LONG).await;
    }
}

type Behaviour = fn(Wire) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a server is hostile, and what that is called.
struct Case {
    name: &'static str,
    kind: Kind,
    behave: Behaviour,
    expected: Code,
    /// Words of the message.
    says: &'static str,
    /// What it gets rid of at the most, beside what the kernel holds.
    bytes_max: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// HTTP/1.1 without TLS.
    Plain,
    /// A client that expects TLS, a server that does not speak it.
    Raw,
    /// HTTP/2, after a handshake.
    H2,
}

macro_rules! behave {
    (|$wire:ident| $body:block) => {
        |#[allow(unused_mut, reason = "some only read")] mut $wire: Wire| Box::pin(async move { $body })
    };
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

#[allow(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let limits = limits().http;
    let (body, heads) = (limits.response_bytes_max, 1024 * 1024);
    let case = |name, kind, expected, says, bytes_max, behave: Behaviour| Case {
        name,
        kind,
        behave,
        expected,
        says,
        bytes_max,
    };
    use Kind::{H2, Plain, Raw};
    vec![
        case(
            "1 GB announced",
            Plain,
            code::NET_TOO_LARGE,
            "larger than the limit",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-length: 1000000000\r\n\r\n")).await;
                wire.flood(&[b'x'; 65_536]).await;
            }),
        ),
        case(
            "1 GB in chunks",
            Plain,
            code::NET_TOO_LARGE,
            "larger than the limit",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n")).await;
                let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
                wire.flood(chunk.as_bytes()).await;
            }),
        ),
        case(
            "1 GB until it closes",
            Plain,
            code::NET_TOO_LARGE,
            "larger than the limit",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}\r\n")).await;
                wire.flood(&[b'x'; 65_536]).await;
            }),
        ),
        case(
            "gzip 1000:1",
            Plain,
            code::NET_TOO_LARGE,
            "larger than the limit",
            body,
            behave!(|wire| {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                std::io::Write::write_all(&mut encoder, &vec![0; 8 * 1024 * 1024]).unwrap();
                let zipped = encoder.finish().unwrap();
                wire.answer(&format!("{OK}content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", zipped.len())).await;
                wire.send(&zipped).await;
                wire.stall().await;
            }),
        ),
        case(
            "gzip that is none",
            Plain,
            code::NET_PROTOCOL,
            "cannot be decompressed",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-encoding: gzip\r\ncontent-length: 9\r\n\r\nnot a zip")).await;
                wire.stall().await;
            }),
        ),
        case(
            "endless headers",
            Plain,
            code::NET_TOO_LARGE,
            "headers",
            heads,
            behave!(|wire| {
                wire.answer(OK).await;
                wire.flood(b"x-more: and more and more and more\r\n").await;
            }),
        ),
        case(
            "one huge header",
            Plain,
            code::NET_TOO_LARGE,
            "headers",
            heads,
            behave!(|wire| {
                wire.answer(&format!("{OK}x-huge: ")).await;
                wire.flood(&[b'h'; 65_536]).await;
            }),
        ),
        case(
            "an endless status line",
            Plain,
            code::NET_TOO_LARGE,
            "headers",
            heads,
            behave!(|wire| {
                wire.answer("HTTP/1.1 200 ").await;
                wire.flood(&[b'O'; 65_536]).await;
            }),
        ),
        case(
            "a body byte by byte",
            Plain,
            code::NET_TIMEOUT,
            "within",
            heads,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-length: 100000\r\n\r\n")).await;
                wire.trickle(&[b'x'; 1_000]).await;
            }),
        ),
        case(
            "headers byte by byte",
            Plain,
            code::NET_TIMEOUT,
            "within",
            heads,
            behave!(|wire| {
                wire.answer(OK).await;
                wire.trickle(&[b'x'; 1_000]).await;
            }),
        ),
        case(
            "nothing at all",
            Plain,
            code::NET_TIMEOUT,
            "within",
            0,
            behave!(|wire| {
                wire.heard().await;
                wire.stall().await;
            }),
        ),
        case(
            "silence after the headers",
            Plain,
            code::NET_TIMEOUT,
            "in the middle",
            heads,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-length: 10\r\n\r\n12345")).await;
                wire.stall().await;
            }),
        ),
        case(
            "silence in a chunk's size",
            Plain,
            code::NET_TIMEOUT,
            "in the middle",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n")).await;
                wire.stall().await;
            }),
        ),
        case(
            "endless zeros before a chunk",
            Plain,
            code::NET_TIMEOUT,
            "in the middle",
            usize::MAX / 2,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n")).await;
                wire.trickle(&[b'0'; 1_000]).await;
            }),
        ),
        case(
            "chunks without a size",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n")).await;
                wire.stall().await;
            }),
        ),
        case(
            "a chunk of 2^64 bytes",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n10000000000000000\r\nhello\r\n")).await;
                wire.stall().await;
            }),
        ),
        case(
            "endless extensions of a chunk",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n5;")).await;
                wire.flood(&[b'e'; 4_096]).await;
            }),
        ),
        case(
            "an early end",
            Plain,
            code::NET_CLOSED,
            "before the response was complete",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-length: 100\r\n\r\nhalf")).await;
            }),
        ),
        case(
            "an early end of chunks",
            Plain,
            code::NET_CLOSED,
            "before the response was complete",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")).await;
            }),
        ),
        case(
            "an end without an answer",
            Plain,
            code::NET_CLOSED,
            "without an answer",
            0,
            behave!(|wire| {
                wire.heard().await;
            }),
        ),
        case(
            "10,000 trailers",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n")).await;
                wire.send("x-trailer: 1\r\n".repeat(10_000).as_bytes()).await;
                wire.send(b"\r\n").await;
                wire.stall().await;
            }),
        ),
        case(
            "two lengths",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!")).await;
                wire.stall().await;
            }),
        ),
        case(
            "a length below zero",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}content-length: -5\r\n\r\nhello")).await;
                wire.stall().await;
            }),
        ),
        case(
            "endless 103s",
            Plain,
            code::NET_TIMEOUT,
            "within",
            usize::MAX / 2,
            behave!(|wire| {
                wire.heard().await;
                let hint = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(4);
                while wire.send(hint.as_bytes()).await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }),
        ),
        case(
            "HTTP/0.9",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer("<html>hello</html>").await;
            }),
        ),
        case(
            "bytes at random",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.heard().await;
                wire.send(&[0, 255, 3, 1, 7, 13, 10, 13, 10]).await;
                wire.stall().await;
            }),
        ),
        case(
            "a status of five digits",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer("HTTP/1.1 20000 OK\r\ncontent-length: 0\r\n\r\n").await;
                wire.stall().await;
            }),
        ),
        case(
            "a header with a NUL",
            Plain,
            code::NET_PROTOCOL,
            "not valid HTTP",
            body,
            behave!(|wire| {
                wire.answer(&format!("{OK}x: a\0b\r\ncontent-length: 0\r\n\r\n")).await;
                wire.stall().await;
            }),
        ),
        case(
            "no TLS",
            Raw,
            code::NET_TLS,
            "handshake",
            heads,
            behave!(|wire| {
                wire.send(b"220 smtp.example ESMTP\r\n").await;
                wire.stall().await;
            }),
        ),
        case(
            "a flood in place of a handshake",
            Raw,
            code::NET_TLS,
            "handshake",
            heads,
            behave!(|wire| {
                wire.flood(&[0x16; 65_536]).await;
            }),
        ),
        case(
            "a handshake that does not begin",
            Raw,
            code::NET_CONNECT,
            "in time",
            0,
            behave!(|wire| {
                wire.stall().await;
            }),
        ),
        case(
            "a handshake byte by byte",
            Raw,
            code::NET_CONNECT,
            "in time",
            heads,
            behave!(|wire| {
                wire.trickle(&[&[0x16, 3, 3, 0x3f, 0xff, 2, 0, 0x3f, 0xfb, 3, 3][..], &[0; 1_000][..]].concat()).await;
            }),
        ),
        case(
            "HTTP/2: endless continuations",
            H2,
            code::NET_PROTOCOL,
            "",
            4 * heads,
            behave!(|wire| {
                h2_begin(&mut wire).await;
                wire.send(&frame(1, 0, 1, &[0x88])).await;
                let header = [&[0x00, 1, b'a', 0x7f, 0x80 + (3_873 % 128) as u8, 30][..], &[b'v'; 4_000][..]].concat();
                wire.flood(&frame(9, 0, 1, &header)).await;
            }),
        ),
        case(
            "HTTP/2: headers that unpack to 40 MB",
            H2,
            code::NET_PROTOCOL,
            "",
            heads,
            behave!(|wire| {
                h2_begin(&mut wire).await;
                let once =
                    [&[0x88, 0x40, 1, b'a', 0x7f, 0x80 + (3_873 % 128) as u8, 30][..], &[b'v'; 4_000][..]].concat();
                wire.send(&frame(1, 5, 1, &[&once[..], &[0xbe; 10_000][..]].concat())).await;
                wire.stall().await;
            }),
        ),
        case(
            "HTTP/2: a frame larger than allowed",
            H2,
            code::NET_PROTOCOL,
            "",
            32 * heads,
            behave!(|wire| {
                h2_begin(&mut wire).await;
                wire.send(&[0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]).await;
                wire.flood(&[b'x'; 65_536]).await;
            }),
        ),
        case(
            "HTTP/2: a reset",
            H2,
            code::NET_PROTOCOL,
            "",
            heads,
            behave!(|wire| {
                h2_begin(&mut wire).await;
                wire.send(&frame(3, 0, 1, &[0, 0, 0, 1])).await;
                wire.stall().await;
            }),
        ),
        case(
            "HTTP/2: pings and no answer",
            H2,
            code::NET_TIMEOUT,
            "within",
            usize::MAX / 2,
            behave!(|wire| {
                h2_begin(&mut wire).await;
                while wire.send(&frame(6, 0, 0, &[7; 8])).await {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }),
        ),
        case(
            "HTTP/2: silence",
            H2,
            code::NET_TIMEOUT,
            "within",
            heads,
            behave!(|wire| {
                h2_begin(&mut wire).await;
                wire.stall().await;
            }),
        ),
    ]
}

/// Settings of both sides.
async fn h2_begin(wire: &mut Wire) {
    let mut preface = [0; 24];
    drop(wire.stream.read_exact(&mut preface).await);
    wire.send(&frame(4, 0, 0, &[])).await;
    wire.send(&frame(4, 1, 0, &[])).await;
    // The request, with what came with it.
    drop(wire.stream.read(&mut [0; 4_096]).await);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

struct Hostile {
    port: u16,
    sent: Arc<AtomicUsize>,
}

async fn serve(behave: Behaviour, tls: Option<Arc<ServerConfig>>) -> Hostile {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(attend(stream, behave, tls.clone(), Arc::clone(&counted)));
        }
    });
    Hostile { port, sent }
}

async fn attend(stream: TcpStream, behave: Behaviour, tls: Option<Arc<ServerConfig>>, sent: Arc<AtomicUsize>) {
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => Box::new(tokio_rustls::TlsAcceptor::from(config).accept(stream).await.unwrap()),
    };
    behave(Wire { stream, sent }).await;
}

/// Limits that are reached quickly.
fn quick() -> Limits {
    let mut limits = limits();
    limits.http.connect_timeout = Duration::from_millis(700);
    limits.http.idle_timeout = Duration::from_millis(400);
    limits
}

fn connection(base_url: &str) -> Connections {
    let config = json!({
        "kind": "storage", "base_url": base_url, "tls": { "insecure": base_url.starts_with("https") },
        "manners": { "retry": { "tries": 1 } },
    });
    let config: ConnectionConfig = serde_json::from_value(config).unwrap();
    Connections::new(vec![(ConnectionName::new("box").unwrap(), config)], BTreeMap::new(), &quick()).unwrap()
}

async fn meet(case: Case) -> (&'static str, usize) {
    let tls = (case.kind == Kind::H2).then(|| {
        let mut config = ServerConfig::clone(&Authority::new().identity("localhost").server(None));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    });
    let server = serve(case.behave, tls).await;
    let scheme = if case.kind == Kind::Plain { "http" } else { "https" };
    let connections = connection(&format!("{scheme}://127.0.0.1:{}", server.port));
    // Until the time between two bytes is over, and not much longer.
    let timeout = if case.says == "in the middle" { 10_000 } else { 1_500 };
    let answer = ask_quickly(connections, json!({ "connection": "box", "path": "/", "timeout_ms": timeout })).await;
    let (found, message) = (answer["error"]["code"].as_str(), answer["error"]["message"].as_str().unwrap_or(""));
    assert_eq!(found, Some(case.expected.id()), "{}: {answer}", case.name);
    assert!(message.contains(case.says), "{}: {answer}", case.name);
    let sent = server.sent.load(Ordering::SeqCst);
    assert!(sent <= case.bytes_max.saturating_add(KERNEL_BUFFERS), "{}: {sent} bytes were taken", case.name);
    (case.name, sent)
}

/// In a host with these limits.
async fn ask_quickly(connections: Connections, request: Value) -> Value {
    static HOST: OnceCell<(Host, Component)> = OnceCell::const_new();
    let start = async || {
        let host = host_with(quick());
        let component = host.load(wasm("host-guest.wasm"), World::Action).await.unwrap();
        (host, component)
    };
    let (host, component) = HOST.get_or_init(start).await;
    match host.run(component, attempt_in(pack(connections), "http", request)).await {
        Outcome::Succeeded { result } => result,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_server_is_an_error_with_a_code_and_takes_no_more_than_the_limits() {
    let cases = cases();
    let count = cases.len();
    assert!(count >= 15, "{count}");
    let mut meetings = JoinSet::new();
    for case in cases {
        meetings.spawn(meet(case));
    }
    let mut failed = 0;
    while let Some(met) = meetings.join_next().await {
        failed += u32::from(met.is_err());
    }
    assert_eq!(failed, 0, "see above");
    let friendly = Server::plain().await;
    let answer = ask_quickly(connection(&friendly.url()), json!({ "connection": "box", "path": "/" })).await;
    assert_eq!(answer["body"], "hello");
}
