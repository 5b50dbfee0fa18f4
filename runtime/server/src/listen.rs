//! Serving the API on a port: HTTP/1.1, over TLS if there is a certificate.
//!
//! - **Slow clients hold a connection, and nothing else, and not for long**: whoever does not send a request's headers in
//!   time is cut off, whether they have begun or idle; so places come free of themselves.
//! - **Stopping loses no request**: what runs is answered; whoever asks on a connection that is open is still answered
//!   once, with `Connection: close`; then it is closed.

mod connection;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_model::limits::{API_CONNECTIONS_MAX, API_HEADERS, API_HEADERS_BYTES_MAX, LISTEN_STOP};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::Certificate;
use crate::api::Entrance;
use connection::Conversation;

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// How often it is said that clients wait to be let in, at the most.
const FULL_TOLD: Duration = Duration::from_secs(60);

/// How to serve.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long a client may take to send a request's headers, and how long an idle connection is kept.
    pub header_timeout: Duration,
    /// A request's headers, in bytes; at least 8 KiB.
    pub headers_bytes_max: usize,
    /// Connections at the same time; more wait in the operating system's queue.
    pub connections_max: usize,
    /// For TLS.
    pub tls: Option<Certificate>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            header_timeout: API_HEADERS,
            headers_bytes_max: API_HEADERS_BYTES_MAX,
            connections_max: API_CONNECTIONS_MAX,
            tls: None,
        }
    }
}

/// Serves until `stop`, and then until what runs has been answered, at most [`LISTEN_STOP`].
pub async fn serve_http(listener: TcpListener, entrance: Entrance, options: HttpOptions, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let places = Arc::new(Semaphore::new(options.connections_max));
    let server = Server {
        tls: options.tls.as_ref().map(|certificate| TlsAcceptor::from(certificate.config())),
        conversation: Conversation::new(&options, entrance, stop.clone()),
        tasks: tasks.clone(),
    };
    let mut told: Option<Instant> = None;
    loop {
        let next = async {
            if places.available_permits() == 0 && told.is_none_or(|told| told.elapsed() > FULL_TOLD) {
                warn!(
                    connections_max = options.connections_max,
                    "as many clients are connected as are allowed: others wait"
                );
                told = Some(Instant::now());
            }
            let place = places.clone().acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => server.take(stream, peer.ip(), place),
            Err(error) => {
                warn!(%error, "a client could not be let in");
                // Out of file descriptors, as a rule: trying again at once would only burn the processor.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    server.take_the_last(&listener).await;
    drop(listener);
    tasks.close();
    if tokio::time::timeout(LISTEN_STOP, tasks.wait()).await.is_err() {
        warn!(connections = tasks.len(), "clients that did not come to an end are cut off");
        server.conversation.cut();
        tasks.wait().await;
    }
}

struct Server {
    tls: Option<TlsAcceptor>,
    conversation: Conversation,
    tasks: TaskTracker,
}

impl Server {
    fn take(&self, stream: TcpStream, peer: IpAddr, place: Option<OwnedSemaphorePermit>) {
        let (tls, conversation) = (self.tls.clone(), self.conversation.clone());
        self.tasks.spawn(async move {
            // Answers are small and waited for.
            let _ = stream.set_nodelay(true);
            match tls {
                None => conversation.hold(stream, peer).await,
                Some(tls) => {
                    let handshake = tokio::time::timeout(runner_model::limits::LISTEN_HANDSHAKE, tls.accept(stream));
                    match handshake.await {
                        Ok(Ok(stream)) => conversation.hold(stream, peer).await,
                        Ok(Err(error)) => debug!(%error, "a TLS handshake failed"),
                        Err(_) => debug!("a TLS handshake did not end"),
                    }
                }
            }
            drop(place);
        });
    }

    /// Those who have connected already and were not let in yet.
    async fn take_the_last(&self, listener: &TcpListener) {
        let now = Duration::ZERO;
        while let Ok(Ok((stream, peer))) = tokio::time::timeout(now, listener.accept()).await {
            self.take(stream, peer.ip(), None);
        }
    }
}
