//! What ONTAP refuses, and how it says so.

use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

/// A refusal: a status, ONTAP's code and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// ONTAP's code. On the wire it is a string.
    pub(crate) code: u64,
    /// The message.
    pub(crate) message: String,
    /// The field that is to blame.
    pub(crate) target: Option<String>,
}

impl Refusal {
    /// A refusal of some status.
    pub(crate) fn new(status: u16, code: u64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), target: None }
    }

    /// A bad request.
    pub(crate) fn bad(code: u64, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The field that is to blame.
    pub(crate) fn at(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// There is no such object.
    pub(crate) fn absent() -> Self {
        Self::new(404, 4, "entry doesn't exist")
    }

    /// There is no such path.
    pub(crate) fn no_such_path() -> Self {
        Self::new(404, 3, "API not found")
    }

    /// The path does not take the method.
    pub(crate) fn unsupported(method: &str) -> Self {
        Self::new(405, 3, format!("{method} is not supported for this resource"))
    }

    /// An object of the same name is there already.
    pub(crate) fn exists(what: &str) -> Self {
        Self::new(409, 1, format!("duplicate entry: {what}"))
    }

    /// The object is in use.
    pub(crate) fn in_use(message: impl Into<String>) -> Self {
        Self::new(409, 8, message)
    }

    /// A field is missing.
    pub(crate) fn missing(field: &str) -> Self {
        Self::bad(2, format!("Field \"{field}\" is required.")).at(field)
    }

    /// A field has a value that it cannot have.
    pub(crate) fn invalid(field: &str, value: &str) -> Self {
        Self::bad(262_197, format!("The value \"{value}\" is invalid for field \"{field}\".")).at(field)
    }

    /// The object `error` of an answer.
    pub(crate) fn object(&self) -> Value {
        let mut error = json!({ "message": self.message, "code": self.code.to_string() });
        if let (Some(target), Some(map)) = (&self.target, error.as_object_mut()) {
            map.insert("target".to_owned(), json!(target));
        }
        error
    }

    /// The answer.
    pub(crate) fn reply(&self) -> Reply {
        crate::answer::hal(self.status, &json!({ "error": self.object() }))
    }
}
