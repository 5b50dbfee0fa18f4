//! `policies/<name>.yaml`: how many executions of an action there may be, and how fast they may begin.

mod kind;

use std::path::PathBuf;
use std::time::Duration;

use runner_model::{ActionRef, PolicyRef, code};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign};
use crate::metadata::{self, Head};
use crate::source::Span;
use crate::trigger::Need;
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

pub(crate) fn read(file: &Document<'_>, node: &Node, reference: PolicyRef) -> Read {
    let mut read = Read::default();
    let Some(mut fields) = Fields::open_root(file, node, "the policy") else { return read };
    let Head { description, enabled } = metadata::head(file, &mut fields, reference.name());
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
    let kind =
        word.zip(parameters).and_then(|(word, fields)| kind::read(file, word, type_place, fields, &mut attributes));
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
