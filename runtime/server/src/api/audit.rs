//! `/audit`: who changed what, and whether the log is as it was written.

mod view;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use runner_model::{Timestamp, code};
use runner_store::{AuditFilter, AuditFrom, AuditVerdict, verify_audit};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::page::{self, Items};
use super::problem::ApiProblem;
use super::route::{Access, Routes};
use super::secrets::check_is_for_all;
pub use view::{EntryView, HeadView, VerdictView};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Admin, routes!(list_audit))
        .add(Access::Admin, routes!(audit_head))
        .add(Access::Admin, routes!(verify_log))
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Not before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<String>,
    /// By this actor.
    actor: Option<String>,
    /// With this action, or with one below it: `secret`, `secret.rotate`.
    action: Option<String>,
    /// Of this subject.
    subject: Option<String>,
    /// How many to list.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
    /// Where the page before ended: its `next`.
    #[param(minimum = 0)]
    cursor: Option<i64>,
    /// Those after the entry with this number, the oldest first; `cursor` does not count then.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Entries of the audit log, the newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Wanted),
    responses((status = 200, description = "A page of entries.", body = Items<EntryView>)))]
async fn list_audit(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Items<EntryView>>, ApiProblem> {
    check_is_for_all(&principal)?;
    let limit = page::limit(wanted.limit)?;
    let since = wanted.since.as_deref().map(str::parse::<Timestamp>).transpose();
    let since = since.map_err(|error| ApiProblem::bad(format!("`since` is no time: {error}")))?;
    let from = match wanted.after {
        Some(after) => AuditFrom::After(sequence("after", after)?),
        None => AuditFrom::Before(wanted.cursor.map(|cursor| sequence("cursor", cursor)).transpose()?),
    };
    let filter = AuditFilter { since, actor: wanted.actor, action: wanted.action, subject: wanted.subject };
    let entries = context.options.store.audit(&filter, from, limit + 1).await?;
    let mut page = Items::of(entries.into_iter().map(EntryView::from).collect(), limit, |entry: &EntryView| {
        entry.sequence.to_string()
    });
    if wanted.after.is_some() {
        // Whoever goes forward goes on from the last that they have.
        page.next = None;
    }
    Ok(Json(page))
}

/// The number of an entry.
fn sequence(name: &str, number: i64) -> Result<u64, ApiProblem> {
    u64::try_from(number).map_err(|_| ApiProblem::bad(format!("`{name}` is no number of an entry")))
}

/// The end of the audit log, to be noted elsewhere
#[utoipa::path(get, path = "/api/v1/audit/head", tag = "audit",
    responses((status = 200, description = "How many entries there are, and the hash of the last.", body = HeadView)))]
async fn audit_head(State(context): State<Arc<Context>>, principal: Principal) -> Result<Json<HeadView>, ApiProblem> {
    check_is_for_all(&principal)?;
    Ok(Json(context.options.store.audit_head().await?.into()))
}

/// What to compare with.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Noted {
    /// The hash that an entry must have: one that was the head once.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    head: Option<String>,
}

/// Look whether the audit log is as it was written
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit", params(Noted),
    responses((status = 200, description = "What was found.", body = VerdictView)))]
async fn verify_log(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(noted): Query<Noted>,
) -> Result<Json<VerdictView>, ApiProblem> {
    check_is_for_all(&principal)?;
    let head = noted.head.as_deref().map(runner_store::read_digest);
    let Some(head) = head.map_or(Some(None), |head| head.map(Some)) else {
        let detail = "`head` is no hash: it has 64 hex digits";
        return Err(ApiProblem::new(StatusCode::BAD_REQUEST, code::API_REQUEST, detail));
    };
    let verdict = verify_audit(&*context.options.store, head).await?;
    if !matches!(verdict, AuditVerdict::Whole { .. }) {
        tracing::error!(code = %code::AUDIT_BROKEN, ?verdict, "the audit log was changed");
    }
    Ok(Json(verdict.into()))
}
