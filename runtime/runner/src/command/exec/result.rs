//! What an execution returned, to standard output; what went wrong, to standard error.

use runner_model::{ErrorRecord, ExecutionView, Status, code};
use serde_json::Value;

use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::{Output, printable};
use runner_pack::suggest;

/// Shows it; gives the status of the process.
pub(crate) fn show(app: &App, view: &ExecutionView, key: Option<&str>) -> Result<Exit, CliError> {
    let exit = exit_of(view.record.status);
    let result = view.result.as_ref().unwrap_or(&Value::Null);
    match key {
        // Of a failed execution there may be no such part, and the failure is what matters.
        Some(key) if exit == Exit::Succeeded => show_part(app, select(result, key)?),
        Some(_) => {}
        None if app.output.json => app.output.value(view),
        None => show_result(&app.output, result),
    }
    if exit == Exit::Succeeded {
        return Ok(exit);
    }
    Err(CliError { exit, mistakes: mistakes(view) })
}

/// What the process says with its status of how an execution ended.
pub(crate) const fn exit_of(status: Status) -> Exit {
    match status {
        Status::Succeeded => Exit::Succeeded,
        Status::Canceled => Exit::Canceled,
        _ => Exit::Failed,
    }
}

/// The part of a value at a path: keys and indices with dots between them.
fn select<'a>(result: &'a Value, path: &str) -> Result<&'a Value, CliError> {
    let mut value = result;
    for key in path.split('.') {
        let next = match value {
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(key),
        };
        value = next.ok_or_else(|| missing(path, key, value))?;
    }
    Ok(value)
}

fn missing(path: &str, key: &str, value: &Value) -> CliError {
    let hint = match value {
        Value::Object(map) => suggest::hint(key, map.keys().map(String::as_str), "there are"),
        Value::Array(items) => Some(format!("there it is a list of {}", items.len())),
        _ => None,
    };
    let message = format!("the result has no `{key}` at `{path}`");
    CliError::new(Exit::NotFound, code::CLI_NOT_FOUND, message).maybe_hint(hint)
}

/// A part, for the next program: a text without quotes, unless JSON was asked for.
fn show_part(app: &App, part: &Value) {
    match part {
        Value::String(text) if !app.output.json => {
            app.output.line(if app.output.terminal { printable(text) } else { text.clone() });
        }
        Value::Object(_) | Value::Array(_) => app.output.value(part),
        other => app.output.line(other.to_string()),
    }
}

/// A result: JSON for programs, something readable on a terminal.
fn show_result(output: &Output, result: &Value) {
    match result {
        Value::Null => {}
        result if output.terminal => output.line(readable(result, 0).trim_end()),
        result => output.value(result),
    }
}

/// `key: value`, a line each, what is nested below and indented.
pub(crate) fn readable(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let item = |name: String, value: &Value| match value {
        Value::Object(map) if !map.is_empty() => format!("{indent}{name}\n{}", readable(value, depth + 1)),
        Value::Array(list) if !list.is_empty() => format!("{indent}{name}\n{}", readable(value, depth + 1)),
        other => format!("{indent}{name} {}\n", scalar(other)),
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(key, value)| item(format!("{}:", printable(key)), value)).collect()
        }
        Value::Array(list) if !list.is_empty() => list.iter().map(|value| item("-".to_owned(), value)).collect(),
        other => format!("{indent}{}\n", scalar(other)),
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), printable)
}

/// Why an execution did not succeed.
pub(crate) fn mistakes(view: &ExecutionView) -> Vec<Mistake> {
    // A single action has one step, whose name says nothing.
    let single = matches!(view.steps.as_slice(), [step] if step.action.as_ref() == Some(&view.record.action));
    let mut mistakes: Vec<_> = view.errors.iter().map(|error| mistake(error, single)).collect();
    if mistakes.is_empty() {
        let code = match view.record.status {
            Status::Canceled => code::EXEC_CANCELED,
            _ => code::EXEC_UNKNOWN_OUTCOME,
        };
        mistakes.push(Mistake::new(code, format!("the execution ended as `{}`", view.record.status)));
    }
    mistakes
}

fn mistake(error: &ErrorRecord, single: bool) -> Mistake {
    let place = match (&error.task, error.transition) {
        (Some(task), Some(transition)) => format!("task `{task}`, transition {transition}: "),
        (Some(task), None) if !single => format!("task `{task}`: "),
        _ => String::new(),
    };
    let details = error.details.clone().filter(|details| !details.is_null());
    let message = format!("{place}{}", error.message);
    Mistake { code: error.code.clone(), message, causes: Vec::new(), details, hint: error.hint.clone() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_found_by_its_path_and_a_slip_is_named() {
        let result = json!({ "volumes": [{ "name": "a" }] });
        assert_eq!(select(&result, "volumes.0.name").unwrap(), "a");
        let error = select(&result, "volume.0").unwrap_err();
        assert_eq!(error.mistakes[0].hint.as_deref(), Some("did you mean `volumes`?"));
        assert!(select(&result, "volumes.1").is_err() && select(&result, "volumes.0.name.x").is_err());
    }

    #[test]
    fn a_result_is_readable_on_a_terminal() {
        let result = json!({ "name": "a\u{1b}", "sizes": [1, { "x": null }], "none": [] });
        assert_eq!(readable(&result, 0), "name: a\\u{1b}\nnone: []\nsizes:\n  - 1\n  -\n    x: null\n");
    }
}
