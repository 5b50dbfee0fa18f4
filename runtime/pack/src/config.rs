//! A pack's configuration: its schema in the pack, its values in the operator's directory.

use std::path::Path;
use std::sync::Arc;

use runner_model::{PackRef, code, limits};
use serde_json::{Map, Value};

use crate::diagnostic::{Document, Findings, Mistake};
use crate::fields::wrong_type;
use crate::files::{Directory, unreadable};
use crate::parameters::{self, Parameters, Purpose};
use crate::source::{Source, Span, read};
use crate::suggest;
use crate::yaml::{self, Entry, Node};

/// The name of the schema's file.
pub(crate) const SCHEMA_FILE: &str = "config.schema.yaml";

/// Reads the schema; none if the pack has none.
pub(crate) fn schema(directory: &Directory<'_>) -> Option<Parameters> {
    if !directory.has(SCHEMA_FILE) {
        return None;
    }
    let (file, root) = directory.document(&directory.path().join(SCHEMA_FILE))?;
    // A file of comments is a schema without keys.
    Some(if root.is_null() { Parameters::default() } else { parameters::read(&file, &root, Purpose::Config).0 })
}

/// Reads the values and adds the defaults. Without a directory only the defaults are known.
pub(crate) fn values(
    schema: Option<&Parameters>,
    directory: Option<&Path>,
    pack: &PackRef,
    findings: &Findings,
) -> Value {
    let none = Parameters::default();
    let defaults = || schema.unwrap_or(&none).iter().filter_map(|p| Some((p.name.clone(), p.default.clone()?)));
    let mut values: Map<_, _> = defaults().collect();
    let Some(directory) = directory else { return Value::Object(values) };
    let path = directory.join(format!("{pack}.yaml"));
    let exists = path.exists();
    if exists && let Some((file, root)) = document(&path, findings) {
        values.extend(checked(&file, &root, schema, pack));
    }
    let missing = |p: &&parameters::Parameter| p.required && values.get(&p.name).is_none_or(Value::is_null);
    for parameter in schema.unwrap_or(&none).iter().filter(missing) {
        let message = format!("the pack `{pack}` needs the configuration key `{}`", parameter.name);
        let hint = format!("write `{}: …` ({}) into this file", parameter.name, parameter.kind);
        let hint = if exists { hint } else { format!("{hint}, which does not exist yet") };
        findings.about(&path, Mistake::new(code::PACK_CONFIG, Span::default(), message).hint(hint));
    }
    Value::Object(values)
}

/// The file of values. It may hold secrets, so none of its lines is ever quoted.
fn document<'a>(path: &Path, findings: &'a Findings) -> Option<(Document<'a>, Node)> {
    match read(path, limits::YAML_BYTES_MAX) {
        Ok(text) => {
            let source = Arc::new(Source::confidential(path.to_owned(), text));
            let file = Document { source, findings };
            let root = yaml::parse(&file)?;
            Some((file, root))
        }
        Err(error) => {
            findings.about(path, unreadable(&error));
            None
        }
    }
}

fn checked(file: &Document<'_>, root: &Node, schema: Option<&Parameters>, pack: &PackRef) -> Map<String, Value> {
    let mut values = Map::new();
    if root.is_null() {
        return values;
    }
    let Some(entries) = root.as_map() else {
        file.add(wrong_type(&Node::null(0), "configuration", "a map"));
        return values;
    };
    for Entry { key, key_span, value } in entries {
        let Some(parameter) = schema.and_then(|schema| schema.get(key)) else {
            let names = schema.into_iter().flat_map(Parameters::names);
            let message = format!("the pack `{pack}` has no configuration key `{key}`");
            let hint = suggest::hint(key, names, "its keys are");
            file.add(Mistake::new(code::PACK_CONFIG, *key_span, message).maybe_hint(hint));
            continue;
        };
        let span = if value.is_collection() || value.is_null() { *key_span } else { value.span };
        let value = value.to_value();
        // A key without a value is as good as none; that a required one is missing is said once, for all of them.
        if value.is_null() {
            continue;
        }
        match parameter.check(&value) {
            Ok(()) => {
                values.insert(key.clone(), value);
            }
            Err(error) => {
                values.insert(key.clone(), value);
                file.add(Mistake::new(code::PACK_CONFIG, span, error.message).maybe_hint(error.hint));
            }
        }
    }
    values
}
