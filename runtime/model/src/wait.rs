//! What a step can wait for from outside, and what the answer makes of it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{AttemptNumber, Failure, Outcome, Timestamp, code};

/// Something from outside that a step waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// What it is.
    #[serde(flatten)]
    pub kind: WaitKind,
    /// Until when; none is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it means that nothing came until then.
    #[serde(default, skip_serializing_if = "OnExpiry::is_timeout")]
    pub on_expiry: OnExpiry,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WaitKind {
    /// A person's answer.
    Inquiry {
        /// The question, in a sentence.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prompt: String,
        /// The JSON Schema of the answer.
        schema: Value,
        /// Who may answer: names of roles; none is anybody.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<String>,
        /// Who may answer: names of users; none is anybody.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        users: Vec<String>,
        /// A label by which those who answer find it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        route: String,
    },
    /// An event.
    Event {
        /// What ties the event to this wait.
        key: String,
    },
    /// Somebody to say what an attempt did whose outcome is unknown.
    Outcome {
        /// The attempt.
        attempt: AttemptNumber,
        /// What is known of it.
        failure: Failure,
    },
}

/// What it means that nothing came in time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// The step ends as `timeout`.
    #[default]
    Timeout,
    /// The step ends as `failed`.
    Fail,
    /// The step succeeds as if this had been the answer.
    Answer(Value),
}

impl OnExpiry {
    /// Whether the step ends as `timeout`.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout)
    }
}

/// Who answers when nobody did.
const NOBODY: &str = "nobody, in time";

impl Wait {
    /// What an answer makes of the step; none if the step is to be tried again.
    #[must_use]
    pub fn answered(&self, by: &str, answer: &Value) -> Option<Outcome> {
        match &self.kind {
            WaitKind::Inquiry { .. } => Some(Outcome::Succeeded { result: json!({"response": answer, "by": by}) }),
            WaitKind::Event { .. } => Some(Outcome::Succeeded { result: answer.clone() }),
            WaitKind::Outcome { failure, .. } => match answer.get("outcome").and_then(Value::as_str) {
                Some("retry") => None,
                Some("succeeded") => {
                    Some(Outcome::Succeeded { result: answer.get("result").cloned().unwrap_or(Value::Null) })
                }
                _ => Some(Outcome::Abandoned { failure: failure.clone() }),
            },
        }
    }

    /// What it makes of the step that nothing came in time.
    #[must_use]
    pub fn expired(&self) -> Outcome {
        let what = match &self.kind {
            WaitKind::Inquiry { .. } => "nobody answered in time",
            WaitKind::Event { .. } => "the event did not come in time",
            WaitKind::Outcome { .. } => "nobody said in time what the attempt did",
        };
        let failure = || Failure::new(code::FLOW_WAIT_EXPIRED, what);
        match &self.on_expiry {
            OnExpiry::Timeout => Outcome::Timeout { failure: failure() },
            OnExpiry::Fail => Outcome::Failed { failure: failure() },
            OnExpiry::Answer(answer) => match self.answered(NOBODY, answer) {
                Some(outcome) => outcome,
                None => Outcome::Failed { failure: failure() },
            },
        }
    }

    /// The JSON Schema that an answer must fit.
    #[must_use]
    pub fn schema(&self) -> Value {
        match &self.kind {
            WaitKind::Inquiry { schema, .. } => schema.clone(),
            WaitKind::Event { .. } => json!(true),
            WaitKind::Outcome { .. } => json!({
                "type": "object",
                "required": ["outcome"],
                "properties": {"outcome": {"enum": ["succeeded", "failed", "retry"]}, "result": {}},
                "additionalProperties": false,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(kind: WaitKind, on_expiry: OnExpiry) -> Wait {
        Wait { kind, expires_at: None, on_expiry }
    }

    fn inquiry(on_expiry: OnExpiry) -> Wait {
        let kind = WaitKind::Inquiry {
            prompt: String::new(),
            schema: json!({}),
            roles: vec![],
            users: vec![],
            route: String::new(),
        };
        wait(kind, on_expiry)
    }

    #[test]
    fn what_expires_ends_as_the_author_said() {
        assert!(matches!(inquiry(OnExpiry::Timeout).expired(), Outcome::Timeout { .. }));
        assert!(matches!(inquiry(OnExpiry::Fail).expired(), Outcome::Failed { .. }));
        let Outcome::Succeeded { result } = inquiry(OnExpiry::Answer(json!({"approved": false}))).expired() else {
            panic!("an answer was given")
        };
        assert_eq!(result["response"]["approved"], false);
    }

    #[test]
    fn who_knows_what_an_attempt_did_may_say_that_it_is_to_be_made_again() {
        let failure = Failure::new(code::EXEC_UNKNOWN_OUTCOME, "unknown");
        let wait = wait(WaitKind::Outcome { attempt: AttemptNumber::FIRST, failure }, OnExpiry::Fail);
        assert_eq!(wait.answered("me", &json!({"outcome": "retry"})), None);
        assert!(matches!(wait.answered("me", &json!({"outcome": "failed"})), Some(Outcome::Abandoned { .. })));
        let done = wait.answered("me", &json!({"outcome": "succeeded", "result": 7}));
        assert_eq!(done, Some(Outcome::Succeeded { result: json!(7) }));
    }

    #[test]
    fn waits_are_written_flat_and_read_back() {
        let wait = Wait {
            expires_at: Some(Timestamp::from_millis(0)),
            ..wait(WaitKind::Event { key: "k".into() }, OnExpiry::Fail)
        };
        let written = serde_json::to_value(&wait).unwrap();
        assert_eq!(
            written,
            json!({"kind": "event", "key": "k", "expires_at": "1970-01-01T00:00:00.000Z", "on_expiry": "fail"})
        );
        assert_eq!(serde_json::from_value::<Wait>(written).unwrap(), wait);
    }
}
