//! Which rehearsals are meant: those of packs, of directories, of files.

use std::path::{Path, PathBuf};

use runner_model::code;
use runner_pack::{Pack, rehearsal_files};

use crate::app::App;
use crate::command::pack::unknown;
use crate::error::CliError;
use crate::exit::Exit;

const MANIFEST: &str = "pack.yaml";

/// What was chosen.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// The packs directories: those of the packs that are rehearsed go before those that are configured.
    pub(super) dirs: Vec<PathBuf>,
    /// The files of rehearsals.
    pub(super) files: Vec<PathBuf>,
    /// The packs all of whose rehearsals are run.
    packs: Vec<PathBuf>,
}

impl Chosen {
    /// Finds what is meant by these names and paths; by none, all packs that are installed.
    pub(super) fn find(app: &App, names: &[String]) -> Result<Self, CliError> {
        let mut chosen = Self::default();
        for name in names {
            chosen.add(app, name)?;
        }
        let configured = app.config.packs.iter().filter(|dir| app.config.packs_named || dir.is_dir());
        if names.is_empty() {
            configured.clone().for_each(|dir| chosen.add_packs(dir));
        }
        for dir in configured {
            chosen.add_dir(dir.clone());
        }
        Ok(chosen)
    }

    /// Whether all rehearsals of a pack are run.
    pub(super) fn has(&self, pack: &Pack) -> bool {
        let directory = same(&pack.directory);
        self.packs.iter().any(|chosen| same(chosen) == directory)
    }

    fn add(&mut self, app: &App, name: &str) -> Result<(), CliError> {
        let path = PathBuf::from(name);
        let looks_like_a_path = name.contains(['/', '\\']) || name.starts_with('.') || path.is_file();
        if !looks_like_a_path
            && let Some(installed) = app.config.packs.iter().map(|dir| dir.join(name)).find(|dir| dir.is_dir())
        {
            self.add_pack(installed);
            return Ok(());
        }
        if path.is_file() {
            self.add_file(path);
        } else if path.join(MANIFEST).is_file() {
            self.add_pack(path);
        } else if path.is_dir() {
            self.add_directory(&path)?;
        } else if looks_like_a_path {
            let message = format!("there is no pack, directory or file `{name}`");
            return Err(CliError::new(Exit::NotFound, code::CLI_NOT_FOUND, message));
        } else {
            return Err(unknown(app, name));
        }
        Ok(())
    }

    /// A directory of packs, or of files of rehearsals.
    fn add_directory(&mut self, dir: &Path) -> Result<(), CliError> {
        let before = (self.packs.len(), self.files.len());
        self.add_packs(dir);
        for file in entries(dir).into_iter().filter(|path| path.is_file() && is_yaml(path)) {
            self.add_file(file);
        }
        if (self.packs.len(), self.files.len()) != before {
            return Ok(());
        }
        let message = format!("there is neither a pack nor a file of rehearsals in `{}`", dir.display());
        let hint = format!("a pack has a `{MANIFEST}`; rehearsals are `.yaml` files in its directory `tests`");
        Err(CliError::new(Exit::NotFound, code::CLI_NOT_FOUND, message).hint(hint))
    }

    fn add_packs(&mut self, dir: &Path) {
        for pack in entries(dir).into_iter().filter(|path| path.join(MANIFEST).is_file()) {
            self.add_pack(pack);
        }
    }

    fn add_pack(&mut self, pack: PathBuf) {
        self.add_dir(above(&pack));
        self.files.extend(rehearsal_files(&pack));
        self.packs.push(pack);
    }

    fn add_file(&mut self, file: PathBuf) {
        let pack = same(&file).ancestors().find(|above| above.join(MANIFEST).is_file()).map(Path::to_owned);
        if let Some(pack) = pack {
            self.add_dir(above(&pack));
        }
        self.files.push(file);
    }

    fn add_dir(&mut self, dir: PathBuf) {
        if self.dirs.iter().all(|known| same(known) != same(&dir)) {
            self.dirs.push(dir);
        }
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// What is in a directory, sorted.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// The directory that a pack is in, in the words in which the pack was named.
fn above(pack: &Path) -> PathBuf {
    match pack.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if pack.file_name().is_some() => parent.to_owned(),
        _ => same(pack).parent().map_or_else(|| PathBuf::from("."), Path::to_owned),
    }
}

/// The one path of a file that may be named by several.
fn same(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
