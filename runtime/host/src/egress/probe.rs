//! The test of a connection: name, socket, certificate, access token, one request. Says how far it got, and what to do.

mod verdict;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_model::limits::HttpLimits;
use runner_model::{Failure, Reach, code};
use rustls::pki_types::{CertificateDer, ServerName};
use serde::Serialize;
use tokio::net::TcpStream;
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::connection::Tls;
use super::connections::{ConnectionInfo, Connections};
use super::deliver;
use super::endpoint::Via;
use super::error::{self, ErrorKind, NetError};
use super::gate::Gate;
use super::pool::Owner;
use super::request::Checked;
use super::tls::{self, Recording};
use super::token::TokenSource;
use crate::escape::one_line;
use verdict::verdict;

/// A name in a certificate, in bytes: the server chose it.
const NAME_BYTES_MAX: usize = 256;

/// What the test of a connection found.
#[derive(Debug, Clone, Serialize)]
pub struct TestReport {
    /// The connection.
    pub connection: ConnectionInfo,
    /// The addresses of its host.
    pub addresses: Vec<IpAddr>,
    /// The server's certificate, if there is TLS.
    pub certificate: Option<CertificateReport>,
    /// The access token, if the connection takes one.
    pub token: Option<TokenReport>,
    /// What was read, behind the base URL: what packs say of the kind, or its root.
    pub path: String,
    /// The status that a GET of it, with the credentials, was answered with.
    pub status: u16,
    /// Whether the connection can be used, as far as this request shows.
    pub ok: bool,
    /// What the status means, if it means something.
    pub note: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// An access token, for a person.
#[derive(Debug, Clone, Serialize)]
pub struct TokenReport {
    /// The endpoint that granted it.
    pub endpoint: String,
    /// For how long it is good, in seconds, if the endpoint said so.
    pub expires_in: Option<u64>,
}

/// A certificate, for a person.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateReport {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// When it ends.
    pub expires: String,
    /// What to write as `tls.pin` to trust this very certificate.
    pub sha256: String,
}

impl Connections {
    /// Tests a connection: resolves its host, connects, looks at its certificate, gets a token if it takes one, and sends
    /// one GET, once.
    ///
    /// # Errors
    /// The first of these that fails, with what to do about it.
    pub async fn test(&self, name: &str) -> Result<TestReport, Failure> {
        let Some((_, slot)) = self.slot(name) else {
            return Err(Failure::new(code::NET_UNKNOWN_CONNECTION, format!("there is no connection `{name}`")));
        };
        let endpoint = &*slot.endpoint().await?;
        let start = Instant::now();
        let limits = self.limits();
        let (addresses, certificate) = match (&endpoint.via, &endpoint.info.base_url) {
            (Via::Network(route), Some(url)) => {
                let gate = endpoint.gate(route, &Owner::Host, url, &Reach::default());
                reach(url, &gate, route.tls.as_ref(), limits).await?
            }
            _ => (Vec::new(), None),
        };
        let token = match &endpoint.tokens {
            Some(tokens) => Some(token(tokens, limits).await?),
            None => None,
        };
        let test = endpoint.manners.test.as_ref().map(|test| test.path.as_str());
        let path = test.unwrap_or("/").to_owned();
        let timeout = super::time_allowed(limits, endpoint.timeout, None);
        let checked = Checked::test(endpoint, &path, timeout)?;
        let response = deliver::once(limits, &checked, endpoint).await?;
        let verdict = verdict(&endpoint.info, response.status, test.is_some());
        Ok(TestReport {
            connection: endpoint.info.clone(),
            addresses,
            certificate,
            token,
            path,
            status: response.status,
            ok: verdict.ok,
            note: verdict.note,
            hint: verdict.hint,
            elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

async fn token(tokens: &TokenSource, limits: &HttpLimits) -> Result<TokenReport, NetError> {
    let token = tokens.get(limits).await?;
    let expires_in = token.lifetime().map(|life| life.as_secs());
    Ok(TokenReport { endpoint: tokens.endpoint().to_owned(), expires_in })
}

type Reached = (Vec<IpAddr>, Option<CertificateReport>);

async fn reach(url: &Url, gate: &Gate, tls: Option<&Tls>, limits: &HttpLimits) -> Result<Reached, NetError> {
    let within = limits.connect_timeout;
    let addresses = in_time(within, ErrorKind::Dns, "resolving the host name", gate.addresses(url)).await?;
    let stream = in_time(within, ErrorKind::Connect, "connecting", connect(&addresses)).await?;
    let certificate = match tls {
        Some(tls) => Some(in_time(within, ErrorKind::Tls, "the TLS handshake", handshake(url, tls, stream)).await?),
        None => None,
    };
    Ok((addresses.iter().map(SocketAddr::ip).collect(), certificate))
}

async fn in_time<T>(
    within: Duration,
    kind: ErrorKind,
    what: &str,
    step: impl Future<Output = Result<T, NetError>>,
) -> Result<T, NetError> {
    let late = |_| Err(NetError::new(kind, format!("{what} took longer than {within:?}")));
    tokio::time::timeout(within, step).await.unwrap_or_else(late)
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, NetError> {
    TcpStream::connect(addresses).await.map_err(|error| {
        let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        NetError::new(ErrorKind::Connect, format!("no connection to {}: {}", shown.join(", "), error.kind()))
    })
}

async fn handshake(url: &Url, tls: &Tls, stream: TcpStream) -> Result<CertificateReport, NetError> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|_| NetError::new(ErrorKind::Tls, "the host name is malformed"))?;
    let recording = Arc::new(Recording::new(tls::verifier(tls)?));
    let verifier = Arc::clone(&recording) as Arc<dyn rustls::client::danger::ServerCertVerifier>;
    let config = tls::with_verifier(tls, verifier)?;
    let result = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let seen = recording.seen.lock().take();
    let report = seen.as_ref().map(report);
    match (result, report) {
        (Ok(_), Some(report)) => Ok(report),
        (Ok(_), None) => Err(NetError::new(ErrorKind::Tls, "the server showed no certificate")),
        (Err(error), report) => Err(refused(&error, report.as_ref())),
    }
}

/// A handshake that failed: the certificate that was shown helps to decide what to trust.
fn refused(error: &std::io::Error, report: Option<&CertificateReport>) -> NetError {
    let mut failed = match error::find::<rustls::Error>(error) {
        Some(error) => error::tls_failed(error),
        None => NetError::new(ErrorKind::Tls, format!("the TLS handshake failed: {}", error.kind())),
    };
    // The server ended it: its certificate is not what it is about.
    let by_server = matches!(error::find::<rustls::Error>(error), Some(rustls::Error::AlertReceived(_)));
    if let Some(CertificateReport { subject, issuer, expires, sha256 }) = report.filter(|_| !by_server) {
        failed.message = format!("{} (subject {subject}, issuer {issuer}, expires {expires})", failed.message);
        failed = failed.with_hint(format!(
            "set `tls.ca_file` to the authority that signed it, or, if it is the right server, `tls.pin` to {sha256}"
        ));
    }
    failed
}

fn report(certificate: &CertificateDer<'_>) -> CertificateReport {
    let sha256 = tls::fingerprint(certificate).to_string();
    match X509Certificate::from_der(certificate) {
        Ok((_, parsed)) => CertificateReport {
            subject: one_line(&parsed.subject().to_string(), NAME_BYTES_MAX),
            issuer: one_line(&parsed.issuer().to_string(), NAME_BYTES_MAX),
            expires: parsed.validity().not_after.to_string(),
            sha256,
        },
        Err(_) => {
            let unknown = || "unreadable".to_owned();
            CertificateReport { subject: unknown(), issuer: unknown(), expires: unknown(), sha256 }
        }
    }
}
