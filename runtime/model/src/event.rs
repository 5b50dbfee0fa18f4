//! Events: what happened outside, and what rules made of it.
//!
//! **An event is recorded before it is acknowledged, and together with what it leads to**: which rules matched, with
//! which parameters, and the id of the execution that each will have. What is left to do after that is the same however
//! often it is done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ActionRef, EventId, ExecutionId, Failure, Mask, RuleRef, Timestamp, TriggerRef};

/// One occurrence of a trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its identity.
    pub id: EventId,
    /// What kind of occurrence.
    pub trigger: TriggerRef,
    /// Of what: the path of a webhook, the rule of a schedule, a sensor, the execution that ended.
    pub source: String,
    /// What makes it the same as another one of its trigger and source: the delivery's id, the scheduled instant. None
    /// is the same as no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was recorded.
    pub received_at: Timestamp,
    /// What it brought: what criteria and `event()` read.
    pub payload: Value,
    /// How many executions came one after the other from the end of another, before this event.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chain: u32,
    /// The trace that it belongs to, as whoever sent it says: a W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// Whether something that it brought must not be shown: then it is sealed, and so is what it leads to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// The texts of it that must not be shown: what rules put where an action says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The rules that matched.
    #[serde(default)]
    pub matches: Vec<Match>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes by reference")]
fn is_zero(chain: &u32) -> bool {
    *chain == 0
}

impl Event {
    /// Whether something is left to do for it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.matches.iter().any(|one| one.state.is_open())
    }

    /// The event as it may be shown.
    #[must_use]
    pub fn masked(mut self) -> Self {
        let mask = Mask::default();
        // How it is kept is nobody's business.
        self.sealed = false;
        std::mem::take(&mut self.secrets).iter().for_each(|text| mask.learn(text));
        mask.hide(&mut self.payload);
        for one in &mut self.matches {
            let mut parameters = Value::Object(std::mem::take(&mut one.parameters));
            mask.hide(&mut parameters);
            if let Value::Object(parameters) = parameters {
                one.parameters = parameters;
            }
            if let MatchState::Failed { failure } = &mut one.state {
                mask.hide_failure(failure);
            }
        }
        self
    }
}

/// A rule that matched an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The rule.
    pub rule: RuleRef,
    /// The action that it runs.
    pub action: ActionRef,
    /// The rendered parameters, without defaults.
    pub parameters: Map<String, Value>,
    /// The execution that this makes: its id is known before it is there.
    pub execution: ExecutionId,
    /// How far it is.
    #[serde(flatten)]
    pub state: MatchState,
}

/// What became of a match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MatchState {
    /// The execution is to be made.
    Pending,
    /// The execution is to be made when an earlier one of the rule has ended (`overlap: queue`).
    Queued,
    /// The execution was made.
    Started,
    /// No execution is made, on purpose.
    Skipped {
        /// Why: `an earlier execution still runs`.
        reason: String,
    },
    /// No execution could be made.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl MatchState {
    /// Whether something is left to do for it.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Pending | Self::Queued)
    }

    /// The word, as it is written in the match.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Started => "started",
            Self::Skipped { .. } => "skipped",
            Self::Failed { .. } => "failed",
        }
    }
}
