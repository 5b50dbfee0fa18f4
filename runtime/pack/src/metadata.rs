//! What the files of a pack have in common: name, description, parameters, tags.

use std::path::Path;
use std::str::FromStr;

use runner_model::{ActionRef, NameError, PackRef, code};

use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::parameters::{self, Parameters, Purpose};
use crate::source::Span;
use crate::yaml::Kind;

/// A label of an action or a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// What it is about.
    pub name: String,
    /// What it says; empty if the tag is a mere word.
    pub value: String,
}

/// The common part of actions and workflows.
pub(crate) struct Metadata {
    pub(crate) reference: ActionRef,
    pub(crate) description: String,
    pub(crate) enabled: bool,
    pub(crate) parameters: Parameters,
    /// Whether all parameters could be read, so that calls can be checked against them.
    pub(crate) parameters_complete: bool,
    pub(crate) tags: Vec<Tag>,
}

/// The reference of what a file describes, by its name; a name that is none is reported.
pub(crate) fn reference<R: FromStr<Err = NameError>>(file: &Document<'_>, pack: &PackRef, path: &Path) -> Option<R> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    match format!("{pack}.{stem}").parse() {
        Ok(reference) => Some(reference),
        Err(error) => {
            file.findings.about(path, Mistake::new(code::PACK_BAD_VALUE, Span::default(), error.to_string()));
            None
        }
    }
}

/// What every file of a pack may begin with.
pub(crate) struct Head {
    pub(crate) description: String,
    pub(crate) enabled: bool,
}

/// Reads what the file of something that is called `name` may begin with.
pub(crate) fn head(file: &Document<'_>, fields: &mut Fields<'_>, name: &str) -> Head {
    check_name(file, fields, name);
    let description = fields.text("description").unwrap_or_default().to_owned();
    Head { description, enabled: fields.boolean("enabled").unwrap_or(true) }
}

/// Reads the common keys of actions and workflows.
pub(crate) fn read(file: &Document<'_>, fields: &mut Fields<'_>, reference: ActionRef) -> Metadata {
    let Head { description, enabled } = head(file, fields, reference.name());
    let parameters = fields.get("parameters").map(|node| parameters::read(file, node, Purpose::Action));
    let (parameters, parameters_complete) = parameters.unwrap_or_else(|| (Parameters::default(), true));
    let tags = tags(file, fields);
    Metadata { reference, description, enabled, parameters, parameters_complete, tags }
}

/// `name` may be left out; if it is there it is that of the file.
fn check_name(file: &Document<'_>, fields: &mut Fields<'_>, stem: &str) {
    let place = fields.place_of("name");
    let Some(name) = fields.text("name").filter(|name| *name != stem) else { return };
    let message = format!("the name is `{name}`, but the file is called `{stem}.yaml`");
    let hint = format!("write `name: {stem}`, or rename the file to `{name}.yaml`");
    file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
}

/// Words, or maps of `name` and `value` as StackStorm has them.
pub(crate) fn tags(file: &Document<'_>, fields: &mut Fields<'_>) -> Vec<Tag> {
    let Some(node) = fields.get("tags") else { return Vec::new() };
    let Kind::List(items) = &node.kind else {
        file.add(wrong_type(node, "tags", "a list"));
        return Vec::new();
    };
    let mut tags = Vec::new();
    for item in items {
        if item.as_map().is_none() {
            let word = text(file, item, "tags");
            tags.extend(word.map(|word| Tag { name: word.to_owned(), value: String::new() }));
            continue;
        }
        let Some(mut fields) = Fields::open(file, item, "a tag", item.span) else { continue };
        let name = fields.text("name");
        let name = fields.require("name", name, "team");
        let value = fields.text("value").unwrap_or_default().to_owned();
        tags.extend(name.map(|name| Tag { name: name.to_owned(), value }));
        fields.finish(&Foreign::NONE);
    }
    tags
}
