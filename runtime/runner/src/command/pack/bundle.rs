//! `runner pack pack`: the archive of a pack, as `runner pack install` takes it.

use std::path::PathBuf;

use clap::Args;
use runner_model::code;
use runner_pack::{Library, bundle};
use serde_json::json;

use super::install::failed;
use super::{check, directory};
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{count, shell_word};

/// Make the archive of a pack, to be installed elsewhere
///
/// The same files make the same archive, on every machine. Hidden files are left out, and what compilers keep.
#[derive(Debug, Args)]
pub(crate) struct BundleCommand {
    /// Its ref, or its directory
    #[arg(value_name = "PACK")]
    pack: String,
    /// Where it goes [default: REF-VERSION.tar.gz]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BundleCommand {
    /// Makes it.
    pub(crate) fn run(&self, app: &App) -> Result<Exit, CliError> {
        let directory = directory(app, &self.pack)?;
        let others: &Library = &app.library().0;
        let (pack, report) = runner_pack::check(&directory, others);
        let Some(pack) = pack else {
            if !app.output.json {
                check::show(app, 1, &report);
            }
            let message = format!("the pack has {}, and nobody could install it", count(report.errors(), "mistake"));
            let error = CliError::new(Exit::Invalid, code::PACK_NOT_LOADED, message);
            return Err(error.hint(format!("see them with `runner pack check {}`", shell_word(&self.pack))));
        };
        let archive = bundle(&pack).map_err(failed)?;
        let (reference, version) = (pack.reference(), &pack.manifest.version);
        let path = self.output.clone().unwrap_or_else(|| PathBuf::from(format!("{reference}-{version}.tar.gz")));
        std::fs::write(&path, &archive).map_err(|error| {
            let message = format!("the archive cannot be written to `{}`: {error}", path.display());
            CliError::new(Exit::Broken, code::PACK_UNREADABLE, message)
        })?;
        let sha256: String = runner_pack::sum(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
        if app.output.json {
            let bytes = archive.len();
            app.output.value(&json!({ "ref": reference, "file": path, "bytes": bytes, "sha256": sha256 }));
        } else {
            let file = shell_word(&path.display().to_string());
            app.output.line(format!("{sha256}  {file}"));
            app.output.note(format!("install it elsewhere: runner pack install {file} --sha256 {sha256}"));
        }
        Ok(Exit::Succeeded)
    }
}
