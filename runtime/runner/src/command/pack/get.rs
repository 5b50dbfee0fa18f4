//! `runner pack get`.

use runner_model::Permissions;
use runner_pack::{ConnectionKind, Pack};
use serde_json::{Value, json};

use super::{list, unknown, unknown_there};
use crate::app::App;
use crate::command::exec::{indented, not_loaded, readable};
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::printable;
use crate::remote::{Remote, segment};

/// Shows a pack.
pub(crate) async fn run(app: &App, reference: &str) -> Result<Exit, CliError> {
    let (library, _) = app.library();
    let pack = library.pack(reference).ok_or_else(|| unknown(app, reference))?;
    let store = app.existing_store().await?;
    let packs = app.granted_packs(store.as_ref(), false).await;
    if let Some(store) = store {
        store.close().await;
    }
    let granted = packs?.grant_of(pack);
    show(app, &pack.manifest.name, &describe(pack, &granted));
    Ok(Exit::Succeeded)
}

/// Shows a pack of a daemon.
pub(crate) async fn run_there(app: &App, remote: &Remote, reference: &str) -> Result<Exit, CliError> {
    let packs = list::there(remote).await?;
    if !packs.iter().any(|one| one.reference == reference) {
        return Err(unknown_there(reference, &packs));
    }
    let mut described: Value = remote.get(&format!("/api/v1/packs/{}", segment(reference)), &[]).await?;
    if described.get("version").is_none() {
        return Err(broken(reference, &described));
    }
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

fn describe(pack: &Pack, granted: &Permissions) -> Value {
    let manifest = &pack.manifest;
    let kind = |(name, about): (&String, &ConnectionKind)| {
        let mut kind = serde_json::Map::from_iter([("description".to_owned(), json!(about.description))]);
        kind.extend(about.simulator.iter().map(|simulator| ("simulator".to_owned(), json!(simulator))));
        (name.clone(), Value::Object(kind))
    };
    let connections: serde_json::Map<_, _> = manifest.connections.iter().map(kind).collect();
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
        "granted": granted,
        "actions": pack.actions.values().map(|action| action.reference.to_string()).collect::<Vec<_>>(),
        "rules": pack.rules.values().map(|rule| rule.reference.to_string()).collect::<Vec<_>>(),
        "sensors": pack.sensors.values().map(|sensor| sensor.reference.to_string()).collect::<Vec<_>>(),
        "policies": pack.policies.values().map(|policy| policy.reference.to_string()).collect::<Vec<_>>(),
        "components": pack.components.keys().collect::<Vec<_>>(),
        "directory": pack.directory,
        "mistakes": 0,
        "digest": pack.digest,
        "diagnostics": [],
    });
    if let Some(map) = described.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    described
}

/// It is there, and has mistakes, of which the daemon tells each.
fn broken(reference: &str, described: &Value) -> CliError {
    let diagnostics: Vec<_> = described.get("diagnostics").and_then(Value::as_array).into_iter().flatten().collect();
    let mut error = not_loaded(reference, diagnostics.len());
    for found in diagnostics {
        let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default();
        error.mistakes.push(Mistake {
            code: text("code").to_owned(),
            message: format!("{}: {}", text("place"), text("message")),
            causes: Vec::new(),
            details: None,
            hint: found.get("hint").and_then(Value::as_str).map(str::to_owned),
        });
    }
    error
}
