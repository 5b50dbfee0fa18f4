//! `runner pack get`.

use runner_pack::Pack;
use serde_json::{Value, json};

use super::{list, unknown, unknown_there};
use crate::app::App;
use crate::command::exec::{indented, readable};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::printable;
use crate::remote::{Remote, segment};

/// Shows a pack.
pub(crate) fn run(app: &App, reference: &str) -> Result<Exit, CliError> {
    let (library, _) = app.library();
    let pack = library.pack(reference).ok_or_else(|| unknown(app, reference))?;
    show(app, &pack.manifest.name, &describe(app, pack));
    Ok(Exit::Succeeded)
}

/// Shows a pack of a daemon.
pub(crate) async fn run_there(app: &App, remote: &Remote, reference: &str) -> Result<Exit, CliError> {
    let packs = list::there(remote).await?;
    if !packs.iter().any(|one| one.reference == reference) {
        return Err(unknown_there(reference, &packs));
    }
    let mut described: Value = remote.get(&format!("/api/v1/packs/{}", segment(reference)), &[]).await?;
    if let Some(map) = described.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    let name = described.get("name").and_then(Value::as_str).unwrap_or(reference).to_owned();
    show(app, &name, &described);
    Ok(Exit::Succeeded)
}

fn show(app: &App, name: &str, described: &Value) {
    if app.output.json {
        app.output.value(described);
    } else {
        app.output.line(format!("{}\n\n{}", printable(name), indented(readable(described, 0).trim_end())));
    }
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
