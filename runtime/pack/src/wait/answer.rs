//! Whether an answer fits what a step waits for.

use runner_model::{Code, Wait, code, limits};
use serde_json::Value;

use super::schema;
use crate::parameters::shown;

/// An answer that does not fit. It never holds a value that the schema calls secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer does not fit: {}", .mistakes.join("; "))]
pub struct AnswerError {
    /// What is wrong, each a lowercase sentence.
    pub mistakes: Vec<String>,
    /// What to answer instead.
    pub hint: Option<String>,
}

impl AnswerError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        code::EXEC_BAD_ANSWER
    }
}

/// Mistakes that are told of one answer: a reader mends the first ones first.
const MISTAKES_MAX: usize = 10;

/// Whether an answer fits the schema of a wait.
pub fn check_answer(wait: &Wait, answer: &Value) -> Result<(), AnswerError> {
    let refused = |mistake: String, hint: Option<String>| AnswerError { mistakes: vec![mistake], hint };
    let bytes = serde_json::to_vec(answer).map_or(usize::MAX, |json| json.len());
    if bytes > limits::PARAMETERS_BYTES_MAX {
        let message = format!("it is {bytes} bytes of JSON, at most {} are allowed", limits::PARAMETERS_BYTES_MAX);
        return Err(refused(message, None));
    }
    let schema = wait.schema();
    let validator = schema::compile(&schema)
        .map_err(|reason| refused(format!("the schema of the inquiry cannot be used: {reason}"), None))?;
    let secret = schema::has_secrets(&schema);
    let mistakes: Vec<_> = validator
        .iter_errors(answer)
        .take(MISTAKES_MAX)
        .map(|error| {
            let place = error.instance_path().to_string();
            let at = if place.is_empty() { String::new() } else { format!("`{place}`: ") };
            let masked = if secret { error.masked() } else { error.masked_with(shown(error.instance())) };
            format!("{at}{masked}")
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(AnswerError { mistakes, hint: takes(&schema) }) }
}

/// What an answer has to hold, in a sentence.
fn takes(schema: &Value) -> Option<String> {
    let properties = schema.get("properties")?.as_object()?;
    let required = |name: &str| {
        let listed = schema.get("required").and_then(Value::as_array);
        listed.is_some_and(|names| names.iter().any(|other| other == name))
    };
    let one = |(name, inner): (&String, &Value)| {
        let kind = match (inner.get("enum").and_then(Value::as_array), inner.get("type").and_then(Value::as_str)) {
            (Some(values), _) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or "),
            (None, Some(kind)) => kind.to_owned(),
            (None, None) => "anything".to_owned(),
        };
        format!("`{name}` ({kind}{})", if required(name) { ", required" } else { "" })
    };
    let list: Vec<_> = properties.iter().map(one).collect();
    (!list.is_empty()).then(|| format!("it takes {}", list.join(", ")))
}
