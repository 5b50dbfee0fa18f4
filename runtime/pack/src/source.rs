//! The text of one file, and where in it something is.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::NamedSource;

/// A range of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end: if end < start { start } else { end } }
    }
}

/// A place in a text, as editors count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// The text of one file.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// The text as it may be printed; none if nothing of it may be shown, because it holds secrets.
    shown: Option<Arc<NamedSource<String>>>,
}

impl Source {
    pub(crate) fn new(path: PathBuf, text: String) -> Self {
        let shown = NamedSource::new(printable(&path.to_string_lossy()).replace('\n', " "), printable(&text));
        Self { shown: Some(Arc::new(shown)), ..Self::confidential(path, text) }
    }

    /// A text that no diagnostic quotes.
    pub(crate) fn confidential(path: PathBuf, text: String) -> Self {
        // The byte order mark is no part of the text; it would shift the first line by a column.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path, text, lines, shown: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    pub(crate) fn shown(&self) -> Option<&Arc<NamedSource<String>>> {
        self.shown.as_ref()
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    /// The line of a position, without its end, fit to be printed; none if the text may not be shown. Of a long line only
    /// what is around the position.
    pub(crate) fn excerpt(&self, position: Position) -> Option<String> {
        /// What a reader needs to recognise a line, and what of it stands before the position.
        const EXCERPT_CHARS_MAX: usize = 200;
        const BEFORE_CHARS_MAX: usize = 60;
        self.shown.as_ref()?;
        let line = self.line(position.line);
        let skipped = match line.chars().count() {
            length if length <= EXCERPT_CHARS_MAX => 0,
            _ => position.column.saturating_sub(BEFORE_CHARS_MAX),
        };
        let cut: String = line.chars().skip(skipped).take(EXCERPT_CHARS_MAX).collect();
        let dots = if skipped > 0 { "…" } else { "" };
        Some(format!("{dots}{}", printable(&cut)))
    }

    /// A line, counted from 1, without its end; empty if there is none.
    fn line(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|index| self.lines.get(index)).copied();
        let rest = start.and_then(|start| self.text.get(start..)).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }

    /// Whether a line and its neighbours are short enough to be drawn.
    pub(crate) fn is_drawable(&self, line: usize) -> bool {
        /// Beyond this a drawing helps nobody, and miette panics at columns over 65,535.
        const DRAWN_BYTES_MAX: usize = 1000;
        (line.saturating_sub(2)..=line + 2).all(|line| self.line(line).len() <= DRAWN_BYTES_MAX)
    }
}

/// The text without characters that would steer a terminal, each replaced by one of the same length in bytes, so that
/// positions stay right.
pub(crate) fn printable(text: &str) -> String {
    let printable = |c: char| match c {
        '\n' | '\t' | '\r' => c,
        // Controls of one byte, and of two; then the marks that turn the direction of writing, of three.
        c if c.is_control() && c.len_utf8() == 1 => '?',
        c if c.is_control() => '¿',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(printable).collect()
}

/// Why a file has no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("the file is larger than {max} bytes")]
    Large { max: usize },
    #[error("the file is not UTF-8: byte {offset} cannot be read as text")]
    Encoding { offset: usize },
}

/// Reads a text file; no more than `max` bytes are ever held.
pub(crate) fn read(path: &Path, max: usize) -> Result<String, ReadError> {
    let file = File::open(path)?;
    // A directory opens like a file, and a device or pipe might never end.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file").into());
    }
    // One byte more than it should have: then its end is seen without another allocation.
    let expected = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(max).saturating_add(1);
    let mut bytes = Vec::with_capacity(expected);
    file.take(u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Err(ReadError::Large { max });
    }
    String::from_utf8(bytes).map_err(|error| ReadError::Encoding { offset: error.utf8_error().valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("x.yaml".into(), "\u{feff}ä: 1\r\nb: ü\n".to_owned());
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(2), Position { line: 1, column: 2 });
        assert_eq!(source.position(source.text().find('ü').unwrap()), Position { line: 2, column: 4 });
        assert_eq!(source.position(9999), Position { line: 3, column: 1 });
        assert_eq!(source.excerpt(source.position(0)).as_deref(), Some("ä: 1"));
    }

    #[test]
    fn what_is_printed_cannot_steer_a_terminal() {
        let hostile = "a\u{1b}[2Jb\u{9b}c\u{202e}d";
        assert_eq!(printable(hostile), "a?[2Jb¿c\u{fffd}d");
        assert_eq!(printable(hostile).len(), hostile.len());
    }

    #[test]
    fn a_confidential_text_is_not_quoted() {
        let source = Source::confidential("x.yaml".into(), "password: hunter2\n".to_owned());
        assert_eq!(source.excerpt(source.position(0)), None);
        assert!(source.shown().is_none());
    }
}
