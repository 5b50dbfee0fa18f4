//! The fake host as a test builds it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::run::Run;
use super::state::{Answer, Route, State, with_state};
use crate::simulator::{self, Simulator};
use crate::{Result, action, http};

/// A fake host: what the action will find, said before it runs.
#[must_use = "a host does nothing until something runs in it"]
pub struct Host {
    state: State,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host with an empty configuration, no key-value data, and no system to talk to. It is 2026-11-21T10:46:00Z, and
    /// random numbers are the same in each run.
    pub fn new() -> Self {
        Self { state: State::default() }
    }

    /// Sets the pack's configuration.
    pub fn config(mut self, config: impl Serialize) -> Self {
        self.state.config = value(config);
        self
    }

    /// Sets a key of the key-value data.
    pub fn kv(mut self, key: impl Into<String>, content: impl Serialize) -> Self {
        self.state.kv.insert(key.into(), (value(content), None));
        self
    }

    /// Expects a request and answers it: a string as text, anything else as JSON, null without a body. `target` is a
    /// connection's name or the origin of a URL.
    ///
    /// If the same request is expected several times, the answers are given in turn, the last one again and again.
    pub fn on(self, method: &str, target: &str, path: &str, status: u16, body: impl Serialize) -> Self {
        let (content_type, body) = match value(body) {
            Value::Null => (None, String::new()),
            Value::String(text) => (Some("text/plain; charset=utf-8"), text),
            other => (Some("application/json"), other.to_string()),
        };
        let headers = content_type.map(|content| ("content-type".to_owned(), content.to_owned()));
        let response = http::Response::new(status, headers.into_iter().collect(), body.into_bytes());
        self.on_result(method, target, path, Ok(response))
    }

    /// Expects a request and answers it with an error or with a response made by hand.
    pub fn on_result(
        mut self,
        method: &str,
        target: &str,
        path: &str,
        result: Result<http::Response, http::Error>,
    ) -> Self {
        let same = |route: &&mut Route| route.method == method && route.target == target && route.path == path;
        match self.state.routes.iter_mut().find(same) {
            Some(route) => route.answers.push_back(Answer(result)),
            None => self.state.routes.push(Route {
                method: method.to_owned(),
                target: target.to_owned(),
                path: path.to_owned(),
                answers: [Answer(result)].into(),
            }),
        }
        self
    }

    /// Answers the requests on a connection by a simulator, with the credentials `tester:tester` added as the real host
    /// adds those of the connection.
    pub fn simulate(mut self, connection: impl Into<String>, simulator: impl Simulator + 'static) -> Self {
        self.state.simulators.insert(connection.into(), simulator::boxed(simulator));
        self
    }

    /// Sets which try of the step this is.
    pub fn attempt(mut self, number: u32) -> Self {
        self.state.attempt.number = number;
        self
    }

    /// Sets what the last heartbeat of an earlier attempt said.
    pub fn last_heartbeat(mut self, progress: impl Serialize) -> Self {
        self.state.last_heartbeat = Some(value(progress));
        self
    }

    /// Lets heartbeats answer that the execution is being cancelled.
    pub fn canceled(mut self) -> Self {
        self.state.canceled = true;
        self
    }

    /// Sets the time of day.
    pub fn now_ms(mut self, millis: u64) -> Self {
        self.state.now_ms = millis;
        self
    }

    /// Runs an action as a component would: input and output go through JSON.
    #[track_caller]
    pub fn run<Input>(self, action: impl Testable<Input>, input: impl Serialize) -> Run {
        let input = value(input).to_string();
        let (text, state) = with_state(self.state, || action.run(&input));
        let result = text.map(|text| match serde_json::from_str(&text) {
            Ok(output) => output,
            Err(error) => panic!("the output is not JSON: {error}"),
        });
        state.into_run(result)
    }

    /// Runs any function that talks to the host, such as a sensor or a part of an action.
    #[track_caller]
    pub fn inside<T>(self, function: impl FnOnce() -> T) -> T {
        with_state(self.state, function).0
    }
}

#[track_caller]
fn value(content: impl Serialize) -> Value {
    match serde_json::to_value(content) {
        Ok(value) => value,
        Err(error) => panic!("the test's value cannot be written as JSON: {error}"),
    }
}

/// The function of an action, with an input or without.
pub trait Testable<Input> {
    /// Runs it.
    ///
    /// # Errors
    /// As the action does.
    fn run(self, input: &str) -> Result<String>;
}

impl<F, I, O> Testable<(I,)> for F
where
    F: FnOnce(I) -> Result<O>,
    I: DeserializeOwned,
    O: Serialize,
{
    fn run(self, input: &str) -> Result<String> {
        action::run(self, input)
    }
}

impl<F, O> Testable<()> for F
where
    F: FnOnce() -> Result<O>,
    O: Serialize,
{
    fn run(self, input: &str) -> Result<String> {
        action::run_without_input(self, input)
    }
}
