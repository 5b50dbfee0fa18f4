//! Whether this process lives, whether it takes requests, what it is, and what it counts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use runner_model::code;
use runner_store::StoreError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::access::Principal;
use super::context::Context;
use super::document;
use super::problem::ApiProblem;
use super::route::{Access, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Public, routes!(healthz))
        .add(Access::Public, routes!(readyz))
        .add(Access::Viewer, routes!(metrics))
        .add(Access::Viewer, routes!(openapi))
        .add(Access::Viewer, routes!(version))
}

/// Whether something is well.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`: otherwise the answer is a problem.
    status: &'static str,
}

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does.", body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the process takes requests
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "It does.", body = Health)))]
async fn readyz(State(context): State<Arc<Context>>) -> Result<Json<Health>, ApiProblem> {
    if context.is_draining() {
        return Err(ApiProblem::draining());
    }
    if !context.is_ready() {
        let detail = "the process begins, and takes up what was left";
        return Err(ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, code::API_DRAINING, detail)
            .retry_after(Duration::from_secs(1)));
    }
    // A read shows whether the store is open; whether it takes writes shows when something is written.
    match context.options.store.mark("readyz").await {
        Ok(_) => Ok(Json(Health { status: "ok" })),
        Err(StoreError::Io { reason }) => Err(StoreError::Halted { reason }.into()),
        Err(error) => Err(error.into()),
    }
}

/// What the process counts, as Prometheus reads it
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "The counts.", body = String, content_type = "text/plain")))]
async fn metrics(State(context): State<Arc<Context>>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, (context.options.metrics)()).into_response()
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "about",
    responses((status = 200, description = "An OpenAPI 3.1 document, without the actions of packs that the key may not touch.", body = Object)))]
async fn openapi(State(context): State<Arc<Context>>, principal: Principal) -> Json<Arc<Value>> {
    Json(document::shown(&context, &principal))
}

/// What runs here.
#[derive(Debug, Serialize, ToSchema)]
struct About {
    /// The version of the program.
    version: &'static str,
    /// The name of the process.
    node: String,
    /// How long it has run, in seconds.
    uptime_s: u64,
    /// Executions at work.
    at_work: usize,
    /// Executions that wait.
    parked: usize,
    /// Whether simulators stand in for the systems behind the connections.
    simulate: bool,
    /// Whether packs are granted whatever they ask for.
    development: bool,
}

/// Which version runs here, and since when
#[utoipa::path(get, path = "/api/v1/version", tag = "about",
    responses((status = 200, description = "What runs here.", body = About)))]
async fn version(State(context): State<Arc<Context>>) -> Json<About> {
    let (at_work, parked) = context.options.executor.count();
    let uptime_ms = context.now().since_ms(context.started_at);
    Json(About {
        version: context.options.version,
        node: context.options.node.to_string(),
        uptime_s: u64::try_from(uptime_ms / 1000).unwrap_or(0),
        at_work,
        parked,
        simulate: context.options.packs.simulate(),
        development: context.options.packs.is_development(),
    })
}
