//! `runner pack verify`: whether installed packs are what was installed.

use std::path::{Path, PathBuf};

use clap::Args;
use runner_model::{PackRef, code};
use runner_pack::{Differences, Lock, Locked, Place, differences};
use serde::Serialize;
use serde_json::json;

use super::install::failed;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{count, printable};

/// Compare installed packs with what was installed
///
/// Names each file that was changed, is missing or was added. The exit status is 1 if there is one.
#[derive(Debug, Args)]
pub(crate) struct VerifyCommand {
    /// A pack's ref; without one, all that were installed
    #[arg(value_name = "REF")]
    pack: Option<PackRef>,
}

/// A pack that was installed.
#[derive(Debug, Serialize)]
pub(crate) struct Verified {
    #[serde(rename = "ref")]
    pub(crate) reference: PackRef,
    directory: PathBuf,
    #[serde(flatten)]
    locked: Summary,
    /// How it differs.
    pub(crate) differences: Differences,
}

#[derive(Debug, Serialize)]
struct Summary {
    version: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    digest: String,
    installed_at: String,
}

impl VerifyCommand {
    /// Compares.
    pub(crate) fn run(&self, app: &App) -> Result<Exit, CliError> {
        for packs in app.config.packs.iter().filter(|packs| packs.is_dir()) {
            // What was killed in between is no difference.
            Place::recover(packs).map_err(failed)?;
        }
        let mut verified = Vec::new();
        for packs in &app.config.packs {
            verified.extend(compare(packs, self.pack.as_ref())?);
        }
        if let (Some(pack), []) = (&self.pack, verified.as_slice()) {
            let message = format!("`{pack}` was not installed: no `{}` says anything of it", runner_pack::LOCK_FILE);
            let error = CliError::new(Exit::NotFound, code::PACK_UNKNOWN_PACK, message);
            return Err(error.hint("see what is there with `runner pack list`"));
        }
        show(app, &verified);
        let differs = verified.iter().any(|one| !one.differences.is_empty());
        Ok(if differs { Exit::Failed } else { Exit::Succeeded })
    }
}

/// The packs that were installed into a directory, or one of them, each compared with what is there now.
pub(crate) fn compare(packs: &Path, only: Option<&PackRef>) -> Result<Vec<Verified>, CliError> {
    let lock = Lock::read(packs).map_err(failed)?;
    let wanted = lock.0.into_iter().filter(|(reference, _)| only.is_none_or(|only| only == reference));
    let compare = |(reference, locked): (PackRef, Locked)| {
        let directory = packs.join(reference.as_str());
        let differences = differences(&directory, &locked);
        let Locked { version, source, sha256, digest, installed_at, .. } = locked;
        let locked = Summary { version, source, sha256, digest, installed_at };
        Verified { reference, directory, locked, differences }
    };
    Ok(wanted.map(compare).collect())
}

fn show(app: &App, verified: &[Verified]) {
    let differing = verified.iter().filter(|one| !one.differences.is_empty()).count();
    if app.output.json {
        return app.output.value(&json!({ "ok": differing == 0, "packs": verified }));
    }
    if verified.is_empty() {
        return app.output.note("no pack was installed with `runner pack install`");
    }
    for one in verified {
        let (name, version) = (&one.reference, &one.locked.version);
        let found = &one.differences;
        if found.is_empty() {
            app.output.line(format!("{} {name} {version} is what was installed", console::style("✔").green()));
            continue;
        }
        let message = format!("{name} {version} differs from what was installed");
        app.output.line(format!("{} [{}] {message}", console::style("✖").red(), code::PACK_CHANGED));
        for (what, paths) in [("changed", &found.changed), ("missing", &found.missing), ("added", &found.added)] {
            paths.iter().for_each(|path| app.output.line(format!("  {what:<8} {}", printable(path))));
        }
        found.odd.iter().for_each(|odd| app.output.line(format!("  {}", printable(odd))));
    }
    app.output.note(format!("{} compared: {differing} not as installed", count(verified.len(), "pack")));
}
