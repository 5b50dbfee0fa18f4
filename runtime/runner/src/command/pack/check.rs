//! `runner pack check`: every mistake, at its line.

use std::path::PathBuf;

use runner_pack::Report;
use serde_json::json;

use super::directory;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::count;

/// Checks the named packs, or all that are installed.
pub(crate) fn run(app: &App, packs: &[String]) -> Result<Exit, CliError> {
    let (checked, report) = if packs.is_empty() {
        let (library, report) = app.library();
        (library.packs().count() + library.broken().len(), report.clone())
    } else {
        let directories: Vec<PathBuf> = packs.iter().map(|pack| directory(app, pack)).collect::<Result<_, _>>()?;
        let (library, _) = app.library();
        let mut report = Report::default();
        for directory in &directories {
            let (_, found) = runner_pack::check(directory, library);
            report.omitted += found.omitted;
            report.diagnostics.extend(found.diagnostics);
        }
        (directories.len(), report)
    };
    show(app, checked, &report);
    Ok(if report.has_errors() { Exit::Invalid } else { Exit::Succeeded })
}

/// Shows what was found: the mistakes and how many there are.
pub(crate) fn show(app: &App, checked: usize, report: &Report) {
    let (errors, warnings) = (report.errors(), report.warnings());
    if app.output.json {
        app.output.value(&json!({
            "packs": checked, "errors": errors, "warnings": warnings,
            "diagnostics": report.diagnostics, "omitted": report.omitted,
        }));
        return;
    }
    let drawn =
        if app.output.terminal { report.graphical(app.output.width(), app.output.color()) } else { report.plain() };
    if !drawn.is_empty() {
        app.output.line(drawn.trim_end());
    }
    let found = format!("{}, {}", count(errors, "mistake"), count(warnings, "warning"));
    app.output.note(format!("{} checked: {found}", count(checked, "pack")));
}
