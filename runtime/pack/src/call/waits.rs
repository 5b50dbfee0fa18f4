//! Calls of actions that wait: a schema that is none, or a default that does not fit it, is found before anybody is asked.

use runner_model::Timestamp;
use serde_json::{Map, Value};

use super::{Call, Passed};
use crate::diagnostic::{Findings, Mistake};
use crate::parameters::{ParameterError, Parameters};
use crate::wait::Kind;

/// Checks what stands in the file; each parameter by itself fits already.
pub(super) fn check(call: &Call, kind: Kind, parameters: &Parameters, input: &[Passed], findings: &Findings) {
    let is_open = |name: &str| input.iter().any(|passed| passed.name == name && passed.literal.is_none());
    let defaults = parameters.iter().filter_map(|p| Some((p.name.clone(), p.default.clone()?)));
    let mut known: Map<String, Value> = defaults.filter(|(name, _)| !is_open(name)).collect();
    known.extend(input.iter().filter_map(|passed| Some((passed.name.clone(), passed.literal.clone()?))));
    // What an expression gives is known when it runs, and so is whether a default fits a schema that one gives.
    let follows_from_open = |error: &ParameterError| {
        let from = if error.parameter == "default_answer" { &["schema", "on_timeout"][..] } else { &[] };
        is_open(&error.parameter) || from.iter().any(|name| is_open(name))
    };
    let errors = kind.wait(&known, Timestamp::from_millis(0)).err().unwrap_or_default();
    for error in errors.into_iter().filter(|error| !follows_from_open(error)) {
        let place =
            input.iter().find(|passed| passed.name == error.parameter).map_or(call.place, |passed| passed.value_span);
        let message = format!("`{}` cannot be called so: {}", call.action, error.message);
        findings.at(&call.source, Mistake::new(call.caller.bad_parameter(), place, message).maybe_hint(error.hint));
    }
}
