//! Events: what Unified Manager noticed, and who sees to it.

use runner_sdk::prelude::*;
use runner_sdk::serde_json::Map;

use crate::api::{Api, text};
use crate::cluster::Records;
use crate::system::filters;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListInput {
    /// Filters: fields and what they must be, with `*` and `|`, such as `{severity: error|critical, current_state: new}`.
    filter: Map<String, Value>,
    /// How many at most.
    limit: usize,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists events.
#[action]
pub(crate) fn list_events(input: ListInput) -> Result<Records> {
    let query = filters(&input.filter);
    Ok(Api::new(&input.connection).list("/api/v2/management-server/events", &query, input.limit)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct AcknowledgeInput {
    /// The event's key.
    event_key: String,
    /// A note that stays with it.
    annotation: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct AssignInput {
    /// The event's key.
    event_key: String,
    /// The user of Unified Manager who is to see to it.
    user: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// An event that was changed, or was so already.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Changed {
    /// Whether anything was changed.
    changed: bool,
    /// What Unified Manager shows of it.
    event: Value,
}

/// Acknowledges an event, unless it is already.
#[action]
pub(crate) fn acknowledge_event(input: AcknowledgeInput) -> Result<Changed> {
    let mut body = json!({ "current_state": "acknowledged" });
    if let (Some(note), Some(map)) = (&input.annotation, body.as_object_mut()) {
        map.insert("annotation".to_owned(), json!(note));
    }
    change(&input.connection, &input.event_key, &body, |event| text(event, "/current_state") != "new")
}

/// Assigns an event to a user, unless it is already.
#[action]
pub(crate) fn assign_event(input: AssignInput) -> Result<Changed> {
    let body = json!({ "assigned": { "user": input.user } });
    change(&input.connection, &input.event_key, &body, |event| text(event, "/assigned/user") == input.user)
}

fn change(connection: &str, key: &str, body: &Value, is_so: impl Fn(&Value) -> bool) -> Result<Changed> {
    let api = Api::new(connection);
    let Some(event) = api.find(path!("/api/v2/management-server/events/{key}"))? else {
        bail!("event-not-found", "Unified Manager knows no event `{key}`")
    };
    if is_so(&event) {
        return Ok(Changed { changed: false, event });
    }
    Ok(Changed {
        changed: true,
        event: api.write("PATCH", path!("/api/v2/management-server/events/{key}"), Some(body))?,
    })
}
