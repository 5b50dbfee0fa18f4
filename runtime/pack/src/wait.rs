//! Actions that wait for something from outside: what their parameters ask for, and whether an answer fits.
//!
//! An action with `runner_type: inquiry` or `wait_for` runs nothing. Its bound parameters become a [`Wait`], which the
//! journal keeps; nothing of the action is needed any more to answer it or to let it expire.

mod answer;
mod schema;

use runner_model::{Code, OnExpiry, Timestamp, Wait, WaitKind, code, limits};
use serde_json::{Map, Value};

pub use answer::{AnswerError, check_answer};

use crate::parameters::ParameterError;
use crate::{Action, Body};

/// How long an inquiry waits that names no `ttl`, in minutes: a day, as in StackStorm.
const TTL_MINUTES: f64 = 1440.0;
const MINUTE_SECONDS: f64 = 60.0;

impl Action {
    /// What an execution with these bound parameters waits for from `now` on; none for an action that runs something.
    /// All mistakes are returned.
    pub fn wait(&self, input: &Map<String, Value>, now: Timestamp) -> Result<Option<Wait>, Vec<ParameterError>> {
        Kind::of(&self.body).map(|kind| kind.wait(input, now)).transpose()
    }
}

/// What an action waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Inquiry,
    Event,
}

impl Kind {
    /// None for a body that runs something.
    pub(crate) const fn of(body: &Body) -> Option<Self> {
        match body {
            Body::Inquiry => Some(Self::Inquiry),
            Body::WaitFor => Some(Self::Event),
            Body::Wasm { .. } | Body::Noop | Body::Workflow(_) => None,
        }
    }

    /// The parameters that it understands.
    pub(crate) const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Inquiry => &["prompt", "schema", "roles", "users", "route", "ttl", "on_timeout", "default_answer"],
            Self::Event => &["key", "timeout", "on_timeout", "default_answer"],
        }
    }

    pub(crate) fn wait(self, input: &Map<String, Value>, now: Timestamp) -> Result<Wait, Vec<ParameterError>> {
        let mut reader = Reader { input, errors: Vec::new() };
        let wait = match self {
            Self::Inquiry => inquiry(&mut reader, now),
            Self::Event => event(&mut reader, now),
        };
        if reader.errors.is_empty() { Ok(wait) } else { Err(reader.errors) }
    }
}

fn inquiry(reader: &mut Reader<'_>, now: Timestamp) -> Wait {
    let schema = match reader.value("schema") {
        None => schema::default(),
        Some(written) => schema::closed(schema::standard(written)),
    };
    if let Err(reason) = schema::compile(&schema) {
        reader.wrong("schema", format!("`schema` is not a JSON Schema: {reason}"), SCHEMA_HINT);
    }
    let minutes = reader.number("ttl").unwrap_or(TTL_MINUTES);
    let wait = Wait {
        kind: WaitKind::Inquiry {
            prompt: reader.text("prompt"),
            schema,
            roles: reader.texts("roles"),
            users: reader.texts("users"),
            route: reader.text("route"),
        },
        // 0 minutes is for ever, as in StackStorm.
        expires_at: reader.expiry("ttl", (minutes != 0.0).then_some(minutes * MINUTE_SECONDS), now),
        on_expiry: reader.on_expiry(),
    };
    reader.check_default(&wait);
    wait
}

const SCHEMA_HINT: &str = "write names with their schemas, for example `approved: {type: boolean, required: true}`";

fn event(reader: &mut Reader<'_>, now: Timestamp) -> Wait {
    let key = reader.text("key");
    if key.is_empty() && reader.value("key").is_none_or(Value::is_string) {
        reader.error(code::PARAM_MISSING, "key", "`key` says which event is meant, and is missing", "pass `key=…`");
    } else if key.len() > limits::EVENT_KEY_BYTES_MAX {
        let message = format!("`key` is longer than {} bytes", limits::EVENT_KEY_BYTES_MAX);
        reader.wrong("key", message, "pass an id, not the data itself");
    }
    let seconds = reader.number("timeout");
    if seconds == Some(0.0) {
        let message = "`timeout` is more than 0 seconds".to_owned();
        reader.wrong("timeout", message, "leave it out to wait for ever");
    }
    let expires_at = reader.expiry("timeout", seconds, now);
    Wait { kind: WaitKind::Event { key }, expires_at, on_expiry: reader.on_expiry() }
}

/// Bound parameters, and what is wrong with them. Their types are checked again: a pack may describe its own inquiries.
struct Reader<'a> {
    input: &'a Map<String, Value>,
    errors: Vec<ParameterError>,
}

impl<'a> Reader<'a> {
    fn error(&mut self, code: Code, parameter: &str, message: impl Into<String>, hint: &str) {
        let (message, hint) = (message.into(), Some(hint.to_owned()));
        self.errors.push(ParameterError { code, parameter: parameter.to_owned(), message, hint });
    }

    fn wrong(&mut self, parameter: &str, message: String, hint: &str) {
        self.error(code::PARAM_INVALID, parameter, message, hint);
    }

    /// The value, if it is not null.
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.input.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> String {
        match self.value(name) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => {
                self.wrong(name, format!("`{name}` is not a string"), "pass a text");
                String::new()
            }
        }
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let list = match self.value(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        list.unwrap_or_else(|| {
            self.wrong(name, format!("`{name}` is not a list of names"), "pass a list of texts");
            Vec::new()
        })
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        let number = self.value(name)?.as_f64();
        if number.is_none() {
            self.wrong(name, format!("`{name}` is not a number"), "pass a number");
        }
        number
    }

    /// The moment that many seconds from now.
    fn expiry(&mut self, name: &str, seconds: Option<f64>, now: Timestamp) -> Option<Timestamp> {
        let seconds = seconds?;
        if !(0.0..=limits::FLOW_TIME_MAX.as_secs_f64()).contains(&seconds) {
            let days = limits::FLOW_TIME_MAX.as_secs() / (24 * 60 * 60);
            self.wrong(name, format!("`{name}` is not a time from 0 to {days} days"), "pass a time in between");
            return None;
        }
        // In range, as was just checked; a part of a millisecond counts as a whole one, so that 0 stays special.
        #[allow(clippy::cast_possible_truncation, reason = "ten years in milliseconds fit many times")]
        let millis = (seconds * 1000.0).ceil() as i64;
        Some(now.plus_ms(millis))
    }

    fn on_expiry(&mut self) -> OnExpiry {
        match self.text("on_timeout").as_str() {
            "" | "timeout" => OnExpiry::Timeout,
            "fail" => OnExpiry::Fail,
            "answer" => match self.input.get("default_answer") {
                Some(answer) => OnExpiry::Answer(answer.clone()),
                None => {
                    let message = "`on_timeout: answer` needs the answer, and there is no `default_answer`";
                    self.error(code::PARAM_MISSING, "default_answer", message, "pass `default_answer`");
                    OnExpiry::Timeout
                }
            },
            _ => {
                let message = "`on_timeout` is none of `timeout`, `fail` and `answer`".to_owned();
                self.wrong("on_timeout", message, "pass one of them");
                OnExpiry::Timeout
            }
        }
    }

    /// Whether the answer that nobody gave would have been accepted.
    fn check_default(&mut self, wait: &Wait) {
        let OnExpiry::Answer(answer) = &wait.on_expiry else { return };
        let schema_is_good = self.errors.iter().all(|error| error.parameter != "schema");
        if schema_is_good && let Err(error) = check_answer(wait, answer) {
            let hint = error.hint.clone().unwrap_or_default();
            self.wrong("default_answer", format!("`default_answer`: {error}"), &hint);
        }
    }
}
