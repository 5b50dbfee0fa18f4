//! `/rules`: what is run when something happens, how each rule stands, switching and trying them.

mod enforcements;
mod test;
mod view;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use runner_model::{RuleRef, code};
use runner_triggers::RuleState;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::page::{self, Items};
use super::problem::ApiProblem;
use super::route::{Access, Routes};
pub(crate) use view::RuleView;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Access::Viewer, routes!(list_rules))
        .add(Access::Viewer, routes!(get_rule))
        .add(Access::Admin, routes!(enable_rule))
        .add(Access::Admin, routes!(disable_rule))
        .add(Access::Admin, routes!(reset_rule))
        .add(Access::Operator, routes!(test::test_rule))
        .add(Access::Viewer, routes!(enforcements::list_enforcements))
}

/// Which rules to list. Everything that is given must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RulesQuery {
    /// Of this pack
    pack: Option<String>,
    /// Waiting for this trigger: `core.webhook`
    trigger: Option<String>,
    /// Running this action
    action: Option<String>,
    /// At work (true), or not (false)
    enabled: Option<bool>,
    /// How many at the most: from 1 to 1000, 100 if nothing is said
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
    /// Where to go on: the `next` of the page before
    cursor: Option<String>,
}

/// Rules, and how they stand
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "rules",
    params(RulesQuery),
    responses((status = 200, description = "A page of rules, by name", body = Items<RuleView>))
)]
async fn list_rules(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<RulesQuery>,
) -> Result<Json<Items<RuleView>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let is = |asked: &Option<String>, own: &str| asked.as_deref().is_none_or(|asked| asked == own);
    let mut all = context.options.triggers.rules();
    all.retain(|state| {
        let rule = &state.rule;
        principal.may_touch(rule.reference.pack())
            && is(&query.pack, rule.reference.pack())
            && is(&query.trigger, rule.trigger.reference().as_str())
            && is(&query.action, rule.action.as_str())
            && query.enabled.is_none_or(|asked| asked == state.enabled)
    });
    all.sort_by(|one, other| one.rule.reference.as_str().cmp(other.rule.reference.as_str()));
    let views = all.iter().map(RuleView::from).collect();
    Ok(Json(Items::among(views, limit, query.cursor.as_deref(), |view| view.reference.clone())))
}

/// One rule, and how it stands
#[utoipa::path(
    get,
    path = "/api/v1/rules/{ref}",
    tag = "rules",
    params(("ref" = String, Path, description = "The full name of the rule: `pack.name`")),
    responses((status = 200, description = "The rule", body = RuleView))
)]
async fn get_rule(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(reference): Path<String>,
) -> Result<Json<RuleView>, ApiProblem> {
    Ok(Json(RuleView::from(&find(&context, &principal, &reference)?)))
}

/// Switch a rule on, whatever its file says
#[utoipa::path(
    post,
    path = "/api/v1/rules/{ref}/enable",
    tag = "rules",
    params(("ref" = String, Path, description = "The full name of the rule: `pack.name`")),
    responses((status = 200, description = "The rule as it is now", body = RuleView))
)]
async fn enable_rule(
    context: State<Arc<Context>>,
    principal: Principal,
    reference: Path<String>,
) -> Result<Json<RuleView>, ApiProblem> {
    switch(context, &principal, reference, Some(true)).await
}

/// Switch a rule off, whatever its file says
#[utoipa::path(
    post,
    path = "/api/v1/rules/{ref}/disable",
    tag = "rules",
    params(("ref" = String, Path, description = "The full name of the rule: `pack.name`")),
    responses((status = 200, description = "The rule as it is now", body = RuleView))
)]
async fn disable_rule(
    context: State<Arc<Context>>,
    principal: Principal,
    reference: Path<String>,
) -> Result<Json<RuleView>, ApiProblem> {
    switch(context, &principal, reference, Some(false)).await
}

/// Let the file of a rule say again whether it is on
#[utoipa::path(
    post,
    path = "/api/v1/rules/{ref}/reset",
    tag = "rules",
    params(("ref" = String, Path, description = "The full name of the rule: `pack.name`")),
    responses((status = 200, description = "The rule as it is now", body = RuleView))
)]
async fn reset_rule(
    context: State<Arc<Context>>,
    principal: Principal,
    reference: Path<String>,
) -> Result<Json<RuleView>, ApiProblem> {
    switch(context, &principal, reference, None).await
}

async fn switch(
    State(context): State<Arc<Context>>,
    principal: &Principal,
    Path(reference): Path<String>,
    enabled: Option<bool>,
) -> Result<Json<RuleView>, ApiProblem> {
    let rule = find(&context, principal, &reference)?.rule.reference.clone();
    let state = context.options.triggers.switch(&rule, enabled, principal.audited(context.now())).await?;
    tracing::info!(%rule, enabled = state.enabled, by = principal.by(), "rule switched");
    Ok(Json(RuleView::from(&state)))
}

/// The rule with this name, as far as whoever asks may see it.
fn find(context: &Context, principal: &Principal, reference: &str) -> Result<RuleState, ApiProblem> {
    let triggers = &context.options.triggers;
    let parsed: Result<RuleRef, _> = reference.parse();
    let is_theirs = |rule: &RuleRef| principal.may_touch(rule.pack());
    let found = parsed.ok().filter(is_theirs).and_then(|rule| triggers.rule(rule.as_str()));
    found.ok_or_else(|| {
        let detail = format!("there is no rule `{reference}`");
        ApiProblem::new(http::StatusCode::NOT_FOUND, code::EVENT_NO_RULE, detail)
            .hint("`GET /api/v1/rules` lists what there is")
    })
}
