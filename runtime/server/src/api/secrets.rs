//! `/secrets`: values go in, and never out. What may be shown of them, who uses them, and that they are gone.
//!
//! Secrets belong to no pack: a key that is held to packs may not touch them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_model::{Secret, SecretName, code, limits};
use runner_store::{MustBe, SecretRecord, Store, Vault, check_secret};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::access::Principal;
use super::body::{Body, Query};
use super::context::Context;
use super::page::{self, Items, PageQuery};
use super::problem::ApiProblem;
use super::route::{Access, Routes};

/// Who is configured to use secrets.
#[async_trait]
pub trait SecretUsers: Send + Sync {
    /// Those of this one, in a few words each.
    fn of(&self, name: &SecretName) -> Vec<String>;

    /// It got another value, or is gone. When this returns, nothing new is done with the old one.
    async fn changed(&self, name: &SecretName);
}

/// Nobody uses any.
#[async_trait]
impl SecretUsers for () {
    fn of(&self, _: &SecretName) -> Vec<String> {
        Vec::new()
    }

    async fn changed(&self, _: &SecretName) {}
}

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Admin, routes!(list_secrets))
        .add(Access::Admin, routes!(put_secret, delete_secret))
        .add(Access::Admin, routes!(reseal_secrets))
}

/// What may be shown of a secret: never its value.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Secret)]
pub struct SecretView {
    /// Its name
    pub name: String,
    /// How many values it has had; each new one makes it larger
    pub version: u64,
    /// What it is for
    pub description: String,
    /// When it was put in
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it got its present value
    #[schema(format = DateTime)]
    pub rotated_at: String,
    /// Who gave it its present value
    pub set_by: String,
    /// The connections and webhooks that are configured to use it
    pub used_by: Vec<String>,
}

impl SecretView {
    /// What may be shown of this one.
    #[must_use]
    pub fn of(record: SecretRecord, used_by: Vec<String>) -> Self {
        Self {
            name: record.name.to_string(),
            version: record.version,
            description: record.description,
            created_at: record.created_at.to_string(),
            rotated_at: record.rotated_at.to_string(),
            set_by: record.set_by,
            used_by,
        }
    }

    fn here(context: &Context, record: SecretRecord) -> Self {
        let used_by = context.options.secret_users.of(&record.name);
        Self::of(record, used_by)
    }
}

/// Secrets, by name, without their values
#[utoipa::path(get, path = "/api/v1/secrets", tag = "secrets", params(PageQuery),
    responses((status = 200, description = "A page of secrets.", body = Items<SecretView>)))]
async fn list_secrets(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<SecretView>>, ApiProblem> {
    check_is_for_all(&principal)?;
    let limit = page::limit(query.limit)?;
    let all = context.options.store.secrets().await?;
    let all = all.into_iter().map(|record| SecretView::here(&context, record)).collect();
    Ok(Json(Items::among(all, limit, query.cursor.as_deref(), |view: &SecretView| view.name.clone())))
}

/// A value to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewValue {
    /// The value, at most 64 KiB. It is kept sealed, and given out nowhere.
    #[schema(value_type = String, min_length = 1, max_length = 65536)]
    value: Secret,
    /// What it is for; left out, what is there stays.
    #[serde(default)]
    #[schema(max_length = 256)]
    description: Option<String>,
    /// Whether there has to be a secret with this name already.
    #[serde(default)]
    #[schema(required = false)]
    must_exist: bool,
}

/// Give a secret a value: the present one, if there is one, is forgotten, and new requests use the new one
#[utoipa::path(put, path = "/api/v1/secrets/{name}", tag = "secrets", request_body = NewValue,
    params(("name" = String, Path, description = "Its name: letters, digits, `_` and `-`.")),
    responses((status = 200, description = "What may be shown of it.", body = SecretView)))]
async fn put_secret(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(name): Path<String>,
    Body(new): Body<NewValue>,
) -> Result<Json<SecretView>, ApiProblem> {
    check_is_for_all(&principal)?;
    let name = SecretName::new(&name).map_err(|error| unfit(code::API_REQUEST, error.to_string()))?;
    check_secret(&new.value).map_err(|(code, message)| unfit(code, message))?;
    let description = new.description.unwrap_or_default();
    if description.chars().count() > limits::SECRET_DESCRIPTION_CHARS_MAX || description.chars().any(char::is_control) {
        let max = limits::SECRET_DESCRIPTION_CHARS_MAX;
        return Err(unfit(code::API_REQUEST, format!("`description` must be up to {max} characters that can be read")));
    }
    let description = (!description.is_empty()).then_some(description);
    let must = if new.must_exist { MustBe::There } else { MustBe::Whatever };
    let by = principal.audited(context.now());
    let record = vault(&context).put(&name, &new.value, description, must, by).await?;
    context.options.secret_users.changed(&name).await;
    tracing::info!(secret = %name, version = record.version, by = principal.by(), "secret set");
    Ok(Json(SecretView::here(&context, record)))
}

/// Whether to look who uses it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Force {
    /// Remove it although connections or webhooks use it.
    force: Option<bool>,
}

/// Remove a secret
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", tag = "secrets",
    params(("name" = String, Path, description = "Its name."), Force),
    responses((status = 200, description = "What it was.", body = SecretView),
        (status = 409, description = "It is used.")))]
async fn delete_secret(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(name): Path<String>,
    Query(query): Query<Force>,
) -> Result<Json<SecretView>, ApiProblem> {
    check_is_for_all(&principal)?;
    let missing = || {
        ApiProblem::new(StatusCode::NOT_FOUND, code::SECRET_UNKNOWN, "there is no such secret")
            .hint("`GET /api/v1/secrets` lists what there is")
    };
    let name = SecretName::new(&name).map_err(|_| missing())?;
    let store = &context.options.store;
    let record = store.sealed_secret(&name).await?.ok_or_else(missing)?.record;
    let was = SecretView::here(&context, record);
    if !was.used_by.is_empty() && query.force != Some(true) {
        let detail = format!("the secret `{name}` is used by {}", was.used_by.join(", "));
        return Err(ApiProblem::new(StatusCode::CONFLICT, code::SECRET_IN_USE, detail)
            .hint("take it out of the configuration first, or remove it all the same with `force`"));
    }
    if !store.delete_secret(&name, principal.audited(context.now())).await? {
        return Err(missing());
    }
    context.options.secret_users.changed(&name).await;
    tracing::info!(secret = %name, by = principal.by(), "secret removed");
    Ok(Json(was))
}

/// How much was sealed with the current key.
#[derive(Debug, Serialize, ToSchema)]
struct Resealed {
    /// Secrets that were sealed with an earlier one.
    secrets: usize,
}

/// Seal every secret with the current key that is sealed with an earlier one
#[utoipa::path(post, path = "/api/v1/keyring/reseal", tag = "secrets",
    responses((status = 200, description = "How many there were.", body = Resealed)))]
async fn reseal_secrets(
    State(context): State<Arc<Context>>,
    principal: Principal,
) -> Result<Json<Resealed>, ApiProblem> {
    check_is_for_all(&principal)?;
    let secrets = vault(&context).reseal(&principal.audited(context.now())).await?;
    Ok(Json(Resealed { secrets }))
}

fn vault(context: &Context) -> Vault<Arc<dyn Store>> {
    Vault::new(context.options.store.clone(), context.options.keys.clone())
}

fn unfit(code: runner_model::Code, detail: String) -> ApiProblem {
    ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

/// Whoever is held to packs has no say in what is everybody's.
pub(super) fn check_is_for_all(principal: &Principal) -> Result<(), ApiProblem> {
    if principal.packs().is_none() {
        return Ok(());
    }
    let detail = "the key is held to packs, and this belongs to none";
    Err(ApiProblem::new(StatusCode::FORBIDDEN, code::API_ROLE, detail))
}
