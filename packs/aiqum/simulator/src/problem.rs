//! Errors in the form of Unified Manager: `{"error": {"code", "message", "target"}}`.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

/// Why a request, or a job, did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// The status.
    pub(crate) status: u16,
    /// The code: a text.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// The field that is wrong.
    pub(crate) target: Option<String>,
}

impl Problem {
    /// A problem whose code is its status: NetApp publishes no list of codes.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, code: status.to_string(), message: message.into(), target: None }
    }

    /// The same problem, of a field.
    pub(crate) fn at(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }

    /// There is no such object.
    pub(crate) fn absent(what: &str, key: &str) -> Self {
        Self::new(404, format!("There is no {what} with the key {key}."))
    }

    /// A field is missing.
    pub(crate) fn missing(field: &str) -> Self {
        Self::new(400, format!("The field {field} is required.")).at(field)
    }

    /// A field has a wrong value.
    pub(crate) fn invalid(field: &str, value: &str) -> Self {
        Self::new(400, format!("The value {value} is not valid for {field}.")).at(field)
    }

    /// What ONTAP said.
    pub(crate) fn of_ontap(status: u16, body: &Value) -> Self {
        let error = body.get("error").cloned().unwrap_or_default();
        let text = |key: &str| error.get(key).map(crate::path::plain);
        Self {
            status,
            code: text("code").unwrap_or_else(|| status.to_string()),
            message: text("message").unwrap_or_else(|| format!("ONTAP answered {status}.")),
            target: text("target"),
        }
    }

    /// As an answer.
    pub(crate) fn reply(&self) -> Reply {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(target) = &self.target {
            crate::path::set(&mut error, "target", target.as_str());
        }
        Reply::json(self.status, &json!({ "error": error }))
    }
}
