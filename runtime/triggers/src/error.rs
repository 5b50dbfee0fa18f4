//! Why an event was not taken.

use runner_model::{Code, EventId, RuleRef, TriggerRef, code, limits};
use runner_store::StoreError;

/// Why an event was not taken, or a rule not switched. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TriggerError {
    /// No sensor declares such a trigger.
    #[error("there is no trigger `{trigger}`")]
    UnknownTrigger {
        /// The trigger.
        trigger: TriggerRef,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// There is no such rule.
    #[error("there is no rule `{rule}`")]
    UnknownRule {
        /// The rule.
        rule: RuleRef,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// There is no such event.
    #[error("there is no event `{event}`")]
    UnknownEvent {
        /// The event.
        event: EventId,
    },
    /// The payload does not fit the trigger's schema.
    #[error("the payload does not fit `{trigger}`: {reason}")]
    Payload {
        /// The trigger.
        trigger: TriggerRef,
        /// What does not fit.
        reason: String,
    },
    /// The key is too long.
    #[error("the key of the event has {bytes} bytes, at most {} are allowed", limits::EVENT_KEY_BYTES_MAX)]
    Key {
        /// Its length, in bytes.
        bytes: usize,
    },
    /// Executions and events lead to one another without an end.
    #[error("{chain} executions came one after the other from the end of another: there are no more")]
    Chain {
        /// How many.
        chain: u32,
    },
    /// The process is ending.
    #[error("no events are taken any more: the process is ending")]
    Stopped,
    /// It could not be recorded.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for TriggerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TriggerError {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownTrigger { .. } => code::RULE_UNKNOWN_TRIGGER,
            Self::UnknownRule { .. } => code::EVENT_NO_RULE,
            Self::UnknownEvent { .. } => code::STORE_NO_EVENT,
            Self::Payload { .. } => code::EVENT_PAYLOAD,
            Self::Key { .. } => code::EVENT_KEY,
            Self::Chain { .. } => code::EVENT_CHAIN,
            Self::Stopped => code::EVENT_STOPPED,
            Self::Store(error) => error.code(),
        }
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownTrigger { hint, .. } | Self::UnknownRule { hint, .. } => hint.clone(),
            Self::UnknownEvent { .. } => Some("`runner event list` shows those that are kept".to_owned()),
            Self::Payload { .. } => Some("the `payload_schema` of the trigger is in its sensor's file".to_owned()),
            Self::Key { .. } => Some("send a digest of it instead".to_owned()),
            Self::Chain { .. } => {
                Some("give one of the rules a `criteria` that leaves out what it started itself".to_owned())
            }
            Self::Stopped => Some("send it again in a few seconds".to_owned()),
            Self::Store(error) => Some(error.hint().to_owned()),
        }
    }
}
