//! Where requests come in from a port. **Deliveries to webhooks are many, small and waited for: they go straight to whoever
//! takes them.** The router would bring them to the very same, by way of a box for each of its layers. Everything else goes
//! through the router, and so does what is not plainly a delivery: the one way takes nothing that the other refuses.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::Method;
use hyper::body::Incoming;
use tower::{Layer as _, Service};

use super::context::Context;
use super::envelope::{DELIVERIES, Enclose, EncloseLayer, Packed, packing};
use super::{Api, webhook};
use crate::listen::Peer;

/// What answers requests.
#[derive(Clone)]
pub struct Entrance {
    router: Router,
    deliveries: Option<Enclose<Packed<Deliveries>>>,
}

impl Entrance {
    /// One through which everything takes the same way.
    #[must_use]
    pub const fn new(router: Router) -> Self {
        Self { router, deliveries: None }
    }

    /// One through which deliveries to this API go straight.
    #[must_use]
    pub fn with_deliveries_to(mut self, api: &Api) -> Self {
        let deliveries = Deliveries { context: api.context.clone() };
        self.deliveries = Some(EncloseLayer::new(api.context.clone()).layer(packing().layer(deliveries)));
        self
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: http::Request<Incoming>, peer: Peer) -> Response {
        let mut request = request.map(Body::new);
        // Both are ready at any time.
        let Ok(response) = match self.deliveries.as_ref().filter(|_| is_delivery(&request)) {
            Some(deliveries) => deliveries.clone().call(request).await,
            None => {
                request.extensions_mut().insert(peer);
                self.router.clone().call(request).await
            }
        };
        response
    }
}

/// Whether it goes to a webhook, by a path that stands for itself.
fn is_delivery(request: &Request) -> bool {
    let path = request.uri().path();
    let is_plain = path.strip_prefix(DELIVERIES).is_some_and(|rest| !rest.is_empty() && !rest.contains('%'));
    is_plain && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
}

/// Takes deliveries.
#[derive(Clone)]
struct Deliveries {
    context: Arc<Context>,
}

impl Service<Request> for Deliveries {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let context = self.context.clone();
        Box::pin(async move {
            let uri = request.uri().clone();
            let path = uri.path().strip_prefix(DELIVERIES).unwrap_or_default();
            Ok(webhook::take(&context, path, request).await.into_response())
        })
    }
}
