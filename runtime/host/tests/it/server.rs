//! Servers on the loopback: a well-behaved one, with or without TLS, and raw ones that break the protocol.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server saw of a request.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// A server that lives as long as the test's runtime.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    pub(super) connections: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn plain() -> Self {
        Self::start(None, None).await
    }

    pub(super) async fn tls(identity: &Identity) -> Self {
        Self::start(Some(identity.server(None)), None).await
    }

    /// One that answers as the script says, with TLS or without.
    pub(super) async fn scripted<F>(
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(usize, Seen) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::start(tls, Some(Arc::new(move |number, seen| Box::pin(script(number, seen))))).await
    }

    async fn start(tls: Option<Arc<ServerConfig>>, script: Option<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { port: listener.local_addr().unwrap().port(), seen: Arc::default(), connections: Arc::default() };
        let (seen, connections) = (Arc::clone(&server.seen), Arc::clone(&server.connections));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (tls, seen, script) = (tls.clone(), Arc::clone(&seen), script.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&seen), script.clone()));
                    let http = hyper::server::conn::http1::Builder::new();
                    // A client that goes away ends the connection with an error: its test says what it expects.
                    match tls {
                        None => drop(http.serve_connection(TokioIo::new(stream), service).await),
                        Some(config) => {
                            let accept = tokio_rustls::TlsAcceptor::from(config).accept(stream);
                            match accept.into_fallible().await {
                                Ok(stream) => drop(http.serve_connection(TokioIo::new(stream), service).await),
                                Err((_, stream)) => hang_up(stream).await,
                            }
                        }
                    }
                });
            }
        });
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn https(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub(super) fn last(&self) -> Seen {
        self.seen.lock().last().unwrap().clone()
    }
}

/// Closes a connection so that what was said last arrives: one that is dropped with something unread is reset.
async fn hang_up(mut stream: TcpStream) {
    drop(stream.shutdown().await);
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

/// What a script makes of request number n, from 0.
type Script = Arc<dyn Fn(usize, Seen) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

/// An answer: status, headers, body.
pub(super) struct Reply(pub(super) u16, pub(super) Vec<(&'static str, String)>, pub(super) String);

impl Reply {
    /// One without headers of its own.
    pub(super) fn of(status: u16, body: impl ToString) -> Self {
        Self(status, Vec::new(), body.to_string())
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Option<Script>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|whole| whole.to_bytes().to_vec()).unwrap_or_default();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let request = Seen { method: parts.method.to_string(), target: parts.uri.to_string(), headers, body };
    let number = {
        let mut seen = seen.lock();
        seen.push(request.clone());
        seen.len() - 1
    };
    if let Some(script) = script {
        let Reply(status, headers, body) = script(number, request).await;
        let reply = Response::builder().status(status);
        let reply = headers.into_iter().fold(reply, |reply, (name, value)| reply.header(name, value));
        return Ok(reply.body(Full::new(Bytes::from(body))).unwrap());
    }
    let number = |name: &str| {
        let query = parts.uri.query().unwrap_or_default();
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok()).unwrap_or(0)
    };
    let reply = Response::builder();
    let reply = match parts.uri.path() {
        "/hang" => std::future::pending().await,
        "/big" => reply.body("x".repeat(number("bytes"))),
        "/headers" => (0..number("count"))
            .fold(reply, |reply, i| reply.header(format!("x-{i}"), "v".repeat(number("length"))))
            .body(String::new()),
        "/redirect" => reply.status(StatusCode::FOUND).header("location", "/elsewhere").body(String::new()),
        "/gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut encoder, "z".repeat(number("bytes")).as_bytes()).unwrap();
            let zipped = encoder.finish().unwrap();
            let reply = reply.header("content-encoding", "gzip").body(Full::new(Bytes::from(zipped)));
            return Ok(reply.unwrap());
        }
        "/secret" => match parts.headers.get("authorization") {
            Some(_) => reply.body("the door is open".to_owned()),
            None => reply.status(StatusCode::UNAUTHORIZED).body(String::new()),
        },
        _ => reply.header("X-Kind", "Test").body("hello".to_owned()),
    };
    Ok(reply.unwrap().map(|text| Full::new(Bytes::from(text))))
}

/// A server that answers connection number n (from 0) with the bytes that `answers` gives and then closes it. Gives its
/// port and how many connections it had.
pub(super) async fn raw(answers: impl Fn(usize) -> &'static str + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let number = counted.fetch_add(1, Ordering::SeqCst);
            read_head(&mut stream).await;
            stream.write_all(answers(number).as_bytes()).await.unwrap();
        }
    });
    (port, count)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
}

/// A server's certificate and key.
pub(super) struct Identity {
    pub(super) certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// The settings of a server that has it; `clients` is the authority of the certificates that it asks clients for.
    pub(super) fn server(&self, clients: Option<&Authority>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = match clients {
            None => builder.unwrap().with_no_client_auth(),
            Some(authority) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(authority.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.unwrap().with_client_cert_verifier(verifier.unwrap())
            }
        };
        Arc::new(builder.with_single_cert(vec![self.certificate.clone()], self.key()).unwrap())
    }

    /// One that nobody signed but itself.
    pub(super) fn self_signed(host: &str) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self { certificate: certificate.der().clone(), key: key.serialize_der() }
    }

    /// Certificate and key as files hold them.
    pub(super) fn pem(&self) -> (String, String) {
        (pem("CERTIFICATE", &self.certificate), pem("PRIVATE KEY", &self.key))
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }

    /// What `openssl x509 -fingerprint -sha256` would print.
    pub(super) fn fingerprint(&self) -> String {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(&self.certificate);
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// An authority of its own, as a storage department has one.
pub(super) struct Authority(rcgen::CertifiedIssuer<'static, rcgen::KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Storage department");
        Self(rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn identity(&self, host: &str) -> Identity {
        self.identity_until(host, 2100)
    }

    pub(super) fn identity_until(&self, host: &str, year: i32) -> Identity {
        self.signed(host, |params| params.not_after = rcgen::date_time_ymd(year, 1, 1))
    }

    /// One whose time has not come.
    pub(super) fn identity_from(&self, host: &str, year: i32) -> Identity {
        self.signed(host, |params| params.not_before = rcgen::date_time_ymd(year, 1, 1))
    }

    fn signed(&self, host: &str, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Identity {
        let mut params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, host);
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate: certificate.der().clone(), key: key.serialize_der() }
    }
}
