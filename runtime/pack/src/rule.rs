//! `rules/<name>.yaml`: what is waited for, under which condition, and what is run then.

mod call;
mod criteria;
mod once;
mod renamed;
mod trial;

use std::path::PathBuf;

use runner_engine::Template;
use runner_engine::rule::RulePlan;
use runner_model::{ActionRef, RuleRef, code};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::condition;
use crate::diagnostic::{Document, Mistake};
use crate::expression::Home;
use crate::fields::{Fields, Foreign};
use crate::metadata::{self, Head, Tag};
use crate::source::Span;
use crate::suggest;
use crate::trigger::{self, Need, Trigger, Webhook};
use crate::yaml::{Kind, Node};

pub use trial::read_rule;

/// What is run when something happens.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its full name.
    pub reference: RuleRef,
    /// What it is for.
    pub description: String,
    /// Whether it is in force where the operator says nothing.
    pub enabled: bool,
    /// When it is looked at.
    pub kind: RuleKind,
    /// What it waits for.
    pub trigger: Trigger,
    /// Its condition, and the action's parameters.
    pub plan: RulePlan,
    /// What it runs.
    pub action: ActionRef,
    /// Labels.
    pub tags: Vec<Tag>,
    /// The file that describes it.
    pub source: PathBuf,
}

/// When a rule is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RuleKind {
    /// Always.
    #[default]
    Standard,
    /// When no standard rule of the same trigger matched.
    Backstop,
}

impl RuleKind {
    /// The word, as written in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Backstop => "backstop",
        }
    }
}

/// What was read of a rule's file.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) rule: Option<Rule>,
    pub(crate) call: Option<Call>,
    pub(crate) needs: Vec<Need>,
    /// The webhook that it answers, and where it says so.
    pub(crate) webhook: Option<(Webhook, Span)>,
}

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("pack", "remove it: the directory says which pack it is"),
        ("ref", "remove it: the directory and the file's name are the reference"),
        ("uid", "remove it"),
        ("metadata_file", "remove it"),
        ("context", "remove it: what a rule runs knows the rule and the event"),
        ("parameters", "write it below `action`"),
        ("input", "write `parameters` below `action`"),
        ("actions", "a rule runs one action: write one rule for each, or a workflow"),
        ("triggers", "a rule has one trigger: write one rule for each"),
        ("condition", "write `when: <% … %>`"),
        ("if", "write `when: <% … %>`"),
        ("dedupe", "write `deduplicate: {key: <% … %>, window: 3600}`"),
        ("deduplication", "write `deduplicate: {key: <% … %>, window: 3600}`"),
    ],
};

pub(crate) fn read(file: &Document<'_>, node: &Node, reference: RuleRef) -> Read {
    let mut read = Read::default();
    let Some(mut fields) = Fields::open_root(file, node, "the rule") else { return read };
    let Head { description, enabled } = metadata::head(file, &mut fields, reference.name());
    let kind = kind(file, &mut fields);
    let trigger_place = fields.place_of("trigger");
    let trigger_entry = fields.entry("trigger").filter(|entry| !entry.value.is_null());
    let trigger = trigger_entry.map(|entry| trigger::read(file, entry, &mut read.needs));
    let trigger = fields.require("trigger", trigger, "{type: core.webhook, parameters: {path: my_hook}}").flatten();
    let criteria_node = fields.get("criteria");
    let criteria = criteria_node.map(|node| criteria::read(file, node)).unwrap_or_default();
    if let Some((trigger, node)) = trigger.as_ref().zip(criteria_node) {
        renamed::report(file, trigger, node);
    }
    let when = condition::optional(file, &mut fields, "when", "event().body.state == \"open\"", Home::Rule);
    let action_entry = fields.entry("action").filter(|entry| !entry.value.is_null());
    let called = action_entry.map(|entry| call::read(file, entry));
    let called = fields.require("action", called, "{ref: pack.name, parameters: {}}").flatten();
    let once = fields.entry("deduplicate").filter(|entry| !entry.value.is_null());
    let once = once.and_then(|entry| once::read(file, entry));
    let tags = metadata::tags(file, &mut fields);
    fields.finish(&FOREIGN);

    if let Some(Trigger::Webhook(webhook)) = &trigger {
        let place = path_place(trigger_entry.map(|entry| &entry.value)).unwrap_or(trigger_place);
        read.needs.push(Need::webhook(file, place, webhook.clone()));
        read.webhook = Some((webhook.clone(), place));
    }
    let Some((trigger, called)) = trigger.zip(called) else { return read };
    let parameters = called.parameters.unwrap_or_else(|| Template::literal(Value::Object(Map::new())));
    read.call = called.call;
    read.rule = called.action.map(|action| Rule {
        reference,
        description,
        enabled,
        kind,
        trigger,
        plan: RulePlan { criteria, when, parameters, once },
        action,
        tags,
        source: file.source.path().to_owned(),
    });
    read
}

/// `type`: a word, or StackStorm's `{ref: word}`.
fn kind(file: &Document<'_>, fields: &mut Fields<'_>) -> RuleKind {
    let Some(entry) = fields.entry("type").filter(|entry| !entry.value.is_null()) else { return RuleKind::Standard };
    let (word, span) = match &entry.value.kind {
        Kind::Map(_) => {
            let Some(mut inner) = Fields::open(file, &entry.value, "`type`", entry.key_span) else {
                return RuleKind::Standard;
            };
            let place = inner.place_of("ref");
            let word = inner.text("ref");
            // Neither of the two kinds has any.
            inner.entry("parameters");
            inner.finish(&Foreign::NONE);
            (word, place)
        }
        _ => (fields.text("type"), entry.value.span),
    };
    match word {
        None | Some("standard") => RuleKind::Standard,
        Some("backstop") => RuleKind::Backstop,
        Some(other) => {
            let message = format!("there is no type of rules `{other}`");
            let hint = match other.contains('.') {
                true => Some(format!("a trigger's type stands below `trigger`: `trigger: {{type: {other}}}`")),
                false => suggest::hint(other, ["standard", "backstop"], "types are"),
            };
            file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint));
            RuleKind::Standard
        }
    }
}

/// Where a webhook's path stands.
fn path_place(trigger: Option<&Node>) -> Option<Span> {
    let parameters = trigger?.as_map()?.iter().find(|entry| entry.key == "parameters")?;
    let path = parameters.value.as_map()?.iter().find(|entry| matches!(entry.key.as_str(), "path" | "url"))?;
    Some(path.value.span)
}
