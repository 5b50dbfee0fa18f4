//! One simulated system on a real socket, for clients that are not runner.
//!
//! Plain hyper, because the system may close a connection without an answer, which a web framework has no word for.
//! Sizes and times are limited as for any server; when it is stopped, requests under way get a moment to end.

mod exchange;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use runner_host::Simulator;
use runner_model::limits::{HttpLimits, LISTEN_CONNECTIONS_MAX, LISTEN_HANDSHAKE, LISTEN_HEADERS, LISTEN_STOP};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::Certificate;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// With TLS, and with this certificate.
    pub tls: Option<Certificate>,
    /// What a request may hold.
    pub limits: HttpLimits,
}

/// Why it cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// A system that is being served.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    tls: bool,
    tasks: TaskTracker,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to reach it by from this machine.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        // The name that every client can check in a certificate.
        let ip = self.address.ip();
        let host = match ip {
            _ if ip.is_loopback() || ip.is_unspecified() => "localhost".to_owned(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        format!("{scheme}://{host}:{}", self.address.port())
    }

    /// Waits until it was stopped and every connection has ended.
    pub async fn finished(self) {
        self.tasks.wait().await;
    }
}

/// Serves `simulator` until `shutdown`. When this returns it listens.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(simulator: Simulator, options: Options, shutdown: CancellationToken) -> Result<Running, ServeError> {
    let failed = |source| ServeError::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let tasks = TaskTracker::new();
    let server = Server {
        simulator,
        acceptor: options.tls.as_ref().map(|certificate| TlsAcceptor::from(certificate.config())),
        limits: options.limits,
        shutdown,
    };
    tasks.spawn(server.accept(listener, tasks.clone()));
    Ok(Running { address, tls: options.tls.is_some(), tasks })
}

#[derive(Clone)]
struct Server {
    simulator: Simulator,
    acceptor: Option<TlsAcceptor>,
    limits: HttpLimits,
    shutdown: CancellationToken,
}

impl Server {
    async fn accept(self, listener: TcpListener, tasks: TaskTracker) {
        let places = std::sync::Arc::new(Semaphore::new(LISTEN_CONNECTIONS_MAX));
        loop {
            let next = async {
                // Who finds no place waits in the operating system's queue.
                let place = places.clone().acquire_owned().await.ok();
                (listener.accept().await, place)
            };
            let (accepted, place) = tokio::select! {
                () = self.shutdown.cancelled() => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let server = self.clone();
                    tasks.spawn(async move {
                        server.connection(stream, peer).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!(%error, "a connection could not be accepted");
                    // Out of file descriptors, as a rule: trying again at once would only burn the processor.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        tasks.close();
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Small answers are to leave at once; a socket that refuses only makes them later.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = self.acceptor.clone() else {
            return self.http(stream, peer).await;
        };
        match tokio::time::timeout(LISTEN_HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.http(stream, peer).await,
            Ok(Err(error)) => debug!(%peer, %error, "the TLS handshake failed"),
            Err(_) => debug!(%peer, "the TLS handshake took too long"),
        }
    }

    async fn http(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(LISTEN_HEADERS).max_headers(self.limits.headers_max);
        // A buffer of hyper's holds a request's whole head.
        http.max_buf_size(self.limits.header_bytes_max.max(8192));
        let service = service_fn(|request| exchange::handle(&self.simulator, &self.limits, request));
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(LISTEN_STOP, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            debug!(%peer, %error, "the connection ended");
        }
    }
}
