//! Actions that say something: `echo`, `log`, `fail`.

use std::collections::BTreeMap;

use runner_sdk::log::{self as lines, Level};
use runner_sdk::prelude::{Deserialize, Failure, JsonSchema, Result, Serialize, Value, action};

/// What to echo.
#[derive(Deserialize, JsonSchema)]
pub struct EchoInput {
    /// What to give back.
    message: String,
}

/// What was echoed.
#[derive(Serialize, JsonSchema)]
pub struct EchoOutput {
    /// The message.
    message: String,
}

/// Gives its message back.
#[action]
pub fn echo(input: EchoInput) -> Result<EchoOutput> {
    Ok(EchoOutput { message: input.message })
}

/// What to fail with.
#[derive(Deserialize, JsonSchema)]
pub struct FailInput {
    /// Why: a lowercase sentence.
    #[serde(default = "default_message")]
    message: String,
    /// A stable word that workflows can branch on.
    #[serde(default = "default_code")]
    code: String,
    /// Whether another try is worth it.
    #[serde(default)]
    retryable: bool,
    /// Data that belongs to the failure.
    #[serde(default)]
    details: Option<Value>,
}

fn default_message() -> String {
    "failed on request".to_owned()
}

fn default_code() -> String {
    "failed".to_owned()
}

/// Fails, with a message and a code.
#[action]
pub fn fail(input: FailInput) -> Result<()> {
    if input.code.starts_with("E-") {
        return Err(Failure::new("bad-input", "`code`: codes that begin with `E-` belong to runner"));
    }
    let mut failure = Failure::new(input.code, input.message);
    failure.retryable = input.retryable;
    Err(match input.details {
        Some(details) => failure.with_details(details),
        None => failure,
    })
}

/// What to log.
#[derive(Deserialize, JsonSchema)]
pub struct LogInput {
    /// The line.
    message: String,
    /// How much it matters.
    #[serde(default)]
    level: LogLevel,
    /// Names and values beside it.
    #[serde(default)]
    fields: BTreeMap<String, Value>,
}

/// How much a line matters.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// Writes a line to the execution's log.
#[action]
pub fn log(input: LogInput) -> Result<()> {
    let mut line = lines::Line::default();
    for (name, value) in input.fields {
        line = match value {
            // A text stands as it is, not in quotes.
            Value::String(text) => line.field(name, text),
            other => line.field(name, other),
        };
    }
    let level = match input.level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
    };
    line.write(level, input.message);
    Ok(())
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;
    use runner_sdk::testing::Host;

    use super::*;

    #[test]
    fn echo_gives_its_message_back() {
        let run = Host::new().run(echo, json!({ "message": "grüß <% gott %>" }));
        assert_eq!(run.output(), json!({ "message": "grüß <% gott %>" }));
    }

    #[test]
    fn fail_fails_as_it_is_told() {
        let input = json!({ "message": "no space", "code": "full", "retryable": true, "details": { "free": 0 } });
        let failure = Host::new().run(fail, input).failure();
        assert_eq!(failure, Failure::new("full", "no space").retryable().with_details(json!({ "free": 0 })));
        assert_eq!(Host::new().run(fail, json!({})).failure().to_string(), "failed: failed on request");
    }

    #[test]
    fn fail_makes_up_no_code_of_runners_own() {
        assert_eq!(Host::new().run(fail, json!({ "code": "E-NET-0001" })).failure().code, "bad-input");
    }

    #[test]
    fn log_writes_one_line() {
        let input = json!({ "message": "grown", "level": "warn", "fields": { "volume": "v1", "gib": 12 } });
        let run = Host::new().run(log, input);
        assert_eq!(run.output(), Value::Null);
        let [line] = run.logs.as_slice() else { panic!("{:?}", run.logs) };
        assert_eq!((line.level, line.message.as_str()), (Level::Warn, "grown"));
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(line.fields, [field("gib", "12"), field("volume", "v1")]);
    }
}
