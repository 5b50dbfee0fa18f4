//! What a task calls: checked against the action once all packs are known.

mod waits;

use std::collections::BTreeMap;
use std::sync::Arc;

use runner_model::{ActionRef, PackRef, code};
use serde_json::Value;

use crate::diagnostic::{Document, Findings, Mistake};
use crate::parameters::Parameters;
use crate::source::{Source, Span};
use crate::suggest;
use crate::wait;
use crate::yaml::{Entry, Node};

/// A call with a literal name.
pub(crate) struct Call {
    source: Arc<Source>,
    action: ActionRef,
    place: Span,
    /// What it passes; none if the whole input is one expression.
    input: Option<Vec<Passed>>,
}

/// One parameter that is passed.
struct Passed {
    name: String,
    name_span: Span,
    value_span: Span,
    /// None if an expression is in it.
    literal: Option<Value>,
}

/// What a caller has to know of an action.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) parameters: Parameters,
    /// What it waits for, if it runs nothing.
    pub(crate) waits: Option<wait::Kind>,
}

/// What is known of all packs.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Every action; none for one whose parameters could not be read.
    pub(crate) actions: BTreeMap<ActionRef, Option<Signature>>,
    /// Every pack; false for one with mistakes.
    pub(crate) packs: BTreeMap<PackRef, bool>,
}

pub(super) fn read(file: &Document<'_>, node: &Node, text: &str, input: Option<&Node>) -> Option<Call> {
    match text.parse::<ActionRef>() {
        Ok(action) => {
            let input = match input {
                None => Some(Vec::new()),
                Some(node) => node.as_map().map(|entries| entries.iter().filter_map(passed).collect()),
            };
            Some(Call { source: Arc::clone(&file.source), action, place: node.span, input })
        }
        Err(error) => {
            let mut words = text.split_whitespace();
            let inline = words.next().zip(words.next()).filter(|(_, pair)| pair.contains('='));
            let mistake = match inline {
                Some((name, pair)) => {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, "…"));
                    let hint = format!("write `action: {name}` and below it `input: {{{key}: {value}}}`");
                    Mistake::new(code::PACK_BAD_VALUE, node.span, "input cannot be written behind the action's name")
                        .hint(hint)
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
        let plain = || Mistake::new(code::FLOW_UNKNOWN_ACTION, call.place, "there is no such action");
        findings.at(&call.source, if findings.is_full() { plain() } else { unknown_action(call, known) });
        return;
    };
    let is_own = own.is_some_and(|own| own.as_str() == call.action.pack());
    if !is_own && known.packs.get(call.action.pack()) == Some(&false) {
        let message =
            format!("the pack `{}` has mistakes and cannot be used: this call would fail", call.action.pack());
        findings.at(&call.source, Mistake::new(code::PACK_NOT_LOADED, call.place, message).warning());
    }
    let (Some(Signature { parameters, waits }), Some(input)) = (signature, &call.input) else { return };
    let before = findings.errors();
    for passed in input {
        if let Some(mistake) = check_passed(call, passed, parameters, findings.is_full()) {
            findings.at(&call.source, mistake);
        }
    }
    for parameter in parameters.iter().filter(|parameter| parameter.required) {
        if !input.iter().any(|passed| passed.name == parameter.name) {
            let message = format!("`{}` requires the parameter `{}`", call.action, parameter.name);
            let hint = format!("add it to the task's `input`: `{}: …` ({})", parameter.name, parameter.kind);
            findings.at(&call.source, Mistake::new(code::FLOW_MISSING_PARAMETER, call.place, message).hint(hint));
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
            return Some(Mistake::new(code::FLOW_UNKNOWN_PARAMETER, passed.name_span, message));
        }
        let hint = suggest::hint(&passed.name, parameters.names(), "its parameters are")
            .unwrap_or_else(|| "it has no parameters: remove the line".to_owned());
        return Some(Mistake::new(code::FLOW_UNKNOWN_PARAMETER, passed.name_span, message).hint(hint));
    };
    let checked = match &passed.literal {
        Some(value) => parameter.check_given(value),
        // Whatever the expression gives, it cannot be passed.
        None if parameter.immutable => parameter.check_given(&Value::Null),
        None => Ok(()),
    };
    let error = checked.err()?;
    let message = format!("the value does not fit `{}`: {}", call.action, error.message);
    Some(Mistake::new(code::FLOW_BAD_PARAMETER, passed.value_span, message).maybe_hint(error.hint))
}

fn unknown_action(call: &Call, known: &Known) -> Mistake {
    let (pack, name) = (call.action.pack(), call.action.as_str());
    if !known.packs.contains_key(pack) {
        let near = suggest::nearest(pack, known.packs.keys().map(PackRef::as_str));
        let hint = near.map(|near| format!("did you mean `{near}.{}`?", call.action.name()));
        let hint = hint.unwrap_or_else(|| format!("put the pack `{pack}` into the packs directory"));
        let message = format!("there is no action `{name}`: no pack is called `{pack}`");
        return Mistake::new(code::FLOW_UNKNOWN_ACTION, call.place, message).hint(hint);
    }
    let of_pack = || known.actions.keys().filter(|action| action.pack() == pack);
    // The pack's name is right; compared with it, any two short names would look alike.
    let near = suggest::nearest(call.action.name(), of_pack().map(ActionRef::name));
    let near = near.map(|near| format!("did you mean `{pack}.{near}`?"));
    let hint = near.or_else(|| suggest::list(of_pack().map(ActionRef::as_str), "the pack's actions are"));
    Mistake::new(code::FLOW_UNKNOWN_ACTION, call.place, format!("there is no action `{name}`")).maybe_hint(hint)
}
