//! `runner pack remove`: a pack goes, unless something needs it.

use std::path::{Path, PathBuf};

use clap::Args;
use runner_model::{PackRef, code};
use runner_pack::{Lock, Pack, Place, check, differences};
use runner_store::{AuditAction, Catalogue as _, ExecutionFilter};
use serde_json::json;

use super::install::{failed, log};
use super::unknown;
use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::count;

/// Remove an installed pack
///
/// Executions of it that have not ended go on: the version that they began with is kept for them.
#[derive(Debug, Args)]
pub(crate) struct RemoveCommand {
    /// Its ref
    #[arg(value_name = "REF")]
    pack: PackRef,
    /// Remove it although something needs it, or is lost with it
    #[arg(long)]
    yes: bool,
}

impl RemoveCommand {
    /// Removes it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        let packs = self.packs(app)?;
        let place = Place::open(&packs).map_err(failed)?;
        let directory = packs.join(self.pack.as_str());
        let mut reasons: Vec<_> = self.losses(&packs, &directory)?.into_iter().collect();
        reasons.extend(self.dependents(app));
        reasons.extend(self.executions(app).await?);
        if !self.yes && !reasons.is_empty() {
            let mistake = |reason: &String| Mistake::new(code::PACK_NEEDED, reason);
            let error = CliError { exit: Exit::Usage, mistakes: reasons.iter().map(mistake).collect() };
            return Err(error.hint(format!("remove it all the same with `runner pack remove {} --yes`", self.pack)));
        }
        log(app, AuditAction::PackRemove, &self.pack, json!({ "despite": reasons })).await?;
        place.remove(&self.pack).map_err(failed)?;
        if app.output.json {
            app.output.value(&json!({ "ref": self.pack, "directory": directory, "despite": reasons }));
        } else {
            app.output.line(format!("removed `{}` from `{}`", self.pack, packs.display()));
        }
        Ok(Exit::Succeeded)
    }

    /// The packs directory that it is in.
    fn packs(&self, app: &App) -> Result<PathBuf, CliError> {
        let holds = |dir: &&PathBuf| std::fs::symlink_metadata(dir.join(self.pack.as_str())).is_ok();
        app.config.packs.iter().find(holds).cloned().ok_or_else(|| unknown(app, self.pack.as_str()))
    }

    /// What could not be installed again.
    fn losses(&self, packs: &Path, directory: &Path) -> Result<Option<String>, CliError> {
        if directory.is_symlink() {
            return Ok(None);
        }
        let lock = Lock::read(packs).map_err(failed)?;
        Ok(match lock.0.get(&self.pack) {
            None => Some(format!("`{}` was not installed, and its files would be lost", directory.display())),
            Some(locked) => match differences(directory, locked).count() {
                0 => None,
                changes => {
                    let changes = count(changes, "change");
                    Some(format!("`{}` has {changes} since it was installed, which would be lost", self.pack))
                }
            },
        })
    }

    /// The packs that would have mistakes without it, and the first mistake of each.
    fn dependents(&self, app: &App) -> Vec<String> {
        let (library, _) = app.library();
        let without = library.without(&self.pack);
        let mut reasons = Vec::new();
        for other in without.packs().filter(|other| mentions(other, &self.pack)) {
            let (_, report) = check(&other.directory, &without);
            if let Some(found) = report.diagnostics.iter().find(|found| found.is_error()) {
                let file = found.path.strip_prefix(&other.directory).unwrap_or(&found.path).display();
                let reason =
                    format!("the pack `{}` needs it: {file}:{}: {}", other.reference(), found.line, found.message);
                reasons.push(reason);
            }
        }
        reasons
    }

    /// The executions of it that have not ended.
    async fn executions(&self, app: &App) -> Result<Option<String>, CliError> {
        let Some(store) = app.existing_store().await? else { return Ok(None) };
        let filter = ExecutionFilter { pack: Some(self.pack.clone()), open: Some(true), ..ExecutionFilter::default() };
        let open = store.count(&filter).await;
        store.close().await;
        Ok(match open? {
            0 => None,
            1 => Some(format!("an execution of `{}` has not ended", self.pack)),
            open => Some(format!("{open} executions of `{}` have not ended", self.pack)),
        })
    }
}

/// Whether a file of a pack names another one: only then it is worth while to check it without that.
fn mentions(pack: &Pack, other: &PackRef) -> bool {
    let names = |path: &str| {
        let text = std::fs::read(pack.directory.join(path)).unwrap_or_default();
        text.windows(other.as_str().len()).any(|part| part == other.as_str().as_bytes())
    };
    pack.contents.iter().any(|(path, _)| path.ends_with(".yaml") && names(path))
}
