//! `connections:` of `pack.yaml`: the kinds of systems that the pack talks to.

use std::collections::BTreeMap;

use runner_model::{ConnectionName, code};

use super::{ConnectionKind, manners};
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign, text, wrong_type};
use crate::source::Span;
use crate::yaml::Entry;

/// Keys of the operator's configuration: a pack knows neither where its systems are nor who logs in there.
const FOREIGN: Foreign = Foreign {
    later: &["config_schema", "schema", "parameters"],
    instead: &[
        ("base_url", "remove it: the operator writes it into `[connections.NAME]` of runner.toml"),
        ("auth", "remove it: the operator writes it into `[connections.NAME]` of runner.toml"),
        ("tls", "remove it: the operator writes it into `[connections.NAME]` of runner.toml"),
        ("timeout", "remove it: the operator writes it into `[connections.NAME]` of runner.toml"),
        ("statuses", "write it below `retry`"),
        ("tries", "write it below `retry`"),
        ("path", "write `test: {path: /…}`"),
    ],
};

/// Reads it. Beside the kinds the components that must exist.
pub(super) fn read(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
) -> (BTreeMap<String, ConnectionKind>, Vec<(String, Span)>) {
    let mut kinds = BTreeMap::new();
    let mut simulators = Vec::new();
    let Some(node) = fields.get("connections") else { return (kinds, simulators) };
    let Some(entries) = node.as_map() else {
        file.add(wrong_type(node, "connections", "a map from kinds to their descriptions"));
        return (kinds, simulators);
    };
    for entry in entries {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if entry.key.is_empty() || !entry.key.chars().all(legal) {
            let message = format!("`{}` is not a kind of connection: use letters, digits, `_` and `-`", entry.key);
            file.add(Mistake::new(code::PACK_BAD_VALUE, entry.key_span, message));
        }
        if let Some(kind) = kind(file, entry, &mut simulators) {
            kinds.insert(entry.key.clone(), kind);
        }
    }
    (kinds, simulators)
}

fn kind(file: &Document<'_>, entry: &Entry, simulators: &mut Vec<(String, Span)>) -> Option<ConnectionKind> {
    let mut kind = ConnectionKind::default();
    if entry.value.is_null() {
        return Some(kind);
    }
    let mut fields = Fields::open(file, &entry.value, "the kind of connection", entry.key_span)?;
    kind.description = fields.text("description").unwrap_or_default().to_owned();
    if let Some(node) = fields.get("simulator")
        && let Some(component) = text(file, node, "simulator")
    {
        simulators.push((component.to_owned(), node.span));
        kind.simulator = Some(component.to_owned());
    }
    kind.simulated_as = simulated_as(file, &mut fields, kind.simulator.is_some());
    kind.manners = manners::read(file, &mut fields);
    fields.finish(&FOREIGN);
    Some(kind)
}

/// The names of connections that there are in simulations.
fn simulated_as(file: &Document<'_>, fields: &mut Fields<'_>, is_simulated: bool) -> Vec<ConnectionName> {
    let place = fields.place_of("simulated_as");
    let written = fields.texts("simulated_as");
    if !written.is_empty() && !is_simulated {
        let mistake = Mistake::new(code::PACK_BAD_VALUE, place, "nothing simulates these connections");
        file.add(mistake.hint("write `simulator`, with the component that does"));
    }
    let mut names = Vec::new();
    for (text, span) in written {
        match ConnectionName::new(text) {
            Ok(name) if names.contains(&name) => {
                file.add(Mistake::new(code::PACK_BAD_VALUE, span, format!("`{name}` stands twice")));
            }
            Ok(name) => names.push(name),
            Err(error) => file.add(Mistake::new(code::PACK_BAD_VALUE, span, error.to_string())),
        }
    }
    names
}
