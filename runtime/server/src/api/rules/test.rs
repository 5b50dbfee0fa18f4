//! `POST /rules/{ref}/test`: what a rule says of a payload. Nothing comes of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use runner_engine::rule::{Judged, Rendered, Trial, Verdict};
use runner_model::view::masked;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::find;
use crate::api::access::Principal;
use crate::api::body::Body;
use crate::api::context::Context;
use crate::api::problem::ApiProblem;

/// What a rule is tried with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleTest)]
pub(crate) struct RuleTest {
    /// What the event would bring
    payload: Value,
}

/// What a rule says of a payload.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictView {
    /// The rule
    rule: String,
    /// Whether it matches
    matched: bool,
    /// What was found for each criterion
    criteria: Vec<JudgedView>,
    /// What `when` gave; null if there is none, or a criterion does not hold
    #[schema(required = true)]
    when: Option<WhenView>,
    /// What the action would get, without defaults, secret parameters masked; null if the rule does not match
    #[schema(required = true, value_type = Option<Object>)]
    parameters: Option<Value>,
    /// Why the parameters cannot be made; null if they can, or the rule does not match
    #[schema(required = true)]
    failure: Option<String>,
    /// What would make the event the same as another for the rule; null if nothing would
    #[schema(required = true)]
    key: Option<String>,
}

/// What was found for a criterion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Judged)]
struct JudgedView {
    /// Its key
    key: String,
    /// How it is compared
    #[serde(rename = "type")]
    operator: &'static str,
    /// Whether it holds
    passed: bool,
    /// The value that the payload has there; null if it has none
    found: Value,
    /// What it is compared with, expressions evaluated; null if with nothing
    pattern: Value,
    /// Why it could not be decided; null if it was
    #[schema(required = true)]
    why: Option<String>,
}

/// What `when` gave.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = When)]
struct WhenView {
    /// Whether it holds
    passed: bool,
    /// Why it gave nothing; null if it gave something
    #[schema(required = true)]
    error: Option<String>,
}

impl From<Judged> for JudgedView {
    fn from(judged: Judged) -> Self {
        Self {
            key: judged.key,
            operator: judged.operator.as_str(),
            passed: judged.passed,
            found: judged.found.unwrap_or_default(),
            pattern: judged.pattern.unwrap_or_default(),
            why: judged.why,
        }
    }
}

/// Try a rule: whether it would match, and if not which criterion fails
#[utoipa::path(
    post,
    path = "/api/v1/rules/{ref}/test",
    tag = "rules",
    params(("ref" = String, Path, description = "The full name of the rule: `pack.name`")),
    request_body = RuleTest,
    responses((status = 200, description = "What the rule says", body = VerdictView))
)]
pub(super) async fn test_rule(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(reference): Path<String>,
    Body(test): Body<RuleTest>,
) -> Result<Json<VerdictView>, ApiProblem> {
    let rule = find(&context, &principal, &reference)?.rule;
    let trial = context.options.triggers.examine(&rule.reference, &test.payload);
    // Its pack was swapped since it was found.
    let Trial { verdict: Verdict { matched, criteria, when }, rendered } =
        trial.ok_or_else(|| ApiProblem::missing(format!("there is no rule `{}`", rule.reference)))?;
    let when = when.map(|when| match when {
        Ok(passed) => WhenView { passed, error: None },
        Err(error) => WhenView { passed: false, error: Some(error) },
    });
    let (parameters, failure, key) = match rendered {
        None => (None, None, None),
        Some(Err(failure)) => (None, Some(failure), None),
        Some(Ok(Rendered { parameters, key })) => {
            let action = context.options.packs.action(&rule.action);
            let secret = action.map(|(_, action)| action.parameters.secret_names()).unwrap_or_default();
            (Some(masked(&Value::Object(parameters), &secret)), None, key)
        }
    };
    let criteria = criteria.into_iter().map(JudgedView::from).collect();
    let rule = rule.reference.to_string();
    Ok(Json(VerdictView { rule, matched, criteria, when, parameters, failure, key }))
}
