//! Listening at the place of this process.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use runner_executor::Executor;
use runner_model::limits::{LISTEN_CONNECTIONS_MAX, LISTEN_HEADERS, LISTEN_STOP};
use runner_model::{Entropy, code};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::routes::routes;
use super::wire::Problem;
use crate::Api;
use crate::local::{Listener, Seat, Stream};

/// The API, once there is one.
type Offered = Arc<OnceLock<Router>>;

/// The control of this process, as long as it is served.
#[derive(Debug)]
pub struct Serving {
    tasks: TaskTracker,
    shutdown: CancellationToken,
    offered: Offered,
}

impl Serving {
    /// Lets whoever comes in here, who is the user of this process, ask everything of `api` too, without a key.
    pub fn offer(&self, api: &Api) {
        // The first stays: a process has one.
        let _ = self.offered.set(api.local_router());
    }

    /// Lets nobody in any more, and waits until everybody has gone.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.wait().await;
    }
}

/// Serves the control of `executor` at its place. When this returns it listens.
///
/// # Errors
/// Nothing can be listened on there.
pub async fn serve(executor: Executor, seat: &Seat, entropy: &dyn Entropy) -> io::Result<Serving> {
    let listener = Listener::bind(seat, entropy).await?;
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let offered = Offered::default();
    let own = routes(executor, seat.node().clone(), shutdown.clone());
    let other = offered.clone();
    let router = own.fallback(move |request| hand_on(other.clone(), request));
    tasks.spawn(accept(listener, router, tasks.clone(), shutdown.clone()));
    Ok(Serving { tasks, shutdown, offered })
}

/// What is no control is the API's.
async fn hand_on(offered: Offered, request: Request<Body>) -> Response<Body> {
    let Some(api) = offered.get() else {
        return Problem::new(StatusCode::NOT_FOUND, code::API_NOT_FOUND, "this process has no API").into_response();
    };
    TowerToHyperService::new(api.clone()).call(request).await.unwrap_or_else(|never| match never {})
}

async fn accept(listener: Listener, router: Router, tasks: TaskTracker, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(LISTEN_CONNECTIONS_MAX));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok(stream) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                tasks.spawn(async move {
                    converse(stream, router, shutdown).await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "a process could not be let in");
                // Out of file descriptors, as a rule: trying again at once would only burn the processor.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    tasks.close();
}

async fn converse(stream: Stream, router: Router, shutdown: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(LISTEN_HEADERS);
    let secret = stream.secret.map(|secret| Sha256::digest(format!("Bearer {secret}")));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        // Digests are compared, so that the time says nothing about how much was right.
        let knows = secret.as_ref().is_none_or(|secret| given.map(Sha256::digest).as_ref() == Some(secret));
        answer(router.clone(), request, knows)
    });
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream.bytes), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LISTEN_STOP, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "the conversation ended");
    }
}

async fn answer(
    router: TowerToHyperService<Router>,
    request: Request<Incoming>,
    knows: bool,
) -> Result<Response<Body>, std::convert::Infallible> {
    if !knows {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, code::API_REQUEST, "the secret is missing or wrong");
        return Ok(problem.into_response());
    }
    router.call(request).await
}
