//! `runner pack`: what is installed, whether it is sound, how to make, build and install one.

mod build;
mod bundle;
mod check;
mod get;
mod grant;
mod grants;
mod install;
mod list;
mod new;
mod permissions;
mod remove;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use runner_model::code;

use super::exec::not_loaded;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::Remote;
use runner_pack::suggest;

/// List, show, grant, check, make, build or install packs
#[derive(Debug, Args)]
pub(crate) struct PackCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the packs that are installed
    List,
    /// Show a pack
    Get {
        /// Its ref
        pack: String,
    },
    /// Look for every mistake in packs
    Check {
        /// Refs or directories; without any, all that are installed
        #[arg(value_name = "PACK")]
        chosen: Vec<String>,
    },
    /// Show what a pack asks for, what it is granted, by whom, and what is missing
    Permissions {
        /// Its ref
        pack: String,
    },
    Grant(grant::GrantCommand),
    /// Take back what a pack was granted; from its next request on it does not have it
    Revoke {
        /// Its ref
        pack: String,
    },
    New(new::NewCommand),
    Build(build::BuildCommand),
    #[command(name = "pack")]
    Bundle(bundle::BundleCommand),
    Install(install::InstallCommand),
    Verify(verify::VerifyCommand),
    Remove(remove::RemoveCommand),
}

impl PackCommand {
    /// What it is called, if it is about this machine.
    pub(crate) const fn only_here(&self) -> Option<&'static str> {
        match self.what {
            What::Check { .. } => Some("pack check"),
            What::New(_) => Some("pack new"),
            What::Build(_) => Some("pack build"),
            What::Bundle(_) => Some("pack pack"),
            What::Install(_) => Some("pack install"),
            What::Verify(_) => Some("pack verify"),
            What::Remove(_) => Some("pack remove"),
            What::List | What::Get { .. } | What::Permissions { .. } | What::Grant(_) | What::Revoke { .. } => None,
        }
    }

    /// Does it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        match (&self.what, &app.remote) {
            (What::List, None) => list::run(app).await,
            (What::List, Some(remote)) => list::run_there(app, remote).await,
            (What::Get { pack }, None) => get::run(app, pack).await,
            (What::Get { pack }, Some(remote)) => get::run_there(app, remote, pack).await,
            (What::Check { chosen }, _) => check::run(app, chosen),
            (What::Permissions { pack }, _) => permissions::run(app, pack).await,
            (What::Grant(command), _) => command.run(app).await,
            (What::Revoke { pack }, _) => grant::revoke(app, pack).await,
            (What::New(command), _) => command.run(app),
            (What::Build(command), _) => command.run(app).await,
            (What::Bundle(command), _) => command.run(app),
            (What::Install(command), _) => command.run(app).await,
            (What::Verify(command), _) => command.run(app),
            (What::Remove(command), _) => command.run(app).await,
        }
    }
}

pub(crate) use verify::compare as compare_with_lock;

/// There is no such pack, or it has mistakes.
pub(crate) fn unknown(app: &App, pack: &str) -> CliError {
    let (library, _) = app.library();
    if let Some(broken) = library.broken().iter().find(|broken| is_called(broken, pack)) {
        return not_loaded(pack, broken.mistakes);
    }
    let known = library.packs().map(|pack| pack.reference().as_str());
    let hint = suggest::hint(pack, known, "installed are");
    CliError::new(Exit::NotFound, code::PACK_UNKNOWN_PACK, format!("there is no pack `{pack}`"))
        .hint(hint.unwrap_or_else(|| "name the directory that holds it with `--packs DIR`".to_owned()))
}

/// The same of a daemon.
pub(crate) async fn check_there(remote: &Remote, pack: &str) -> Result<(), CliError> {
    let packs = list::there(remote).await?;
    let found = packs.iter().find(|one| one.reference == pack);
    match found {
        Some(one) if one.version.is_some() => Ok(()),
        Some(one) => Err(not_loaded(pack, one.mistakes)),
        None => Err(unknown_there(pack, &packs)),
    }
}

fn unknown_there(pack: &str, packs: &[list::Line]) -> CliError {
    let known = packs.iter().filter(|one| one.version.is_some()).map(|one| one.reference.as_str());
    let hint = suggest::hint(pack, known, "installed are");
    CliError::new(Exit::NotFound, code::PACK_UNKNOWN_PACK, format!("there is no pack `{pack}`")).maybe_hint(hint)
}

fn is_called(broken: &runner_pack::Broken, pack: &str) -> bool {
    broken.reference.as_ref().is_some_and(|reference| reference.as_str() == pack)
        || broken.directory.file_name().is_some_and(|name| name == pack)
}

/// The directory of a pack, sound or not: of one that is installed, or as a path.
fn directory(app: &App, pack: &str) -> Result<PathBuf, CliError> {
    let path = PathBuf::from(pack);
    let looks_like_a_path = pack.contains(['/', '\\']) || pack.starts_with('.');
    if looks_like_a_path {
        if path.is_dir() {
            return Ok(path);
        }
        let message = format!("there is no directory `{pack}`");
        return Err(CliError::new(Exit::NotFound, code::PACK_UNKNOWN_PACK, message));
    }
    let installed = app.config.packs.iter().map(|dir| dir.join(pack)).find(|dir| dir.is_dir());
    let with_manifest = || path.join("pack.yaml").is_file().then(|| path.clone());
    installed.or_else(with_manifest).ok_or_else(|| unknown(app, pack))
}
