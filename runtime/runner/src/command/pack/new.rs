//! `runner pack new`: a pack to begin with.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use runner_model::{PackRef, code};
use serde_json::json;

use crate::app::App;
use crate::embedded::{SDK, TEMPLATE};
use crate::error::CliError;
use crate::exit::Exit;

/// Make a pack with one action, to begin with
#[derive(Debug, Args)]
pub(crate) struct NewCommand {
    /// The pack's ref: lowercase letters, digits and `_`
    #[arg(value_name = "REF")]
    pack: String,
    /// The directory to make it in [default: the first directory of packs]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Where the SDK goes in a pack that is made where there is no checkout of runner.
const VENDOR: &str = "vendor";

impl NewCommand {
    /// Makes it.
    pub(crate) fn run(&self, app: &App) -> Result<Exit, CliError> {
        let reference = PackRef::new(&self.pack).map_err(|error| {
            CliError::new(Exit::Usage, code::PACK_BAD_VALUE, error.to_string()).hint("for example `my_pack`")
        })?;
        let first = || app.config.packs.first().cloned().unwrap_or_else(|| PathBuf::from("packs"));
        let parent = self.dir.clone().unwrap_or_else(first);
        let pack = parent.join(reference.as_str());
        if pack.exists() {
            let message = format!("`{}` exists already", pack.display());
            return Err(CliError::new(Exit::Usage, code::CLI_EXISTS, message).hint("choose another name or `--dir`"));
        }
        write(&pack, &parent, &reference).map_err(|error| {
            let message = format!("the pack cannot be written to `{}`: {error}", pack.display());
            CliError::new(Exit::Broken, code::PACK_UNREADABLE, message)
        })?;
        self.announce(app, &pack, &reference);
        Ok(Exit::Succeeded)
    }

    fn announce(&self, app: &App, pack: &Path, reference: &PackRef) {
        if app.output.json {
            return app.output.value(&json!({ "ref": reference, "directory": pack }));
        }
        app.output.line(format!(
            "made the pack `{reference}` in `{}`\n\nNext:\n  runner pack build {reference}\n  runner exec {reference}.hello name=Ada",
            pack.display()
        ));
    }
}

fn write(pack: &Path, parent: &Path, reference: &PackRef) -> io::Result<()> {
    let sdk = match sdk_beside(parent) {
        Some(sdk) => sdk,
        None => {
            write_all(&pack.join(VENDOR), SDK.iter().map(|(path, text)| (*path, (*text).to_owned())))?;
            format!("{VENDOR}/sdk/rust")
        }
    };
    let fill = |text: &str| text.replace("{{ref}}", reference.as_str()).replace("{{sdk_path}}", &sdk);
    write_all(pack, TEMPLATE.iter().map(|(path, text)| (*path, fill(text))))
}

/// The way from a pack to the SDK of the checkout that the packs directory is in.
fn sdk_beside(parent: &Path) -> Option<String> {
    let root = parent.canonicalize().ok()?.parent()?.to_owned();
    root.join("sdk/rust/Cargo.toml").is_file().then(|| "../../sdk/rust".to_owned())
}

fn write_all<'a>(directory: &Path, files: impl Iterator<Item = (&'a str, String)>) -> io::Result<()> {
    for (path, text) in files {
        // Cargo would take a template's own manifest for a package, so it has another name here.
        let path = directory.join(path.strip_suffix(".template").unwrap_or(path));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}
