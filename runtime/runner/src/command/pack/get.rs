//! `runner pack get`.

use runner_pack::Pack;
use serde_json::{Value, json};

use super::unknown;
use crate::app::App;
use crate::command::exec::{indented, readable};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;

/// Shows a pack.
pub(crate) fn run(app: &App, reference: &str) -> Result<Exit, CliError> {
    let (library, _) = app.library();
    let pack = library.pack(reference).ok_or_else(|| unknown(app, reference))?;
    let described = describe(app, pack);
    if app.output.json {
        app.output.value(&described);
    } else {
        let title = printable(&pack.manifest.name);
        app.output.line(format!("{title}\n\n{}", indented(readable(&described, 0).trim_end())));
    }
    Ok(Exit::Succeeded)
}

fn describe(app: &App, pack: &Pack) -> Value {
    let manifest = &pack.manifest;
    let connections: serde_json::Map<_, _> = manifest
        .connections
        .iter()
        .map(|(kind, about)| (kind.clone(), json!({ "description": about.description, "simulator": about.simulator })))
        .collect();
    let dependencies: Vec<_> =
        manifest.dependencies.iter().map(|needed| format!("{} {}", needed.reference, needed.version)).collect();
    let mut described = json!({
        "ref": manifest.reference,
        "name": manifest.name,
        "description": manifest.description,
        "version": manifest.version.to_string(),
        "author": manifest.author,
        "email": manifest.email,
        "keywords": manifest.keywords,
        "contributors": manifest.contributors,
        "runner_version": manifest.runner_version.as_ref().map(ToString::to_string),
        "dependencies": dependencies,
        "connections": connections,
        "permissions": manifest.permissions,
        "granted": app.config.grants.of(&manifest.reference),
        "actions": pack.actions.keys().collect::<Vec<_>>(),
        "components": pack.components.keys().collect::<Vec<_>>(),
        "directory": pack.directory,
        "digest": pack.digest,
    });
    if let Some(map) = described.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    described
}
