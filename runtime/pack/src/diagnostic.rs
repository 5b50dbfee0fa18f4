//! What is wrong with a pack, and where.

mod render;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::NamedSource;
use runner_model::{Code, limits};
use serde::{Serialize, Serializer};

use crate::Category;
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
    #[serde(serialize_with = "lossy")]
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

/// A path that is not UTF-8 is no reason for a report to have no JSON.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl Diagnostic {
    fn new(path: &Path, mistake: &Mistake) -> Self {
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

    fn at(source: &Source, mistake: &Mistake) -> Self {
        let span = mistake.span;
        let (start, end) = (source.position(span.start), source.position(span.end));
        Self {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            excerpt: source.excerpt(start),
            placed: true,
            span,
            source: source.shown().filter(|_| source.is_drawable(start.line)).cloned(),
            ..Self::new(source.path(), mistake)
        }
    }

    /// The path, fit to be printed: the name of a file is as untrusted as its content.
    fn shown_path(&self) -> String {
        one_line(&self.path.to_string_lossy())
    }

    /// Whether the pack cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// What it is about, if it is a mistake in a workflow.
    #[must_use]
    pub fn category(&self) -> Category {
        Category::of(self.code)
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
    fn of_pack(mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by(|a, b| {
            let place = |d: &Diagnostic| (d.placed, d.line, d.column, d.severity);
            a.path.cmp(&b.path).then_with(|| place(a).cmp(&place(b))).then_with(|| a.message.cmp(&b.message))
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

    /// The same of files whose directory is nobody's business: their paths from below it, and nothing drawn, which would name
    /// it.
    pub(crate) fn below(mut self, directory: &Path) -> Self {
        let prefix = format!("{}/", directory.display());
        for diagnostic in &mut self.diagnostics {
            if let Ok(path) = diagnostic.path.strip_prefix(directory) {
                diagnostic.path = path.to_owned();
            }
            diagnostic.message = diagnostic.message.replace(&prefix, "");
            diagnostic.source = None;
        }
        self
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

/// Mistakes of one pack that are worked out in full, errors and warnings each: enough to choose those that are reported.
/// The others are only counted, so that a hostile file costs no more than a bad one.
const WORKED_OUT_MAX: usize = 5 * limits::DIAGNOSTICS_MAX;

/// Collects the mistakes of one pack while its files are read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: RefCell<Vec<Diagnostic>>,
    errors: Cell<usize>,
    /// Those of the errors that are not about the text of an expression.
    errors_in_shape: Cell<usize>,
    warnings: Cell<usize>,
}

impl Findings {
    /// About a file or directory as a whole; the mistake's span is ignored.
    #[allow(clippy::needless_pass_by_value, reason = "a mistake is made for this call")]
    pub(crate) fn about(&self, path: &Path, mistake: Mistake) {
        if self.count(&mistake) {
            self.list.borrow_mut().push(Diagnostic::new(path, &mistake));
        }
    }

    /// At a place in a file.
    #[allow(clippy::needless_pass_by_value, reason = "a mistake is made for this call")]
    pub(crate) fn at(&self, source: &Source, mistake: Mistake) {
        if self.count(&mistake) {
            self.list.borrow_mut().push(Diagnostic::at(source, &mistake));
        }
    }

    /// Counts a mistake and says whether it is to be worked out.
    fn count(&self, mistake: &Mistake) -> bool {
        let counter = match mistake.severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        };
        counter.set(counter.get() + 1);
        if mistake.severity == Severity::Error && Category::of(mistake.code) != Category::Expressions {
            self.errors_in_shape.set(self.errors_in_shape.get() + 1);
        }
        counter.get() <= WORKED_OUT_MAX
    }

    /// Whether a further error is only counted: then its place and its hint need not be searched for.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.get() >= WORKED_OUT_MAX
    }

    pub(crate) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// Errors other than those in the text of an expression: only they hide keys and names from what is checked later.
    pub(crate) fn errors_in_shape(&self) -> usize {
        self.errors_in_shape.get()
    }

    /// The files with errors; none if not every error is known.
    pub(crate) fn files_with_errors(&self) -> Option<BTreeSet<PathBuf>> {
        let list = self.list.borrow();
        let errors = list.iter().filter(|diagnostic| diagnostic.is_error());
        (self.errors.get() <= WORKED_OUT_MAX).then(|| errors.map(|diagnostic| diagnostic.path.clone()).collect())
    }

    /// What was found in one file, sorted and cut to what is reported.
    pub(crate) fn report_of(&self, path: &Path) -> Report {
        Report::of_pack(self.list.borrow().iter().filter(|diagnostic| diagnostic.path == path).cloned().collect())
    }

    /// Everything that was found, sorted and cut to what is reported.
    pub(crate) fn report(&self) -> Report {
        let diagnostics = self.list.take();
        let counted = self.errors.get() + self.warnings.get().min(WORKED_OUT_MAX);
        let uncounted = counted.saturating_sub(diagnostics.len());
        let mut report = Report::of_pack(diagnostics);
        report.omitted += uncounted;
        report
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
