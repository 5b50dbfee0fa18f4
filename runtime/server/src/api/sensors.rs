//! `/sensors`: what is asked again and again whether something has happened, and how it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use runner_model::{Failure, Timestamp};
use runner_pack::Sensor;
use runner_triggers::SensorState;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::access::Principal;
use super::body::Query;
use super::context::Context;
use super::page::{self, Items, PageQuery};
use super::problem::ApiProblem;
use super::route::{Access, Routes};

pub(super) fn routes() -> Routes {
    Routes::default().add(Access::Viewer, routes!(list_sensors))
}

/// A sensor, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sensor)]
pub(crate) struct SensorView {
    /// Its full name
    sensor: String,
    /// What it looks for
    description: String,
    /// Whether it is polled
    enabled: bool,
    /// From the end of one look to the beginning of the next, in seconds
    interval: f64,
    /// What it emits
    triggers: Vec<String>,
    /// How far it has come
    #[schema(required = true)]
    cursor: Option<String>,
    /// When it was last polled
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_poll: Option<Timestamp>,
    /// Why the last poll failed; null if it did not
    #[schema(value_type = Option<Object>, required = true)]
    last_error: Option<Failure>,
    /// Events that it emitted since the process started
    emitted: u64,
    /// When it is polled next; null while it is, or if it is not at all
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next: Option<Timestamp>,
}

impl SensorView {
    fn of(state: SensorState, sensor: Option<&Sensor>) -> Self {
        let triggers = sensor.map(|sensor| sensor.triggers.as_slice()).unwrap_or_default();
        Self {
            sensor: state.sensor.to_string(),
            description: sensor.map(|sensor| sensor.description.clone()).unwrap_or_default(),
            enabled: state.enabled,
            interval: sensor.map(|sensor| sensor.interval.as_secs_f64()).unwrap_or_default(),
            triggers: triggers.iter().map(|kind| kind.reference.to_string()).collect(),
            cursor: state.cursor,
            last_poll: state.last_poll,
            last_error: state.last_error,
            emitted: state.emitted,
            next: state.next,
        }
    }
}

/// Sensors, and how they stand
#[utoipa::path(
    get,
    path = "/api/v1/sensors",
    tag = "rules",
    params(PageQuery),
    responses((status = 200, description = "A page of sensors, by name", body = Items<SensorView>))
)]
async fn list_sensors(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<SensorView>>, ApiProblem> {
    let limit = page::limit(query.limit)?;
    let library = context.library();
    let mut all = context.options.triggers.sensors();
    all.retain(|state| principal.may_touch(state.sensor.pack()));
    all.sort_by(|one, other| one.sensor.as_str().cmp(other.sensor.as_str()));
    let known = |state: &SensorState| library.sensors().find(|(_, sensor)| sensor.reference == state.sensor);
    let views = all.into_iter().map(|state| {
        let sensor = known(&state).map(|(_, sensor)| &**sensor);
        SensorView::of(state, sensor)
    });
    Ok(Json(Items::among(views.collect(), limit, query.cursor.as_deref(), |view| view.sensor.clone())))
}
