//! `trigger` of a rule: which one, and its parameters.

use runner_model::{TriggerRef, code};

use super::need::Need;
use super::{Trigger, finished, schedule, webhook};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Entry, Kind, Node};

/// The pack whose triggers are built in.
const CORE: &str = "core";

/// What is built in.
const BUILT_IN: [&str; 5] = ["core.webhook", "core.cron", "core.interval", "core.date", "core.execution_finished"];

/// StackStorm's triggers that have no counterpart, and what to do.
const WITHOUT: [(&str, &str); 7] = [
    ("core.st2.generic.notifytrigger", "write `type: core.execution_finished`, which tells of every end"),
    (
        "core.st2.generic.inquiry",
        "answer inquiries with `runner execution answer`; they are listed with `--status pending`",
    ),
    ("core.st2.sensor.process_spawn", "sensors are not processes here: remove the rule"),
    ("core.st2.sensor.process_exit", "sensors are not processes here: remove the rule"),
    ("core.st2.action.file_written", "changed packs are read at once: remove the rule"),
    ("core.st2.action.file_writen", "changed packs are read at once: remove the rule"),
    ("core.st2.key_value_pair.*", "let the action that writes the key start what follows"),
];

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("ref", "write `type`"),
        ("name", "write `type`, such as `type: core.webhook`"),
        ("params", "write `parameters`"),
        ("criteria", "`criteria` stand beside `trigger`"),
        ("path", "write it below `parameters`"),
        ("url", "write it below `parameters`"),
        ("expression", "write it below `parameters`"),
        ("timezone", "write it below `parameters`"),
    ],
};

/// A trigger that is built in.
pub(super) fn core(name: &str) -> TriggerRef {
    // The texts are ours, and they are references: a test names each of them.
    name.parse().unwrap_or_else(|_| unreachable!("`{name}` is a reference"))
}

/// Reads `trigger`.
pub(crate) fn read(file: &Document<'_>, entry: &Entry, needs: &mut Vec<Need>) -> Option<Trigger> {
    let Entry { key_span, value: node, .. } = entry;
    if node.as_map().is_none() {
        let mistake = wrong_type(node, "trigger", "a map");
        let name = node.as_text().unwrap_or("core.webhook");
        file.add(mistake.hint(format!("write `trigger: {{type: {name}, parameters: {{…}}}}`")));
        return None;
    }
    let mut fields = Fields::open(file, node, "the trigger", *key_span)?;
    let place = fields.place_of("type");
    let name = fields.text("type");
    let name = fields.require("type", name, "core.webhook");
    let parameters = fields.entry("parameters");
    fields.finish(&FOREIGN);
    let none = Node { span: place, kind: Kind::Map(Vec::new()) };
    let given = parameters.filter(|entry| !entry.value.is_null());
    if let Some(entry) = given.filter(|entry| entry.value.as_map().is_none()) {
        file.add(wrong_type(&entry.value, "parameters", "a map").hint("write `parameters: {name: value}`"));
        return None;
    }
    let (node, at) = given.map_or((&none, place), |entry| (&entry.value, entry.key_span));
    kind(file, name?, place, node, at, needs)
}

fn kind(file: &Document<'_>, name: &str, place: Span, node: &Node, at: Span, needs: &mut Vec<Need>) -> Option<Trigger> {
    let open = |what| Fields::open(file, node, what, at);
    match name {
        "core.webhook" => webhook::read(file, open("the webhook")?),
        "core.cron" => schedule::cron(file, open("the cron schedule")?),
        "core.interval" | "core.st2.IntervalTimer" => schedule::interval(file, open("the interval")?),
        "core.date" | "core.st2.DateTimer" => schedule::date(file, open("the date")?),
        "core.execution_finished" => Some(finished::read(file, open("`core.execution_finished`")?, needs)),
        "core.st2.webhook" => webhook::read_st2(file, open("the webhook")?),
        "core.st2.CronTimer" => schedule::cron_timer(file, open("the cron timer")?),
        "core.st2.generic.actiontrigger" => {
            open("`core.st2.generic.actiontrigger`")?.finish(&Foreign::NONE);
            Some(Trigger::ExecutionFinished { action: None, statuses: Vec::new() })
        }
        _ => custom(file, name, place, node, needs),
    }
}

/// A sensor's own.
fn custom(file: &Document<'_>, name: &str, place: Span, node: &Node, needs: &mut Vec<Need>) -> Option<Trigger> {
    let trigger: TriggerRef = match name.parse() {
        Ok(trigger) => trigger,
        Err(error) => {
            let near = suggest::nearest(name, BUILT_IN.map(|name| name.trim_start_matches("core.")));
            let hint = near.map(|near| format!("write `type: {CORE}.{near}`"));
            let error: runner_model::NameError = error;
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, error.to_string()).maybe_hint(hint));
            return None;
        }
    };
    if trigger.pack() == CORE {
        file.add(unknown(name, place));
        return None;
    }
    needs.push(Need::trigger(file, place, trigger.clone(), node));
    let parameters = node.to_value().as_object().cloned().unwrap_or_default();
    Some(Trigger::Custom { trigger, parameters })
}

fn unknown(name: &str, place: Span) -> Mistake {
    let without = |known: &str| known == name || known.strip_suffix('*').is_some_and(|start| name.starts_with(start));
    if let Some((_, hint)) = WITHOUT.iter().find(|(known, _)| without(known)) {
        let message = format!("the trigger `{name}` is not there");
        return Mistake::new(code::PACK_NOT_SUPPORTED, place, message).hint(*hint);
    }
    let hint = suggest::hint(name, BUILT_IN, "built in are");
    Mistake::new(code::RULE_UNKNOWN_TRIGGER, place, format!("there is no trigger `{name}`")).maybe_hint(hint)
}
