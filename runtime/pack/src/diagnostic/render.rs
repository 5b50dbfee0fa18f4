//! Diagnostics as people read them: drawn with the source on a terminal, plain lines in a pipe.

use std::fmt::{self, Write as _};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::{Diagnostic, Report, Severity};

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let length = self.marked_bytes();
        Some(Box::new(std::iter::once(LabeledSpan::new(None, self.span.start, length))))
    }
}

impl Diagnostic {
    /// How much to underline: what is meant, but not over the end of the line it begins on.
    fn marked_bytes(&self) -> usize {
        let text = self.source.as_ref().map_or("", |source| source.inner().as_str());
        let marked = text.get(self.span.start..self.span.end).unwrap_or_default();
        let line = marked.lines().next().unwrap_or_default();
        line.trim_end().len().max(usize::from(self.span.start < text.len()))
    }

    /// `path:line:column: error[code]: message`, then the line and the hint, each indented.
    #[must_use]
    pub fn plain(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut text = self.shown_path();
        if self.placed {
            let _ = write!(text, ":{}:{}", self.line, self.column);
        }
        let _ = writeln!(text, ": {severity}[{}]: {}", self.code, self.message);
        if let Some(excerpt) = self.excerpt.as_ref().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(text, "    | {}", excerpt.trim_end());
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "    = hint: {hint}");
        }
        text
    }

    /// Drawn with the lines around it, `width` columns wide.
    #[must_use]
    pub fn graphical(&self, width: usize, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler =
            GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false).without_syntax_highlighting();
        let mut text = String::new();
        if self.source.is_none() {
            // Without a source, because none may be shown or its lines are too long, the drawing would not say which file is meant.
            let place = if self.placed { format!(":{}:{}", self.line, self.column) } else { String::new() };
            let _ = writeln!(text, "{}{place}", self.shown_path());
            if let Some(excerpt) = &self.excerpt {
                let _ = writeln!(text, "    | {excerpt}");
            }
        }
        match handler.render_report(&mut text, self) {
            Ok(()) => text,
            Err(_) => self.plain(),
        }
    }
}

impl Report {
    /// Plain lines, for pipes and files.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut text: String = self.diagnostics.iter().map(Diagnostic::plain).collect();
        text.push_str(&self.more());
        text
    }

    /// Drawn with the source, for terminals.
    #[must_use]
    pub fn graphical(&self, width: usize, color: bool) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&diagnostic.graphical(width, color));
            text.push('\n');
        }
        text.push_str(&self.more());
        text
    }

    fn more(&self) -> String {
        if self.omitted == 0 { String::new() } else { format!("and {} more\n", self.omitted) }
    }
}
