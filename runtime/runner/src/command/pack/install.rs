//! `runner pack install`: a pack from an archive, an address or a directory into the packs directory.

mod fetch;
mod source;

use std::path::{Path, PathBuf};

use clap::Args;
use runner_model::{Difference, PackRef, Permissions, code, grant_command};
use runner_pack::{InstallError, Origin, Pack, Place, Published, Refusal, Report, suggest};
use runner_store::{Audit as _, AuditAction, Deed};
use serde_json::{Value, json};

use super::check;
use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::output::{count, shell_word};
use source::{Arrived, Source};

/// Install a pack from an archive, an address or a directory
///
/// The whole of it is checked before it takes its place, where a daemon finds it by itself. `runner.lock` in the packs
/// directory says from then on what was installed.
#[derive(Debug, Args)]
pub(crate) struct InstallCommand {
    /// A directory, a `.tar.gz`, or the `https://` address of one
    #[arg(value_name = "SOURCE", value_parser = source::parse)]
    source: Source,
    /// What the SHA-256 of the archive must be
    #[arg(long, value_name = "HEX", value_parser = source::sum)]
    sha256: Option<String>,
    /// Replace the version that is installed
    #[arg(long)]
    upgrade: bool,
    /// Refuse a pack whose ref can be mistaken for that of one that is installed
    #[arg(long)]
    name_check: bool,
    /// The packs directory to install it in [default: the first one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl InstallCommand {
    /// Installs it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        let first = || app.config.packs.first().cloned().unwrap_or_else(|| PathBuf::from("packs"));
        let packs = self.dir.clone().unwrap_or_else(first);
        let arrived = self.source.arrive(app, self.sha256.as_deref()).await?;
        let place = Place::open(&packs).map_err(failed)?;
        let mut staged = match &arrived {
            Arrived::Archive { bytes, .. } => place.unpack(bytes),
            Arrived::Directory(directory) => place.copy(directory),
        }
        .map_err(failed)?;
        let (library, _) = app.library();
        let (pack, report) = place.check(&mut staged, library).map_err(failed)?;
        let Some(pack) = pack else { return Err(self.unsound(app, &report)) };
        self.refuse_elsewhere(app, &pack, &packs)?;
        self.refuse_lookalike(app, &pack)?;
        let origin = Origin { source: self.source.shown(), sha256: arrived.sha256(), at: app.now() };
        let before = place.lock().map_err(failed)?.0.remove(pack.reference()).map(|locked| locked.version);
        if place.admits(&staged, &pack, self.upgrade).map_err(failed)? != Published::Same {
            let version = pack.manifest.version.to_string();
            let details =
                json!({ "version": version, "source": origin.source, "sha256": origin.sha256, "before": before });
            log(app, AuditAction::PackInstall, &pack.manifest.reference, details).await?;
        }
        let published = place.publish(&staged, &pack, origin, self.upgrade).map_err(failed)?;
        drop(place);
        self.announce(app, &packs.join(pack.reference().as_str()), &pack, published, before.as_deref());
        Ok(Exit::Succeeded)
    }

    /// Every mistake in it, and that it was not installed.
    fn unsound(&self, app: &App, report: &Report) -> CliError {
        if !app.output.json {
            check::show(app, 1, report);
        }
        let mistakes = count(report.errors(), "mistake");
        let message = format!("the pack in `{}` has {mistakes} and was not installed", self.source.shown());
        let mut error = CliError::new(Exit::Invalid, code::PACK_NOT_LOADED, message);
        if app.output.json {
            error.mistakes.extend(report.diagnostics.iter().filter(|found| found.is_error()).map(|found| {
                let message = format!("{}:{}: {}", found.path.display(), found.line, found.message);
                Mistake::new(found.code, message).maybe_hint(found.hint.clone())
            }));
        }
        error
    }

    /// Of two packs with the same ref only one would be used.
    fn refuse_elsewhere(&self, app: &App, pack: &Pack, packs: &Path) -> Result<(), CliError> {
        let reference = pack.reference().as_str();
        let elsewhere = app.config.packs.iter().filter(|dir| !is_same(dir, packs)).map(|dir| dir.join(reference));
        match elsewhere.into_iter().find(|directory| directory.exists()) {
            None => Ok(()),
            Some(other) => {
                let message = format!("there is a pack `{reference}` in `{}` already", other.display());
                Err(CliError::new(Exit::Usage, code::PACK_INSTALLED, message)
                    .hint("name its directory with `--dir`, or remove it first"))
            }
        }
    }

    fn refuse_lookalike(&self, app: &App, pack: &Pack) -> Result<(), CliError> {
        let reference = pack.reference().as_str();
        let others = app.library().0.packs().map(|other| other.reference().as_str());
        let near = suggest::nearest(reference, others.filter(|other| *other != reference));
        match near.filter(|_| self.name_check) {
            None => Ok(()),
            Some(near) => {
                let message = format!("`{reference}` can be mistaken for `{near}`, which is installed");
                Err(CliError::new(Exit::Usage, code::PACK_INSTALLED, message)
                    .hint("leave `--name-check` out if it is what you meant"))
            }
        }
    }

    fn announce(&self, app: &App, directory: &Path, pack: &Pack, published: Published, before: Option<&str>) {
        let (reference, version) = (pack.reference(), &pack.manifest.version);
        let wish = &pack.manifest.permissions;
        let asks = Difference::between(&Permissions::default(), wish).more();
        let command = app.spelled(&grant_command(reference, wish, &[]));
        if app.output.json {
            let status = match published {
                Published::Installed => "installed",
                Published::Replaced => "replaced",
                Published::Same => "unchanged",
            };
            return app.output.value(&json!({
                "ref": reference, "version": version.to_string(), "status": status, "before": before,
                "directory": directory, "asks": asks,
                "grant": (!asks.is_empty()).then_some(command),
            }));
        }
        let place = shell_word(&directory.display().to_string());
        let was = before.map(|before| format!(", in place of {before}")).unwrap_or_default();
        app.output.line(match published {
            Published::Same => format!("`{reference}` {version} is installed already, the same to the byte"),
            _ => format!("installed `{reference}` {version} in {place}{was}"),
        });
        if !asks.is_empty() {
            let asks: Vec<_> = asks.iter().map(|ask| format!("  {ask}\n")).collect();
            app.output.line(format!("\nIt asks for:\n{}\nGrant it:\n  {command}", asks.concat()));
        }
    }
}

/// Logs what is about to be done to a pack.
pub(super) async fn log(app: &App, action: AuditAction, pack: &PackRef, details: Value) -> Result<(), CliError> {
    let store = app.store().await?;
    let logged = store.log(app.audited(), Deed::new(action, pack.as_str(), details)).await;
    store.close().await;
    Ok(logged.map(drop)?)
}

/// Whether two paths name the same directory.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Why nothing was installed, removed or compared.
pub(crate) fn failed(error: InstallError) -> CliError {
    match error {
        InstallError::Refused(refusals) => {
            let mistakes: Vec<_> = refusals.iter().map(mistake).collect();
            CliError { exit: Exit::Invalid, mistakes }
        }
        InstallError::Io { ref source, .. } => {
            CliError::new(Exit::Broken, code::PACK_LOCK, error.to_string()).caused_by(source)
        }
        InstallError::Lock { .. } => CliError::new(Exit::Invalid, code::PACK_LOCK, error.to_string())
            .hint("put the file back as it was; without it, what is installed is not known to have been"),
    }
}

fn mistake(refusal: &Refusal) -> Mistake {
    Mistake::new(refusal.code, &refusal.message).maybe_hint(refusal.hint.clone())
}
