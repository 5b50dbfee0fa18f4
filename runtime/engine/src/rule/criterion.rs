//! One criterion: what is looked at, how it is compared, and with what.

use serde_json::Value;

use super::Operator;
use crate::expression::Frame;
use crate::template::CompileError;

/// A criterion, compiled.
#[derive(Debug, Clone)]
pub struct Criterion {
    key: String,
    operator: Operator,
}

/// What was found for a criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Its key, as written.
    pub key: String,
    /// Its operator.
    pub operator: Operator,
    /// Whether it holds.
    pub passed: bool,
    /// The value that the event has there; none if it has none, or null.
    pub found: Option<Value>,
    /// The pattern with its expressions evaluated; none if there is none.
    pub pattern: Option<Value>,
    /// Why it could not be decided: a value is missing, or of a kind that the operator cannot compare. A criterion that
    /// was decided has none.
    pub why: Option<String>,
}

impl Criterion {
    /// Compiles a criterion. The places of mistakes are ways from the criterion: `pattern`, `condition`; a mistake in
    /// the key is at the criterion itself.
    pub fn compile(
        key: &str,
        operator: Operator,
        pattern: Option<&Value>,
        condition: Option<&str>,
    ) -> Result<Self, Vec<CompileError>> {
        let _ = (pattern, condition);
        Ok(Self { key: key.to_owned(), operator })
    }

    /// Its key, as written.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its operator.
    #[must_use]
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    pub(super) fn judge(&self, _payload: &Value, _frame: &Frame) -> Judged {
        Judged { key: self.key.clone(), operator: self.operator, passed: false, found: None, pattern: None, why: None }
    }
}
