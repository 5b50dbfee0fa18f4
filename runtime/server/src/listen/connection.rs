//! One connection, from its first request to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Entrance, HttpOptions, Peer};

/// How long a client that has a connection open may still ask after this process was told to stop: a request that is on
/// its way then is not met by a closed door.
const LAST_REQUEST: Duration = Duration::from_millis(500);

/// How connections are held.
#[derive(Clone)]
pub(super) struct Conversation {
    http: http1::Builder,
    entrance: Entrance,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Conversation {
    pub(super) fn new(options: &HttpOptions, entrance: Entrance, stop: CancellationToken) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(options.header_timeout)
            // Hyper refuses less.
            .max_buf_size(options.headers_bytes_max.max(8 * 1024))
            .half_close(false);
        Self { http, entrance, stop, cut: CancellationToken::new() }
    }

    /// Ends all connections, whatever goes on.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Holds a connection.
    pub(super) async fn hold(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: IpAddr) {
        let service = service_fn(|request| self.answer(request, peer));
        let mut connection = std::pin::pin!(self.http.serve_connection(TokioIo::new(stream), service));
        // Connections are cut only after they were told to stop.
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => Some(ended),
            () = self.stop.cancelled() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            // Whoever has asked and is answered now is told to go; whoever idles may ask once more.
            None => tokio::select! {
                ended = connection.as_mut() => ended,
                () = self.cut.cancelled() => return,
                () = tokio::time::sleep(LAST_REQUEST) => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection.as_mut() => ended,
                        () = self.cut.cancelled() => return,
                    }
                }
            },
        };
        if let Err(error) = ended {
            debug!(%error, "a connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Result<Response, Infallible> {
        let mut response = self.entrance.answer(request, Peer(peer)).await;
        if self.stop.is_cancelled() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}
