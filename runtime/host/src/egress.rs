//! The egress door: the only way out of the process for a guest's request.
//!
//! Every request goes through [`send`], in this order: **the target is resolved, the path normalised, the permission
//! checked on both sides, the headers and sizes checked, the credentials added, the addresses of the host classified, the
//! request sent**, and sent again where that is safe. Credentials are held here, are added after the last thing a guest can influence, and stand in no error, log line or debug output. A
//! simulated system is reached by the same way, with the same limits and errors, as one on the network.

mod client;
mod connection;
mod connections;
mod credentials;
mod deliver;
mod door;
mod endpoint;
mod error;
mod gate;
mod header;
mod listening;
mod lookup;
mod network;
mod pass;
mod path;
mod permit;
mod places;
mod pool;
mod probe;
mod request;
mod retry;
mod slot;
mod tls;
mod token;

use std::time::{Duration, Instant};

use runner_model::limits::HttpLimits;

pub use connection::{Auth, ClientAuth, ClientCertificate, ConnectionConfig, Fingerprint, OAuth2, Tls};
pub use connections::{AuthKind, ConnectionInfo, Connections, TlsKind};
pub use door::Door;
pub use listening::Listening;
pub use lookup::Lookup;
pub use places::raise_open_files;
pub use probe::{CertificateReport, TestReport, TokenReport};
pub use slot::ConnectionSource;

pub(crate) use deliver::Again;
pub(crate) use error::{ErrorKind, NetError};
pub(crate) use request::{Effect, Outgoing, Target};

use crate::attempt::{PackContext, RequestSummary};

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Headers, names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Sends a request of a pack and waits for the whole response. Says beside it what an observer may know; `hear` is told
/// when it is sent again.
pub(crate) async fn send(
    pack: &PackContext,
    limits: &HttpLimits,
    outgoing: Outgoing,
    hear: &(dyn Fn(Again) + Send + Sync),
) -> (RequestSummary, Result<HttpResponse, NetError>) {
    let start = Instant::now();
    let mut summary = request::summary(&outgoing);
    let is_direct = matches!(outgoing.target, Target::Url(_));
    let origin = outgoing.origin.clone();
    let result = match request::check(pack, limits, outgoing).await {
        Ok((checked, endpoint)) => {
            summary.path = checked.url.path().to_owned();
            pass::pass(pack, &origin, checked, pass::Way { limits, endpoint: &endpoint, hear }).await
        }
        Err(error) => Err(error),
    };
    summary.result = result.as_ref().map(|response| response.status).map_err(|error| error.code().id().to_owned());
    summary.elapsed = start.elapsed();
    measure(is_direct, &summary, result.as_ref().err());
    (summary, result)
}

/// Counts a request. Its labels have few values: names of connections, classes of statuses, codes.
fn measure(is_direct: bool, summary: &RequestSummary, error: Option<&NetError>) {
    let connection = match error {
        // A guest may make up any name.
        Some(error) if error.kind == ErrorKind::UnknownConnection => String::new(),
        _ if is_direct => "direct".to_owned(),
        _ => summary.target.clone(),
    };
    let outcome = match &summary.result {
        Ok(status) => format!("{}xx", status / 100),
        Err(code) => code.clone(),
    };
    metrics::counter!("runner_http_requests_total", "connection" => connection.clone(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("runner_http_request_seconds", "connection" => connection)
        .record(summary.elapsed.as_secs_f64());
}

/// The time a request may take: what the guest asks for, at the most what connection and host allow.
fn time_allowed(limits: &HttpLimits, connection: Option<Duration>, asked: Option<Duration>) -> Duration {
    [connection, asked].into_iter().flatten().fold(limits.timeout, Duration::min)
}
