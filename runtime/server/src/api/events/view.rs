//! Events as they go over the wire. The fields and their names are those of [`Event`]; parameters that an action calls
//! secret are masked.

use runner_model::view::masked;
use runner_model::{Event, Failure, Match, MatchState, Timestamp};
use runner_pack::Library;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One occurrence of a trigger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    /// Its identity
    id: String,
    /// What kind of occurrence
    #[schema(example = "core.webhook")]
    trigger: String,
    /// Of what: a webhook (its path, and which of those at it), the rule of a schedule, a sensor, the execution that ended
    source: String,
    /// What makes it the same as another one of its trigger and source
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
    /// When it happened
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// When it was recorded
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// What it brought: what criteria and `event()` read
    payload: Value,
    /// How many executions came one after the other from the end of another, before this event
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    chain: u32,
    /// The trace that it belongs to, as whoever sent it says
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trace_parent: Option<String>,
    /// The rules that matched
    matches: Vec<MatchView>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes by reference")]
fn is_zero(chain: &u32) -> bool {
    *chain == 0
}

/// A rule that matched an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Match)]
struct MatchView {
    /// The rule
    rule: String,
    /// The action that it runs
    action: String,
    /// The rendered parameters, without defaults; secret ones are masked
    #[schema(value_type = Object)]
    parameters: Value,
    /// The execution that this makes: its id is known before it is there
    execution: String,
    /// How far it is
    #[schema(value_type = MatchStateWord)]
    state: &'static str,
    /// Why no execution is made, on purpose
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// Why no execution could be made
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Object>)]
    failure: Option<Failure>,
}

/// How far a match is.
#[derive(ToSchema)]
#[schema(as = MatchState, rename_all = "snake_case")]
#[allow(dead_code, reason = "it is only described")]
enum MatchStateWord {
    /// The execution is to be made
    Pending,
    /// The execution is to be made when an earlier one of the rule has ended
    Queued,
    /// The execution was made
    Started,
    /// No execution is made, on purpose
    Skipped,
    /// No execution could be made
    Failed,
}

impl EventView {
    /// An event, with secrets as the actions of today name them.
    pub(crate) fn of(library: &Library, event: Event) -> Self {
        let event = event.masked();
        Self {
            id: event.id.to_string(),
            trigger: event.trigger.to_string(),
            source: event.source,
            key: event.key,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            payload: event.payload,
            chain: event.chain,
            trace_parent: event.trace_parent,
            matches: event.matches.into_iter().map(|one| MatchView::of(library, one)).collect(),
        }
    }
}

impl MatchView {
    fn of(library: &Library, one: Match) -> Self {
        let action = library.action(&one.action);
        let secret = action.map(|(_, action)| action.parameters.secret_names()).unwrap_or_default();
        let state = one.state.as_str();
        let (reason, failure) = match one.state {
            MatchState::Skipped { reason } => (Some(reason), None),
            MatchState::Failed { failure } => (None, Some(failure)),
            MatchState::Pending | MatchState::Queued | MatchState::Started => (None, None),
        };
        Self {
            rule: one.rule.to_string(),
            action: one.action.to_string(),
            parameters: masked(&Value::Object(one.parameters), &secret),
            execution: one.execution.to_string(),
            state,
            reason,
            failure,
        }
    }
}

/// An event that is recorded, and what comes of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivered)]
pub(crate) struct DeliveredView {
    /// The id of the event
    pub(crate) event: String,
    /// The executions that it makes: their ids are known before they are there
    pub(crate) executions: Vec<StartedView>,
    /// Whether the event was there already: this is the one that came first, with its executions
    pub(crate) duplicate: bool,
}

/// An execution that an event makes.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Started)]
pub(crate) struct StartedView {
    /// The rule
    pub(crate) rule: String,
    /// The id of the execution
    pub(crate) execution: String,
}

impl DeliveredView {
    pub(crate) fn of(event: &Event, duplicate: bool) -> Self {
        Self { event: event.id.to_string(), executions: started(event), duplicate }
    }
}

/// The executions that an event makes, or has made.
pub(crate) fn started(event: &Event) -> Vec<StartedView> {
    let makes = |one: &&Match| one.state.is_open() || one.state == MatchState::Started;
    let view = |one: &Match| StartedView { rule: one.rule.to_string(), execution: one.execution.to_string() };
    event.matches.iter().filter(makes).map(view).collect()
}

#[cfg(test)]
mod tests {
    use runner_model::code;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_goes_over_the_wire_as_it_is_kept() {
        let one = |state: Value| {
            let mut one = json!({
                "rule": "ops.deploy",
                "action": "ops.run",
                "parameters": {"a": 1},
                "execution": "018f4d3e-0000-7000-8000-000000000002",
            });
            one.as_object_mut().unwrap().extend(state.as_object().unwrap().clone());
            one
        };
        let failure = serde_json::to_value(Failure::new(code::EXEC_DISABLED, "no").with_hint("yes")).unwrap();
        let written = json!({
            "id": "018f4d3e-0000-7000-8000-000000000001",
            "trigger": "core.webhook",
            "source": "github",
            "key": "1",
            "occurred_at": "2026-11-21T10:46:00.007Z",
            "received_at": "2026-11-21T10:46:00.008Z",
            "payload": {"body": null},
            "chain": 2,
            "trace_parent": "00-1-2-00",
            "matches": [
                one(json!({"state": "pending"})),
                one(json!({"state": "skipped", "reason": "an earlier one runs"})),
                one(json!({"state": "failed", "failure": failure})),
            ],
        });
        let event: Event = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), written);
        assert_eq!(serde_json::to_value(EventView::of(&Library::default(), event)).unwrap(), written);
    }
}
