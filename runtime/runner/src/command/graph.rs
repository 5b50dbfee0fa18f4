//! `runner graph`: a workflow as a picture, with the states of a run if one is named.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use runner_graph::{Direction, Graph, SvgOptions, Theme};
use runner_model::{ExecutionRecord, ExecutionView, code};
use runner_pack::Action;

use super::exec::find;
use super::execution::{identify, not_found};
use crate::app::App;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::records::{Records, at};
use crate::remote::Remote;

/// Draw a workflow: as SVG, Mermaid or DOT
///
/// With `--execution`, as one of its runs left it: what ran, how it ended, which ways were taken.
#[derive(Debug, Args)]
pub(crate) struct GraphCommand {
    /// What to draw: `pack.workflow`; with `--execution` it may be left out
    #[arg(required_unless_present = "execution")]
    workflow: Option<String>,
    /// Draw the states of this run: its id, the beginning of it, or `last`
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
    /// The form; by default that of the file's extension, otherwise svg
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Colours of the SVG: as the viewer prefers, light, or dark
    #[arg(long, value_enum, default_value_t = Colours::Auto)]
    theme: Colours,
    /// Which way the SVG reads
    #[arg(long, value_enum, default_value_t = Way::Down)]
    direction: Way,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Svg,
    Mermaid,
    Dot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colours {
    Auto,
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Down,
    Right,
}

impl GraphCommand {
    /// Draws it.
    pub(crate) async fn run(&self, app: &App) -> Result<Exit, CliError> {
        if let Some(remote) = &app.remote {
            self.write(app, &self.drawn_there(remote).await?)?;
            return Ok(Exit::Succeeded);
        }
        let view = match &self.execution {
            Some(id) => Some(self.view(app, id).await?),
            None => None,
        };
        let name = match (&self.workflow, &view) {
            (Some(name), _) => name.clone(),
            (None, Some(view)) => view.record.action.to_string(),
            (None, None) => String::new(),
        };
        let action = find(app, &name)?;
        if let Some(view) = &view {
            check(app, &action, view)?;
        }
        let graph = Graph::of(&action.plan(), action.reference.as_str());
        let graph = match &view {
            Some(view) => graph.with_execution(view),
            None => graph,
        };
        self.write(app, &self.drawn(&graph))?;
        Ok(Exit::Succeeded)
    }

    async fn view(&self, app: &App, id: &str) -> Result<ExecutionView, CliError> {
        let Some(store) = app.existing_store().await? else { return Err(not_found(id)) };
        let records: &dyn Records = &store;
        records.view(identify(records, id).await?).await
    }

    /// The picture as a daemon draws it.
    async fn drawn_there(&self, remote: &Remote) -> Result<String, CliError> {
        let usage = |message: &str, hint: &str| CliError::new(Exit::Usage, code::CLI_USAGE, message).hint(hint);
        let Some(id) = &self.execution else {
            let hint = "name a run of it with `--execution ID`, or the directory of its pack here with `--packs DIR`";
            return Err(usage("with `--url` a run is drawn, not a workflow by itself", hint));
        };
        if self.format.unwrap_or_else(|| by_extension(self.output.as_deref())) != Format::Svg {
            return Err(usage("with `--url` the picture is an SVG", "leave `--format` out"));
        }
        let records: &dyn Records = remote;
        let id = identify(records, id).await?;
        if let Some(name) = &self.workflow {
            let record = records.get(id).await?;
            if record.action.as_str() != name {
                return Err(other_workflow(&record, name));
            }
        }
        let word = |value: Option<clap::builder::PossibleValue>| {
            value.map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let query =
            [("theme", word(self.theme.to_possible_value())), ("direction", word(self.direction.to_possible_value()))];
        remote.text(&at(id, "/graph.svg"), &query).await
    }

    fn drawn(&self, graph: &Graph) -> String {
        let theme = match self.theme {
            Colours::Auto => Theme::Auto,
            Colours::Light => Theme::Light,
            Colours::Dark => Theme::Dark,
        };
        let direction = match self.direction {
            Way::Down => Direction::Down,
            Way::Right => Direction::Right,
        };
        match self.format.unwrap_or_else(|| by_extension(self.output.as_deref())) {
            Format::Svg => graph.to_svg(&SvgOptions { theme, direction, ..SvgOptions::default() }),
            Format::Mermaid => graph.to_mermaid(),
            Format::Dot => graph.to_dot(),
        }
    }

    fn write(&self, app: &App, picture: &str) -> Result<(), CliError> {
        let Some(path) = &self.output else {
            app.output.line(picture.trim_end());
            return Ok(());
        };
        std::fs::write(path, picture).map_err(|error| {
            let message = format!("`{}` cannot be written: {error}", path.display());
            CliError::new(Exit::Usage, code::CLI_USAGE, message).hint("name another file with `--output FILE`")
        })
    }
}

/// The form that a file's extension means.
fn by_extension(path: Option<&Path>) -> Format {
    match path.and_then(Path::extension).and_then(|extension| extension.to_str()) {
        Some("mmd" | "mermaid") => Format::Mermaid,
        Some("dot" | "gv") => Format::Dot,
        _ => Format::Svg,
    }
}

/// Whether the run is one of this workflow, as it is now.
fn check(app: &App, action: &Action, view: &ExecutionView) -> Result<(), CliError> {
    if view.record.action != action.reference {
        return Err(other_workflow(&view.record, action.reference.as_str()));
    }
    let (library, _) = app.library();
    let version = library.action(&action.reference).map(|(pack, _)| pack.manifest.version.to_string());
    if version.as_ref().is_some_and(|version| *version != view.pack_version) {
        let message = format!("it ran on version {} of the pack: what is drawn is the present one", view.pack_version);
        app.output.warn(&Mistake::new(code::EXEC_JOURNAL, message));
    }
    Ok(())
}

fn other_workflow(record: &ExecutionRecord, name: &str) -> CliError {
    let message = format!("the execution {} ran `{}`", record.id, record.action);
    let hint = format!("leave out `{name}`, or name one of its runs");
    CliError::new(Exit::Usage, code::CLI_USAGE, message).hint(hint)
}
