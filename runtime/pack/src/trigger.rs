//! What a rule waits for: the triggers that are built in, and those of sensors.
//!
//! StackStorm's names and parameters are accepted and mean what they mean there; what comes out is ours.

mod finished;
mod kind;
mod need;
mod reply;
mod schedule;
mod signature;
mod webhook;

use runner_engine::schedule::Schedule;
use runner_model::{Status, TriggerRef};
use serde_json::{Map, Value, json};

pub(crate) use kind::read;
pub(crate) use need::Need;
pub(crate) use signature::one_of;

pub use finished::ActionPattern;
pub use reply::Reply;
pub use schedule::{OnMissed, Overlap, Scheduled};
pub use signature::{Algorithm, Encoding, Scheme, WebhookAuth};
pub use webhook::Webhook;

/// What a rule waits for.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// `core.webhook`: a delivery over HTTP.
    Webhook(Webhook),
    /// `core.cron`, `core.interval` or `core.date`: a time.
    Schedule(Scheduled),
    /// `core.execution_finished`: the end of an execution.
    ExecutionFinished {
        /// Of which actions; none is of all.
        action: Option<ActionPattern>,
        /// With which statuses; empty is with any.
        statuses: Vec<Status>,
    },
    /// What a sensor emits.
    Custom {
        /// Its name.
        trigger: TriggerRef,
        /// What the rule says about it: they fit the trigger's own schema.
        parameters: Map<String, Value>,
    },
}

impl Trigger {
    /// Its name.
    #[must_use]
    pub fn reference(&self) -> TriggerRef {
        match self {
            Self::Webhook(_) => kind::core("core.webhook"),
            Self::Schedule(scheduled) => kind::core(match scheduled.schedule {
                Schedule::Cron(_) => "core.cron",
                Schedule::Interval { .. } => "core.interval",
                Schedule::Date(_) => "core.date",
            }),
            Self::ExecutionFinished { .. } => kind::core("core.execution_finished"),
            Self::Custom { trigger, .. } => trigger.clone(),
        }
    }

    /// What the rule says about it, as its file could write it; of a signature only its scheme.
    #[must_use]
    pub fn parameters(&self) -> Value {
        match self {
            Self::Webhook(webhook) => {
                json!({ "path": webhook.path, "methods": webhook.methods, "auth": webhook.auth.as_str() })
            }
            Self::Schedule(scheduled) => Value::Object(scheduled.parameters()),
            Self::ExecutionFinished { action, statuses } => json!({
                "action": action.as_ref().map(ToString::to_string),
                "statuses": statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>(),
            }),
            Self::Custom { parameters, .. } => Value::Object(parameters.clone()),
        }
    }
}
