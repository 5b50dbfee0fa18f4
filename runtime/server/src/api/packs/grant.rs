//! What a pack asks for, and what it is granted.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_model::{
    Choice, ChoiceError, ConnectionName, GrantRecord, GrantReport, NameError, PackRef, Permissions, code,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::access::Principal;
use crate::api::body::Body;
use crate::api::context::Context;
use crate::api::problem::ApiProblem;
use crate::api::schema;

/// What to grant of what a pack asks for. Without anything: all of it, on the connections that are configured now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGrant)]
pub(super) struct Asked {
    /// Rules, by their numbers in what the pack asks for; none is all of them.
    #[serde(default)]
    rules: Vec<usize>,
    /// Connections, by name; none is every one of a kind that is asked for.
    #[serde(default)]
    connections: Vec<String>,
    /// Whether kinds are granted, with the connections that come later, and not names.
    #[serde(default)]
    all: bool,
    /// The digest of the version that was looked at: another one is not granted anything.
    #[serde(default)]
    digest: Option<String>,
}

/// What a pack asks for, what it is granted, by whom, and what is missing
#[utoipa::path(get, path = "/api/v1/packs/{pack}/permissions", tag = "packs",
    params(("pack" = String, Path, description = "Its reference.")),
    responses((status = 200, description = "Of the version that waits for a grant, if one does.", body = schema::GrantReport)))]
pub(super) async fn permissions(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(pack): Path<String>,
) -> Result<Json<GrantReport>, ApiProblem> {
    report(&context, &principal, &pack).map(Json)
}

/// What is recorded as granted to a pack; what the daemon's file grants is not part of it
#[utoipa::path(get, path = "/api/v1/packs/{pack}/grant", tag = "packs",
    params(("pack" = String, Path, description = "Its reference.")),
    responses((status = 200, description = "The grant.", body = schema::Grant)))]
pub(super) async fn get_grant(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(pack): Path<String>,
) -> Result<Json<GrantRecord>, ApiProblem> {
    let report = report(&context, &principal, &pack)?;
    report.recorded.map(Json).ok_or_else(not_there)
}

/// Grant a pack what it asks for, or some of it, in the place of what was recorded before
#[utoipa::path(put, path = "/api/v1/packs/{pack}/grant", tag = "packs", request_body = Asked,
    params(("pack" = String, Path, description = "Its reference.")),
    responses((status = 200, description = "What the pack is granted then.", body = schema::GrantReport)))]
pub(super) async fn put_grant(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(pack): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Json<GrantReport>, ApiProblem> {
    let report = self::report(&context, &principal, &pack)?;
    if asked.digest.as_ref().is_some_and(|digest| *digest != report.digest) {
        let detail = format!("the pack `{pack}` is not the one any more that was looked at");
        let hint = "look at what it asks for now, and grant that";
        return Err(ApiProblem::new(StatusCode::CONFLICT, code::PACK_GRANT_STALE, detail).hint(hint));
    }
    let granted = chosen(&context, &report, &asked)?;
    let by = principal.audited(context.now());
    let record = GrantRecord {
        pack: report.pack,
        digest: report.digest,
        wish: report.asks,
        granted,
        by: by.actor.clone(),
        at: by.at,
    };
    context.options.store.grant(record, by).await?;
    follow(&context).await?;
    self::report(&context, &principal, &pack).map(Json)
}

/// Take back what is recorded as granted to a pack: from its next request on it does not have it
#[utoipa::path(delete, path = "/api/v1/packs/{pack}/grant", tag = "packs",
    params(("pack" = String, Path, description = "Its reference.")),
    responses((status = 200, description = "The grant as it was.", body = schema::Grant)))]
pub(super) async fn delete_grant(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(pack): Path<String>,
) -> Result<Json<GrantRecord>, ApiProblem> {
    // Of a pack that is gone a grant may be left.
    let pack = PackRef::new(&pack).ok().filter(|pack| principal.may_touch(pack.as_str())).ok_or_else(not_there)?;
    let by = principal.audited(context.now());
    let revoked = context.options.store.revoke_grant(&pack, by).await?.ok_or_else(not_there)?;
    follow(&context).await?;
    Ok(Json(revoked))
}

fn report(context: &Context, principal: &Principal, pack: &str) -> Result<GrantReport, ApiProblem> {
    let pack = PackRef::new(pack).ok().filter(|pack| principal.may_touch(pack.as_str()));
    let report = pack.and_then(|pack| context.options.packs.grant_report(&pack));
    report.ok_or_else(|| ApiProblem::missing("there is no such pack").hint("`GET /api/v1/packs` lists what there is"))
}

fn not_there() -> ApiProblem {
    ApiProblem::missing("nothing is recorded as granted to this pack")
}

fn chosen(context: &Context, report: &GrantReport, asked: &Asked) -> Result<Permissions, ApiProblem> {
    let refused = |detail: String| ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::PACK_GRANT, detail);
    let names = asked.connections.iter().map(|name| name.parse()).collect::<Result<Vec<ConnectionName>, _>>();
    let connections = names.map_err(|error: NameError| refused(error.to_string()))?;
    let choice = Choice { rules: asked.rules.clone(), connections, all: asked.all };
    let granted = choice.of(&report.asks, context.options.packs.configured());
    granted.map_err(|error: ChoiceError| refused(error.to_string()).maybe_hint(error.hint()))
}

/// Lets what is recorded hold here at once.
async fn follow(context: &Context) -> Result<(), ApiProblem> {
    let records = context.options.store.grants().await?;
    let packs = context.options.packs.clone();
    packs.take_grants(records);
    let let_in = tokio::task::spawn_blocking(move || packs.let_in()).await;
    let_in.map_err(|_| ApiProblem::defect("a version that waited was not swapped in"))
}
