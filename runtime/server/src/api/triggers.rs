//! `/triggers`: kinds of events, built in and of sensors, and what comes with each.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use runner_model::code;
use runner_pack::{Sensor, TriggerType};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::page::{self, Items, PageQuery};
use super::problem::ApiProblem;
use super::route::{Access, Routes};

pub(super) fn routes() -> Routes {
    Routes::default().add(Access::Viewer, routes!(list_triggers)).add(Access::Viewer, routes!(get_trigger))
}

/// A kind of event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trigger)]
pub(crate) struct KindView {
    /// Its full name
    #[schema(example = "core.webhook")]
    reference: String,
    /// What has happened when it comes
    description: String,
    /// The sensor that emits it; null if it is built in
    #[schema(required = true)]
    sensor: Option<String>,
    /// What comes with it, as a JSON Schema; null if nothing is said
    #[schema(value_type = Option<Object>, required = true)]
    payload_schema: Option<Value>,
    /// What a rule can say about it, as a JSON Schema; null if nothing
    #[schema(value_type = Option<Object>, required = true)]
    parameters_schema: Option<Value>,
}

impl KindView {
    fn of(sensor: &Sensor, kind: &TriggerType) -> Self {
        Self {
            reference: kind.reference.to_string(),
            description: kind.description.clone(),
            sensor: Some(sensor.reference.to_string()),
            payload_schema: kind.payload_schema.clone().filter(Value::is_object),
            parameters_schema: kind.parameters_schema.clone().filter(Value::is_object),
        }
    }

    fn built_in(name: &str, description: &str, payload: &Value) -> Self {
        let payload = json!({ "type": "object", "properties": payload });
        let (reference, description) = (name.to_owned(), description.to_owned());
        Self { reference, description, sensor: None, payload_schema: Some(payload), parameters_schema: None }
    }
}

/// The kinds that need no sensor. Their parameters are described in the manual of rules.
fn built_in() -> Vec<KindView> {
    let (text, moment, map) =
        (json!({"type": "string"}), json!({"type": "string", "format": "date-time"}), json!({"type": "object"}));
    let instant = json!({"scheduled_at": moment, "fired_at": moment, "missed": {"type": "boolean"}, "schedule": text});
    let delivery = json!({"method": text, "path": text, "query": map, "headers": map, "headers_lower": map, "body": {},
        "encoding": {"enum": ["json", "form", "text", "base64", "none"]}});
    let end = json!({"execution_id": text, "action": text, "pack": text, "status": text, "started_at": moment,
        "finished_at": moment, "parameters": map, "result": {}, "origin": {}});
    vec![
        KindView::built_in("core.cron", "A wall clock shows a time that fits the expression", &instant),
        KindView::built_in("core.date", "A moment has come", &instant),
        KindView::built_in("core.execution_finished", "An execution has ended", &end),
        KindView::built_in("core.interval", "The same time has passed again", &instant),
        KindView::built_in("core.webhook", "Something was delivered over HTTP", &delivery),
    ]
}

fn all(context: &Context, principal: &Principal) -> Vec<KindView> {
    let library = context.library();
    let theirs = library.sensors().filter(|(_, sensor)| principal.may_touch(sensor.reference.pack()));
    let of_sensors = theirs.flat_map(|(_, sensor)| sensor.triggers.iter().map(|kind| KindView::of(sensor, kind)));
    let mut kinds: Vec<_> = built_in().into_iter().chain(of_sensors).collect();
    kinds.sort_by(|one, other| one.reference.cmp(&other.reference));
    kinds.dedup_by(|one, other| one.reference == other.reference);
    kinds
}

/// Kinds of events that rules can wait for
#[utoipa::path(
    get,
    path = "/api/v1/triggers",
    tag = "rules",
    params(PageQuery),
    responses((status = 200, description = "A page of triggers, by name", body = Items<KindView>))
)]
async fn list_triggers(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<KindView>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let kinds = all(&context, &principal);
    Ok(Json(Items::among(kinds, limit, query.cursor.as_deref(), |kind| kind.reference.clone())))
}

/// One kind of event
#[utoipa::path(
    get,
    path = "/api/v1/triggers/{ref}",
    tag = "rules",
    params(("ref" = String, Path, description = "The full name of the trigger: `pack.name`")),
    responses((status = 200, description = "The trigger", body = KindView))
)]
async fn get_trigger(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(reference): Path<String>,
) -> Result<Json<KindView>, ApiProblem> {
    let found = all(&context, &principal).into_iter().find(|kind| kind.reference == reference);
    found.map(Json).ok_or_else(|| {
        let detail = format!("there is no trigger `{reference}`");
        ApiProblem::new(StatusCode::NOT_FOUND, code::RULE_UNKNOWN_TRIGGER, detail)
            .hint("`GET /api/v1/triggers` lists what there is")
    })
}
