//! The action that a name means, or why there is none.

use std::sync::Arc;

use runner_model::{ActionRef, code};
use runner_pack::Action;

use super::reference;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::count;

/// The action with this name.
pub(crate) fn find(app: &App, name: &str) -> Result<Arc<Action>, CliError> {
    let action = reference(app, name)?;
    let (library, _) = app.library();
    if let Some((_, found)) = library.action(&action) {
        return Ok(found.clone());
    }
    let is_meant = |broken: &&runner_pack::Broken| {
        let directory = broken.directory.file_name().is_some_and(|name| name == action.pack());
        directory || broken.reference.as_ref().is_some_and(|reference| reference.as_str() == action.pack())
    };
    match library.broken().iter().find(is_meant) {
        Some(broken) => Err(not_loaded(action.pack(), broken.mistakes)),
        None => Err(unknown(app, &action)),
    }
}

/// The pack is there, but has mistakes.
pub(crate) fn not_loaded(pack: &str, mistakes: usize) -> CliError {
    let message = format!("the pack `{pack}` has {} and cannot be used", count(mistakes, "mistake"));
    CliError::new(Exit::Invalid, code::PACK_NOT_LOADED, message)
        .hint(format!("see them with `runner pack check {pack}`"))
}

fn unknown(app: &App, action: &ActionRef) -> CliError {
    let (library, _) = app.library();
    let dirs: Vec<_> = app.config.packs.iter().map(|dir| format!("`{}`", dir.display())).collect();
    let hint = match library.suggest(action.as_str()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if library.packs().next().is_none() => {
            format!("there are no packs in {}: name another directory with `--packs DIR`", dirs.join(", "))
        }
        None => "see `runner action list`".to_owned(),
    };
    let message = format!("there is no action `{action}`");
    CliError::new(Exit::NotFound, code::EXEC_UNKNOWN_ACTION, message).hint(hint)
}
