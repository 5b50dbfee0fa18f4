//! One criterion: what is looked at, how it is compared, and with what.

mod compile;
mod search;

use std::borrow::Cow;

use regex::Regex;
use serde_json::Value;

use super::view::View;
use super::{Operator, decide};
use crate::path::Path;
use crate::template::{CompileError, Template};
use search::Quantity;

/// A criterion, compiled.
#[derive(Debug, Clone)]
pub struct Criterion {
    key: String,
    path: Path,
    operator: Operator,
    against: Against,
}

/// What a value is compared with.
#[derive(Debug, Clone)]
enum Against {
    /// Nothing: it is there or not.
    Nothing,
    /// A value, perhaps with expressions.
    Pattern(Template),
    /// A pattern of text without expressions.
    Text { regex: Regex, pattern: Value },
    /// Criteria of the members of a list.
    Members { quantity: Quantity, criteria: Vec<Criterion>, pattern: Value },
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
    /// Compiles a criterion of an event: its key begins with `trigger`. The places of mistakes are ways from the
    /// criterion (`pattern`, `condition`); a mistake in the key is at the criterion itself.
    ///
    /// `pattern` is none only if the file has none: one that is written as null is null.
    pub fn compile(
        key: &str,
        operator: Operator,
        pattern: Option<&Value>,
        condition: Option<&str>,
    ) -> Result<Self, Vec<CompileError>> {
        compile::criterion("trigger", key, operator, pattern, condition)
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

    /// Whether it holds for a payload, or for a member of a list.
    pub(super) fn judge(&self, payload: &Value, view: &View<'_>) -> Judged {
        let found = self.path.find(payload);
        let (pattern, outcome) = self.compare(found.unwrap_or(&Value::Null), view);
        let (passed, why) = match outcome {
            Ok(passed) => (passed, None),
            Err(why) => (false, Some(why)),
        };
        let pattern = pattern.map(Cow::into_owned);
        Judged { key: self.key.clone(), operator: self.operator, passed, found: found.cloned(), pattern, why }
    }

    /// The same, without what was found. The error says why it could not be decided.
    pub(super) fn decide(&self, payload: &Value, view: &View<'_>) -> Result<bool, String> {
        self.compare(self.path.find(payload).unwrap_or(&Value::Null), view).1
    }

    /// The pattern, and whether it holds.
    fn compare(&self, value: &Value, view: &View<'_>) -> (Option<Cow<'_, Value>>, Result<bool, String>) {
        let holds = |pattern: &Value, regex| decide::holds(self.operator, value, pattern, regex, view.now());
        match &self.against {
            Against::Nothing => (None, holds(&Value::Null, None)),
            Against::Text { regex, pattern } => (Some(Cow::Borrowed(pattern)), holds(pattern, Some(regex))),
            Against::Pattern(template) => {
                let pattern = match template.as_literal() {
                    Some(literal) => Ok(Cow::Borrowed(literal)),
                    None => template.render(view.frame()).map(Cow::Owned),
                };
                match pattern {
                    Ok(pattern) => {
                        let outcome = holds(&pattern, None);
                        (Some(pattern), outcome)
                    }
                    Err(error) => (None, Err(error.to_string())),
                }
            }
            Against::Members { quantity, criteria, pattern } => {
                (Some(Cow::Borrowed(pattern)), search::holds(*quantity, criteria, value, view))
            }
        }
    }
}
