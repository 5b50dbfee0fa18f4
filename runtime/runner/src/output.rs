//! What is written where: results to standard output, everything else to standard error.
//!
//! A terminal gets colours and drawings, a pipe plain stable lines, `--json` one JSON document.

mod logs;
mod table;
mod text;

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;
use console::{Style, StyledObject};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::GlobalArgs;
use crate::config::Environment;
use crate::error::{CliError, Mistake};
use crate::exit::Exit;
pub(crate) use logs::{above_progress, start as start_logs};
pub(crate) use table::table;
pub(crate) use text::{count, elapsed, one_line, printable, shell_word};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Whether to write JSON.
    pub(crate) json: bool,
    /// Whether to show results and errors only.
    pub(crate) quiet: bool,
    /// Whether standard output is a terminal.
    pub(crate) terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) error_terminal: bool,
    color: bool,
    error_color: bool,
}

impl Output {
    /// As the user wants it and the terminal can do it.
    pub(crate) fn new(global: &GlobalArgs, environment: &Environment) -> Self {
        let (terminal, error_terminal) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let color = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org: any value that is not empty.
            Color::Auto => terminal && environment.get("NO_COLOR").is_none(),
        };
        let output = Self {
            json: global.json,
            quiet: global.quiet,
            terminal,
            error_terminal,
            color: color(terminal),
            error_color: color(error_terminal),
        };
        console::set_colors_enabled(output.color);
        console::set_colors_enabled_stderr(output.error_color);
        output
    }

    /// Nothing but JSON: for when not even the command line is understood.
    pub(crate) const fn json() -> Self {
        Self { json: true, quiet: false, terminal: false, error_terminal: false, color: false, error_color: false }
    }

    /// Whether standard output gets colours.
    pub(crate) const fn color(&self) -> bool {
        self.color
    }

    /// The width to draw for, in columns.
    pub(crate) fn width(&self) -> usize {
        /// What a pipe and an old terminal have.
        const WIDTH: usize = 80;
        console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns)).max(40)
    }

    /// Writes a line to standard output. Whoever closed it does not want more: that is no error.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush());
    }

    /// Writes a value as JSON to standard output.
    pub(crate) fn value(&self, value: &impl Serialize) {
        // Every value here is made of maps with text keys.
        self.line(serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Writes a line to standard error.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
    }

    /// A doubt: to standard error.
    pub(crate) fn warn(&self, mistake: &Mistake) {
        let label = self.error_style(Style::new().yellow().bold(), format!("warning[{}]", mistake.code));
        self.note(self.drawn(&label.to_string(), mistake));
    }

    /// Text for standard error in a style.
    pub(crate) fn error_style<D>(&self, style: Style, text: D) -> StyledObject<D> {
        style.for_stderr().apply_to(text)
    }

    /// Writes why a command failed; gives the status to end with.
    pub(crate) fn report(&self, error: &CliError) -> Exit {
        if self.json {
            self.note(serde_json::to_string_pretty(&error_json(&error.mistakes)).unwrap_or_default());
            return error.exit;
        }
        for mistake in &error.mistakes {
            let label = self.error_style(Style::new().red().bold(), format!("error[{}]", mistake.code));
            self.note(self.drawn(&label.to_string(), mistake));
        }
        error.exit
    }

    fn drawn(&self, label: &str, mistake: &Mistake) -> String {
        let mut text = format!("{label}: {}", printable(&mistake.message));
        for cause in &mistake.causes {
            text.push_str(&format!("\n  caused by: {}", printable(cause)));
        }
        if let Some(details) = &mistake.details {
            text.push_str(&format!("\n  details: {}", one_line(&details.to_string(), 400)));
        }
        if let Some(hint) = &mistake.hint {
            let word = self.error_style(Style::new().cyan(), "hint");
            text.push_str(&format!("\n  {word}: {}", printable(hint)));
        }
        text
    }
}

/// `{error: …}`, and all of them under `errors` if there are several.
fn error_json(mistakes: &[Mistake]) -> Value {
    let mut document = json!({ "error": mistakes.first() });
    if let (true, Some(map)) = (mistakes.len() > 1, document.as_object_mut()) {
        map.insert("errors".to_owned(), json!(mistakes));
    }
    document
}
