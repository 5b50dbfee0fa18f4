//! What is wrong with a pack, and where.

mod render;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::NamedSource;
use runner_model::{Code, limits};
use serde::{Serialize, Serializer};

use crate::source::{Source, Span, printable};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The pack cannot be used.
    Error,
    /// The pack can be used, but probably does not do what was meant.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnostic {
    /// What kind of mistake.
    #[serde(serialize_with = "code_id")]
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The file or directory that is wrong.
    pub path: PathBuf,
    /// Where it begins: the line, from 1.
    pub line: usize,
    /// Where it begins: the column, from 1, in characters.
    pub column: usize,
    /// Where it ends: the line, from 1.
    pub end_line: usize,
    /// Where it ends: the column after the last character, from 1.
    pub end_column: usize,
    /// A lowercase sentence.
    pub message: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line itself, cut if it is long; none if the whole file is meant, or may not be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Whether a place in the file is meant, or the file as a whole.
    #[serde(skip)]
    placed: bool,
    #[serde(skip)]
    span: Span,
    #[serde(skip)]
    source: Option<Arc<NamedSource<String>>>,
}

fn code_id<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.id())
}

impl Diagnostic {
    fn new(path: &Path, mistake: Mistake) -> Self {
        Self {
            code: mistake.code,
            severity: mistake.severity,
            path: path.to_owned(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            // A message quotes what an untrusted file says.
            message: one_line(&mistake.message),
            hint: mistake.hint.as_deref().map(one_line),
            excerpt: None,
            placed: false,
            span: Span::default(),
            source: None,
        }
    }

    fn at(source: &Source, mistake: Mistake) -> Self {
        let span = mistake.span;
        let (start, end) = (source.position(span.start), source.position(span.end));
        Self {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            excerpt: source.excerpt(start.line),
            placed: true,
            span,
            source: source.shown().cloned(),
            ..Self::new(source.path(), mistake)
        }
    }

    /// Whether the pack cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

fn one_line(text: &str) -> String {
    /// A quoted value can be as long as a file.
    const MESSAGE_CHARS_MAX: usize = 600;
    let flat = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut cut: String = flat.take(MESSAGE_CHARS_MAX).collect();
    if cut.len() < text.len() && text.chars().count() > MESSAGE_CHARS_MAX {
        cut.push('…');
    }
    printable(&cut)
}

/// Everything that was found, in the order of files and lines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The mistakes, at most [`limits::DIAGNOSTICS_MAX`] for each pack.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there are.
    pub omitted: usize,
}

impl Report {
    /// The mistakes of one pack, sorted and cut.
    pub(crate) fn of_pack(mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.path.clone(), d.placed, d.line, d.column, d.severity);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        diagnostics.dedup_by(|a, b| {
            (a.code, a.line, a.column, &a.path, &a.message) == (b.code, b.line, b.column, &b.path, &b.message)
        });
        let omitted = diagnostics.len().saturating_sub(limits::DIAGNOSTICS_MAX);
        // Errors are kept before warnings.
        if omitted > 0 {
            diagnostics.sort_by_key(|d| d.severity);
            diagnostics.truncate(limits::DIAGNOSTICS_MAX);
        }
        Self { diagnostics, omitted }
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.omitted += other.omitted;
    }

    /// Whether something cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.omitted > 0 || self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// How many mistakes make something unusable (those that were cut included).
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.is_error()).count() + self.omitted
    }

    /// How many things are only doubtful.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.diagnostics.iter().filter(|d| !d.is_error()).count()
    }
}

/// A mistake on its way into a file's list: what, where, and what to write instead.
#[derive(Debug)]
pub(crate) struct Mistake {
    code: Code,
    severity: Severity,
    span: Span,
    message: String,
    hint: Option<String>,
}

impl Mistake {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, span, message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// Collects the mistakes of one pack while its files are read.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Vec<Diagnostic>>);

impl Findings {
    /// About a file or directory as a whole; the mistake's span is ignored.
    pub(crate) fn about(&self, path: &Path, mistake: Mistake) {
        self.0.borrow_mut().push(Diagnostic::new(path, mistake));
    }

    /// At a place in a file.
    pub(crate) fn at(&self, source: &Source, mistake: Mistake) {
        self.0.borrow_mut().push(Diagnostic::at(source, mistake));
    }

    pub(crate) fn errors(&self) -> usize {
        self.0.borrow().iter().filter(|d| d.is_error()).count()
    }

    pub(crate) fn take(&self) -> Vec<Diagnostic> {
        self.0.take()
    }
}

/// A file that is being read, and where its mistakes go.
#[derive(Debug, Clone)]
pub(crate) struct Document<'a> {
    pub(crate) source: Arc<Source>,
    pub(crate) findings: &'a Findings,
}

impl Document<'_> {
    pub(crate) fn add(&self, mistake: Mistake) {
        self.findings.at(&self.source, mistake);
    }
}
