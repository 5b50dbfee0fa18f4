//! `policies/<name>.yaml`: how many executions of an action there may be, and how fast they may begin.

use std::path::PathBuf;
use std::time::Duration;

use runner_model::{ActionRef, PolicyRef, code, limits};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, wrong_type};
use crate::metadata;
use crate::source::Span;
use crate::suggest;
use crate::time::{self, Range};
use crate::trigger::{Need, one_of};
use crate::yaml::{Kind, Node};

/// A bound for the executions of an action.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its full name.
    pub reference: PolicyRef,
    /// What it is for.
    pub description: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// The action.
    pub resource: ActionRef,
    /// What it bounds.
    pub kind: PolicyKind,
    /// The file that describes it.
    pub source: PathBuf,
}

/// What a policy bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyKind {
    /// How many run at the same time.
    Concurrency {
        /// So many, and no more.
        threshold: u32,
        /// Parameters: executions are counted apart by their values.
        attributes: Vec<String>,
        /// What becomes of the next one.
        over: Over,
    },
    /// How many begin within a time.
    Rate {
        /// So many within `per`, in the long run.
        limit: u32,
        /// The time.
        per: Duration,
        /// So many at once after a rest.
        burst: u32,
        /// Parameters: executions are counted apart by their values.
        attributes: Vec<String>,
        /// What becomes of the next one.
        over: Over,
    },
}

/// What becomes of an execution that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Over {
    /// It waits, first come, first served.
    #[default]
    Delay,
    /// It is cancelled.
    Cancel,
}

/// What was read of a policy's file.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) policy: Option<Policy>,
    pub(crate) needs: Vec<Need>,
}

const TYPES: [&str; 3] = ["action.concurrency", "action.concurrency.attr", "action.rate"];

const PER: Range = Range { min: Duration::from_secs(1), max: limits::POLICY_RATE_PERIOD_MAX, example: "60" };

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("pack", "remove it: the directory says which pack it is"),
        ("ref", "remove it: the directory and the file's name are the reference"),
        ("uid", "remove it"),
        ("metadata_file", "remove it"),
        ("resource", "write `resource_ref: pack.action`"),
        ("action", "write `resource_ref: pack.action`"),
        ("type", "write `policy_type: action.concurrency`"),
        ("threshold", "write it below `parameters`"),
    ],
};

const PARAMETERS_FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("max", "write `threshold`"),
        ("rate", "write `limit` and `per`"),
        ("window", "write `per`"),
        ("period", "write `per`"),
        ("over", "write `action: delay` or `action: cancel`"),
    ],
};

pub(crate) fn read(file: &Document<'_>, node: &Node, reference: PolicyRef) -> Read {
    let mut read = Read::default();
    let Some(mut fields) = Fields::open_root(file, node, "the policy") else { return read };
    metadata::check_name(file, &mut fields, reference.name());
    let description = fields.text("description").unwrap_or_default().to_owned();
    let enabled = fields.boolean("enabled").unwrap_or(true);
    let resource_place = fields.place_of("resource_ref");
    let resource = fields.text("resource_ref");
    let resource = fields.require("resource_ref", resource, "pack.action");
    let resource = resource.and_then(|text| resource_ref(file, text, resource_place));
    let type_place = fields.place_of("policy_type");
    let word = fields.text("policy_type");
    let word = fields.require("policy_type", word, "action.concurrency");
    let parameters = fields.entry("parameters");
    let at = parameters.map_or(type_place, |entry| entry.key_span);
    let parameters = parameters.map(|entry| &entry.value).filter(|node| !node.is_null());
    fields.finish(&FOREIGN);

    let none = Node { span: at, kind: Kind::Map(Vec::new()) };
    let parameters = Fields::open(file, parameters.unwrap_or(&none), "the policy's `parameters`", at);
    let mut attributes = Vec::new();
    let kind = word.zip(parameters).and_then(|(word, fields)| kind(file, word, type_place, fields, &mut attributes));
    let Some(resource) = resource else { return read };
    read.needs.push(Need::resource(file, resource_place, resource.clone(), attributes));
    read.policy = kind.map(|kind| Policy {
        reference,
        description,
        enabled,
        resource,
        kind,
        source: file.source.path().to_owned(),
    });
    read
}

fn resource_ref(file: &Document<'_>, text: &str, place: Span) -> Option<ActionRef> {
    let read: Result<ActionRef, _> = text.parse();
    match read {
        Ok(action) => Some(action),
        Err(error) => {
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, error.to_string()));
            None
        }
    }
}

fn kind(
    file: &Document<'_>,
    word: &str,
    place: Span,
    mut fields: Fields<'_>,
    attributes: &mut Vec<(String, Span)>,
) -> Option<PolicyKind> {
    let by_attributes = word == "action.concurrency.attr";
    match word {
        "action.concurrency" | "action.concurrency.attr" => {
            let threshold = count(file, &mut fields, "threshold");
            let threshold = fields.require("threshold", threshold, "5");
            let over = over(file, &mut fields);
            if by_attributes {
                *attributes = read_attributes(&mut fields);
                fields.require("attributes", (!attributes.is_empty()).then_some(()), "[host]");
            } else if let Some(entry) = fields.entry("attributes") {
                let message = "`action.concurrency` counts all executions of the action together";
                let hint = "write `policy_type: action.concurrency.attr`, or remove `attributes`";
                file.add(Mistake::new(code::PACK_BAD_VALUE, entry.key_span, message).hint(hint));
            }
            fields.finish(&PARAMETERS_FOREIGN);
            let attributes = names(attributes);
            Some(PolicyKind::Concurrency { threshold: threshold?, attributes, over })
        }
        "action.rate" => {
            let limit = count(file, &mut fields, "limit");
            let limit = fields.require("limit", limit, "10");
            let is_there = fields.get("per").map(|_| ());
            fields.require("per", is_there, "60");
            let per = time::read(file, &mut fields, "per", &PER);
            let burst = count(file, &mut fields, "burst");
            let over = over(file, &mut fields);
            *attributes = read_attributes(&mut fields);
            fields.finish(&PARAMETERS_FOREIGN);
            let limit = limit?;
            Some(PolicyKind::Rate {
                limit,
                per: per?,
                burst: burst.unwrap_or(limit),
                attributes: names(attributes),
                over,
            })
        }
        "action.retry" => {
            let message = "there is no policy that tries an action again";
            let hint = "write `retry: {count: 3, delay: 1}` at the task that calls the action";
            file.add(Mistake::new(code::PACK_NOT_SUPPORTED, place, message).hint(hint));
            None
        }
        other => {
            let message = format!("there is no type of policies `{other}`");
            let hint = suggest::hint(other, TYPES, "types are");
            file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
            None
        }
    }
}

fn over(file: &Document<'_>, fields: &mut Fields<'_>) -> Over {
    one_of(file, fields, "action", &[("delay", Over::Delay), ("cancel", Over::Cancel)]).unwrap_or_default()
}

fn read_attributes(fields: &mut Fields<'_>) -> Vec<(String, Span)> {
    fields.texts("attributes").into_iter().map(|(name, span)| (name.to_owned(), span)).collect()
}

fn names(attributes: &[(String, Span)]) -> Vec<String> {
    attributes.iter().map(|(name, _)| name.clone()).collect()
}

/// A whole number from 1.
fn count(file: &Document<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<u32> {
    let node = fields.get(key)?;
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        file.add(wrong_type(node, key, "a whole number from 1").hint(format!("write `{key}: 5`")));
    }
    number
}
