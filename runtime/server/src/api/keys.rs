//! `/keys`: who may ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_model::{ApiKey, KeyId, NameError, PackRef, Role, Timestamp, code, limits};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::access::Principal;
use super::body::{Body, Query};
use super::context::Context;
use super::page::{self, Items};
use super::problem::ApiProblem;
use super::route::{Access, Routes};
use super::schema;
use crate::key::new_key;

pub(super) fn routes() -> Routes {
    Routes::default().add(Access::Admin, routes!(list, create)).add(Access::Admin, routes!(revoke))
}

/// A page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// How many to list.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// Where the page before ended: its `next`.
    #[param(format = Uuid)]
    cursor: Option<String>,
}

/// API keys, the oldest first, those that are not valid any more included
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", params(Page),
    responses((status = 200, description = "A page of keys, without their secrets.", body = Items<schema::ApiKey>)))]
async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<Page>,
) -> Result<Json<Items<ApiKey>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let after = page::cursor::<KeyId>(query.cursor.as_deref())?.map(|id| id.to_string());
    let mut keys = context.options.store.keys_of_api().await?;
    keys.retain(|key| is_within(key.packs.as_deref(), &principal));
    keys.sort_by_key(|key| key.id);
    Ok(Json(Items::among(keys, limit, after.as_deref(), |key| key.id.to_string())))
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What people call it.
    #[schema(min_length = 1, max_length = 128, example = "ci")]
    name: String,
    /// What it is good for.
    #[schema(value_type = schema::Role)]
    role: Role,
    /// The packs that it may touch; none is all of them.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    packs: Option<Vec<String>>,
    /// When it ends by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
}

/// A key, with its secret.
#[derive(Debug, Serialize, ToSchema)]
struct MadeKey {
    /// The secret. It is shown this once and kept nowhere.
    #[schema(example = "rk_…")]
    secret: String,
    /// The key.
    #[serde(flatten)]
    #[schema(value_type = schema::ApiKey)]
    key: ApiKey,
}

/// Make an API key. Its secret is in the answer, and nowhere else
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys", request_body = NewKey,
    responses((status = 201, description = "The key, with its secret.", body = MadeKey)))]
async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Body(asked): Body<NewKey>,
) -> Result<(StatusCode, Json<MadeKey>), ApiProblem> {
    let length = asked.name.chars().count();
    if !(1..=limits::NAME_CHARS_MAX).contains(&length) || asked.name.chars().any(char::is_control) {
        let detail = format!("`name` must be 1 to {} characters that can be read", limits::NAME_CHARS_MAX);
        return Err(unfit(detail));
    }
    let now = context.now();
    let expires_at = asked.expires_at.as_deref().map(str::parse::<Timestamp>).transpose();
    let expires_at = expires_at.map_err(|error| unfit(format!("`expires_at` is no time: {error}")))?;
    let packs = asked.packs.map(|packs| packs.iter().map(|pack| PackRef::new(pack)).collect::<Result<Vec<_>, _>>());
    let packs = packs.transpose().map_err(|error: NameError| unfit(error.to_string()))?;
    // Who is held to packs makes no key for others.
    if !is_within(packs.as_deref(), &principal) {
        let detail = "the key is held to packs: it can make keys for these only";
        return Err(ApiProblem::new(StatusCode::FORBIDDEN, code::API_ROLE, detail));
    }
    let options = &context.options;
    let (secret, key, digest) = new_key(&*options.entropy, &*options.clock, asked.name, asked.role, packs, expires_at);
    options.store.add_key(key.clone(), digest, principal.audited(now)).await?;
    context.keys.forget();
    tracing::info!(key = %key.id, role = %key.role, by = principal.by(), %now, "API key made");
    Ok((StatusCode::CREATED, Json(MadeKey { secret, key })))
}

fn unfit(detail: String) -> ApiProblem {
    ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code::API_REQUEST, detail)
}

/// Take an API key back: within a second it opens nothing any more
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = String, Path, description = "The key's id.")),
    responses((status = 200, description = "The key as it is then.", body = schema::ApiKey)))]
async fn revoke(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<ApiKey>, ApiProblem> {
    let missing = || ApiProblem::missing("there is no such key").hint("`GET /api/v1/keys` lists what there is");
    let id = id.parse::<KeyId>().map_err(|_| missing())?;
    let keys = context.options.store.keys_of_api().await?;
    if !keys.iter().any(|key| key.id == id && is_within(key.packs.as_deref(), &principal)) {
        return Err(missing());
    }
    let key = context.options.store.revoke_key(id, principal.audited(context.now())).await?.ok_or_else(missing)?;
    context.keys.forget();
    tracing::info!(key = %key.id, by = principal.by(), "API key taken back");
    Ok(Json(key))
}

/// Whether a key for these packs is no more than whoever asks has.
fn is_within(packs: Option<&[PackRef]>, principal: &Principal) -> bool {
    principal.packs().is_none_or(|own| packs.is_some_and(|packs| packs.iter().all(|pack| own.contains(pack))))
}
