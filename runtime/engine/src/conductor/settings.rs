//! Numbers that a task's settings give: delays, timeouts, counts.

use runner_model::{RouteId, TaskName, code, limits};
use serde_json::Value;

use super::Stop;
use super::state::State;
use crate::Template;
use crate::expression::Frame;

/// Where a setting stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    /// The task; none for the workflow itself.
    pub(super) task: Option<(&'a TaskName, RouteId)>,
    pub(super) frame: &'a Frame,
}

impl State {
    /// A duration, in milliseconds; none if it is not set. One that makes no sense makes the execution fail.
    pub(super) fn duration(
        &mut self,
        whose: Whose<'_>,
        name: &str,
        template: Option<&Template>,
    ) -> Result<Option<i64>, Stop> {
        let max = limits::FLOW_TIME_MAX.as_secs_f64();
        let Some(seconds) = self.number(whose, name, template)? else { return Ok(None) };
        if !(0.0..=max).contains(&seconds) {
            let message = format!("`{name}` is {seconds}, which is not a number of seconds from 0 to {max}");
            self.fail(code::FLOW_BAD_VALUE, whose.task, message, "write a number of seconds, such as `30`");
            return Ok(None);
        }
        Ok(Some(millis(seconds)))
    }

    /// A number; none if it is not set. Something else makes the execution fail.
    pub(super) fn number(
        &mut self,
        whose: Whose<'_>,
        name: &str,
        template: Option<&Template>,
    ) -> Result<Option<f64>, Stop> {
        let Some(template) = template else { return Ok(None) };
        let value = match template.as_literal() {
            Some(value) => value.clone(),
            None => match template.render(whose.frame) {
                Ok(value) => value,
                Err(error) => {
                    self.note(whose.task, None, &error)?;
                    return Ok(None);
                }
            },
        };
        // An expression that found nothing means that nothing is set.
        if value.is_null() {
            return Ok(None);
        }
        let number = value.as_f64().filter(|number| number.is_finite());
        if number.is_none() {
            let message = format!("`{name}` is {}, which is not a number", short(&value));
            self.fail(code::FLOW_BAD_VALUE, whose.task, message, "write a number, or an expression that gives one");
        }
        Ok(number)
    }
}

/// Seconds as milliseconds, as near as they come.
#[allow(clippy::cast_possible_truncation, reason = "the caller's seconds are within limits, and `as` saturates")]
pub(super) fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// A value for a message.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
