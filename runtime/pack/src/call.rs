//! What tasks and rules call: checked against the action once all packs are known.

mod waits;

use std::sync::Arc;

use runner_model::{ActionRef, Code, PackRef, code};
use serde_json::Value;

use crate::diagnostic::{Document, Findings, Mistake};
use crate::known::{Known, Signature};
use crate::parameters::Parameters;
use crate::source::{Source, Span};
use crate::suggest;
use crate::yaml::{Entry, Node};

/// Who calls: what its mistakes are called, and where its input is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller {
    Task,
    Rule,
}

impl Caller {
    const fn unknown_action(self) -> Code {
        match self {
            Self::Task => code::FLOW_UNKNOWN_ACTION,
            Self::Rule => code::RULE_UNKNOWN_ACTION,
        }
    }

    const fn unknown_parameter(self) -> Code {
        match self {
            Self::Task => code::FLOW_UNKNOWN_PARAMETER,
            Self::Rule => code::RULE_UNKNOWN_PARAMETER,
        }
    }

    const fn missing_parameter(self) -> Code {
        match self {
            Self::Task => code::FLOW_MISSING_PARAMETER,
            Self::Rule => code::RULE_MISSING_PARAMETER,
        }
    }

    const fn bad_parameter(self) -> Code {
        match self {
            Self::Task => code::FLOW_BAD_PARAMETER,
            Self::Rule => code::RULE_BAD_PARAMETER,
        }
    }

    const fn input(self) -> &'static str {
        match self {
            Self::Task => "the task's `input`",
            Self::Rule => "the action's `parameters`",
        }
    }

    /// How a call with one parameter is written.
    fn example(self, name: &str, key: &str, value: &str) -> String {
        match self {
            Self::Task => format!("write `action: {name}` and below it `input: {{{key}: {value}}}`"),
            Self::Rule => format!("write `action: {{ref: {name}, parameters: {{{key}: {value}}}}}`"),
        }
    }
}

/// A call with a literal name.
pub(crate) struct Call {
    caller: Caller,
    source: Arc<Source>,
    action: ActionRef,
    place: Span,
    /// Whether a relaxed workflow makes it.
    pub(crate) relaxed: bool,
    /// What it passes; none if the whole input is one expression.
    input: Option<Vec<Passed>>,
}

impl Call {
    /// What is called.
    pub(crate) const fn action(&self) -> &ActionRef {
        &self.action
    }

    /// The same call, of whose input nothing is known.
    pub(crate) fn with_any_input(self) -> Self {
        Self { input: None, ..self }
    }
}

/// One parameter that is passed.
struct Passed {
    name: String,
    name_span: Span,
    value_span: Span,
    /// None if an expression is in it.
    literal: Option<Value>,
}

pub(crate) fn read(file: &Document<'_>, node: &Node, text: &str, input: Option<&Node>, caller: Caller) -> Option<Call> {
    match text.parse::<ActionRef>() {
        Ok(action) => {
            let input = match input {
                None => Some(Vec::new()),
                Some(node) => node.as_map().map(|entries| entries.iter().filter_map(passed).collect()),
            };
            let source = Arc::clone(&file.source);
            Some(Call { caller, source, action, place: node.span, relaxed: false, input })
        }
        Err(error) => {
            let mut words = text.split_whitespace();
            let inline = words.next().zip(words.next()).filter(|(_, pair)| pair.contains('='));
            let mistake = match inline {
                Some((name, pair)) => {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, "…"));
                    Mistake::new(code::PACK_BAD_VALUE, node.span, "input cannot be written behind the action's name")
                        .hint(caller.example(name, key, value))
                }
                None => Mistake::new(code::PACK_BAD_VALUE, node.span, error.to_string()),
            };
            file.add(mistake);
            None
        }
    }
}

fn passed(entry: &Entry) -> Option<Passed> {
    // What an expression lost at a comma; the expression itself is reported.
    if entry.key.contains("%>") {
        return None;
    }
    let value_span =
        if entry.value.is_collection() || entry.value.is_null() { entry.key_span } else { entry.value.span };
    let literal = (!entry.value.has_expression()).then(|| entry.value.to_value());
    Some(Passed { name: entry.key.clone(), name_span: entry.key_span, value_span, literal })
}

/// Checks one call.
pub(crate) fn check(call: &Call, own: Option<&PackRef>, known: &Known, findings: &Findings) {
    let Some(signature) = known.actions.get(&call.action) else {
        let (code, place) = (call.caller.unknown_action(), call.place);
        let plain = || Mistake::new(code, place, "there is no such action");
        let mistake = if findings.is_full() { plain() } else { known.unknown_action(code, place, &call.action) };
        findings.at(&call.source, mistake);
        return;
    };
    let is_own = own.is_some_and(|own| own.as_str() == call.action.pack());
    if !is_own && known.packs.get(call.action.pack()) == Some(&false) {
        let message =
            format!("the pack `{}` has mistakes and cannot be used: this call would fail", call.action.pack());
        findings.at(&call.source, Mistake::new(code::PACK_NOT_LOADED, call.place, message).warning());
    }
    if let (true, Some(hold)) = (call.relaxed, signature.as_ref().and_then(|signature| signature.hold)) {
        findings.at(&call.source, hold.mistake(call.place, call.action.as_str()));
    }
    let (Some(Signature { parameters, waits, .. }), Some(input)) = (signature, &call.input) else { return };
    let before = findings.errors();
    for passed in input {
        if let Some(mistake) = check_passed(call, passed, parameters, findings.is_full()) {
            findings.at(&call.source, mistake);
        }
    }
    for parameter in parameters.iter().filter(|parameter| parameter.required) {
        if !input.iter().any(|passed| passed.name == parameter.name) {
            let message = format!("`{}` requires the parameter `{}`", call.action, parameter.name);
            let hint = format!("add it to {}: `{}: …` ({})", call.caller.input(), parameter.name, parameter.kind);
            findings.at(&call.source, Mistake::new(call.caller.missing_parameter(), call.place, message).hint(hint));
        }
    }
    if let (Some(kind), true) = (waits, findings.errors() == before) {
        waits::check(call, *kind, parameters, input, findings);
    }
}

/// `full`: no hint will be read, so none is searched for.
fn check_passed(call: &Call, passed: &Passed, parameters: &Parameters, full: bool) -> Option<Mistake> {
    let Some(parameter) = parameters.get(&passed.name) else {
        let message = format!("`{}` has no parameter `{}`", call.action, passed.name);
        if full {
            return Some(Mistake::new(call.caller.unknown_parameter(), passed.name_span, message));
        }
        let hint = suggest::hint(&passed.name, parameters.names(), "its parameters are")
            .unwrap_or_else(|| "it has no parameters: remove the line".to_owned());
        return Some(Mistake::new(call.caller.unknown_parameter(), passed.name_span, message).hint(hint));
    };
    let checked = match &passed.literal {
        Some(value) => parameter.check_given(value),
        // Whatever the expression gives, it cannot be passed.
        None if parameter.immutable => parameter.check_given(&Value::Null),
        None => Ok(()),
    };
    let error = checked.err()?;
    let message = format!("the value does not fit `{}`: {}", call.action, error.message);
    Some(Mistake::new(call.caller.bad_parameter(), passed.value_span, message).maybe_hint(error.hint))
}
