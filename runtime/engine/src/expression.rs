//! One rhai expression: compiled when its pack loads, evaluated against a [`Frame`].
//!
//! The language is rhai's expressions on a bare engine with chosen packages: no statements, no modules, no `eval`, no
//! files, no printing, no clock; strict variables and properties; limits on operations, depth and sizes. What an
//! expression can see of the execution it gets from the functions in [`functions`].

mod convert;
mod frame;
mod functions;
mod growth;
mod language;
pub mod scan;
mod texts;
mod time;

use std::sync::Arc;

use rhai::{AST, EvalAltResult, Scope};
use runner_model::{Code, code, limits};
use serde_json::Value;

pub use frame::{ExecutionInfo, Frame, Happened, TaskResult, Tasks};
pub use functions::names as function_names;

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    ast: AST,
    uses: scan::Uses,
}

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What kind of mistake.
    pub code: Code,
    /// Where in the source, in bytes.
    pub offset: usize,
    /// How much of it is meant, in bytes; 0 if only the position is known.
    pub length: usize,
    /// A lowercase sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// Why an expression gave no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// It went wrong.
    #[error("{message}, in `<% {expression} %>`")]
    Failed {
        /// What kind of mistake.
        code: Code,
        /// The expression's source.
        expression: String,
        /// A lowercase sentence.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// It reads a key that has not been fetched: fetch it, record it, and evaluate again.
    #[error("the value of the key `{key}` has not been read")]
    NeedsKv {
        /// The key.
        key: String,
    },
}

impl EvaluationError {
    pub(crate) fn failed(code: Code, expression: String, message: String, hint: Option<String>) -> Self {
        Self::Failed { code, expression, message, hint }
    }
}

impl Expression {
    /// Compiles the text between `<%` and `%>`.
    pub fn compile(source: &str) -> Result<Self, Mistake> {
        if source.trim().is_empty() {
            return Err(Mistake::at(code::EXPR_SYNTAX, 0, "the expression is empty"));
        }
        if source.chars().count() > limits::EXPRESSION_CHARS_MAX {
            let message = format!("the expression is longer than {} characters", limits::EXPRESSION_CHARS_MAX);
            return Err(Mistake::at(code::EXPR_LIMIT, 0, message).with_hint("move the work into an action"));
        }
        let uses = scan::uses(source);
        let ast = language::engine().compile_expression(source).map_err(|error| language::mistake(source, &error))?;
        if let Some(call) = uses.calls.iter().find(|call| !functions::names().contains(call.name.as_str())) {
            return Err(unknown_function(call));
        }
        Ok(Self { source: source.trim().into(), ast, uses })
    }

    /// Its source, without the marks around it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names of context variables that it certainly reads: those written as `ctx("name")` or `ctx().name`.
    #[must_use]
    pub fn variables(&self) -> &[scan::Reading] {
        &self.uses.variables
    }

    /// Functions that it calls about the task that has just completed: `result()`, `succeeded()` and the like.
    #[must_use]
    pub fn about_completed(&self) -> &[scan::Call] {
        &self.uses.completed
    }

    /// Calls of `item()` and `item("name")`.
    #[must_use]
    pub fn about_items(&self) -> &[scan::Call] {
        &self.uses.items
    }

    /// Names of tasks that it asks for as `task("name")`, `succeeded("name")` and the like.
    #[must_use]
    pub fn tasks(&self) -> &[scan::Reading] {
        &self.uses.tasks
    }

    /// Every function and method that it calls.
    #[must_use]
    pub fn calls(&self) -> &[scan::Call] {
        &self.uses.calls
    }

    /// Whether it reads key-value data.
    #[must_use]
    pub fn reads_kv(&self) -> bool {
        self.uses.calls.iter().any(|call| call.name == "kv")
    }

    /// Its value.
    pub fn evaluate(&self, frame: &Frame) -> Result<Value, EvaluationError> {
        let failed = |code, message, hint| EvaluationError::failed(code, self.source.to_string(), message, hint);
        let entered = frame::enter(frame.clone());
        let value = language::engine().eval_ast_with_scope::<rhai::Dynamic>(&mut Scope::new(), &self.ast);
        let needed = entered.leave();
        match value {
            // Asking for an unread key fails the evaluation, but the expression could have caught that with `??`.
            _ if needed.is_some() => Err(EvaluationError::NeedsKv { key: needed.unwrap_or_default() }),
            Ok(value) => convert::to_json(&value).map_err(|message| failed(code::EXPR_WRONG_TYPE, message, None)),
            Err(error) => {
                let (code, message, hint) = language::explain(&error);
                Err(failed(code, message, hint))
            }
        }
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<% {} %>", self.source)
    }
}

impl Mistake {
    fn at(code: Code, offset: usize, message: impl Into<String>) -> Self {
        Self { code, offset, length: 0, message: message.into(), hint: None }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn unknown_function(call: &scan::Call) -> Mistake {
    let close = crate::inspect::did_you_mean(&call.name, functions::names().iter().copied());
    let hint = close.unwrap_or_else(|| "see the list of functions in the documentation of expressions".to_owned());
    Mistake {
        code: code::EXPR_UNKNOWN_FUNCTION,
        offset: call.offset,
        length: call.name.len(),
        message: format!("there is no function `{}`", call.name),
        hint: Some(hint),
    }
}

type RhaiError = Box<EvalAltResult>;

#[cfg(test)]
mod tests;
