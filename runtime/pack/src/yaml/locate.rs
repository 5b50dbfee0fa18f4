//! From a place in a scalar's value to the place in the file.
//!
//! Quoting, escapes, folding and indentation only ever add or drop white space and backslash sequences, so the two are
//! walked side by side: every character of the value that is not white space has exactly one origin in the file.

use super::{Kind, Node, Style};
use crate::source::Span;

impl Node {
    /// Where in the file the bytes `offset..offset + length` of a text's value stand; the whole node if it is no text.
    pub(crate) fn locate(&self, file: &str, offset: usize, length: usize) -> Span {
        let Kind::Text(value, style) = &self.kind else { return self.span };
        let start = origin(self.span, *style, file, value, offset);
        if length == 0 {
            return Span::new(start, next_char_end(file, start).min(self.span.end.max(start)));
        }
        // The end is where the last character ends, not where the next one begins (which may be a line later).
        let last =
            value.get(..offset + length).and_then(|text| text.char_indices().next_back()).map_or(offset, |(at, _)| at);
        let end = origin(self.span, *style, file, value, last);
        Span::new(start, next_char_end(file, end))
    }
}

fn next_char_end(file: &str, at: usize) -> usize {
    at + file.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

/// The file offset of the value's character at `offset`; for white space and the end, the place after what is before it.
fn origin(span: Span, style: Style, file: &str, value: &str, offset: usize) -> usize {
    let raw = file.get(span.start..span.end).unwrap_or_default();
    let mut cursor = Cursor { raw, at: content_start(raw, style), style };
    let (before, after) = value.split_at_checked(offset).unwrap_or((value, ""));
    for _ in before.chars().filter(|c| !c.is_whitespace()) {
        cursor.skip_white();
        cursor.advance();
    }
    if after.chars().next().is_some_and(|c| !c.is_whitespace()) {
        cursor.skip_white();
    }
    span.start + cursor.at.min(raw.len())
}

/// Past the opening quote, or past the header line of a block.
fn content_start(raw: &str, style: Style) -> usize {
    match style {
        Style::Plain => 0,
        Style::SingleQuoted | Style::DoubleQuoted => usize::from(raw.starts_with(['\'', '"'])),
        Style::Block if raw.starts_with(['|', '>']) => raw.find('\n').map_or(raw.len(), |end| end + 1),
        Style::Block => 0,
    }
}

struct Cursor<'a> {
    raw: &'a str,
    at: usize,
    style: Style,
}

impl Cursor<'_> {
    /// How long the piece at the cursor is, in bytes, and whether it stands for white space; none at the end.
    fn piece(&self) -> Option<(usize, bool)> {
        let rest = self.raw.get(self.at..)?;
        let first = rest.chars().next()?;
        Some(match (self.style, first) {
            (Style::SingleQuoted, '\'') if rest.starts_with("''") => (2, false),
            (Style::DoubleQuoted, '\\') => escape(rest),
            _ => (first.len_utf8(), first.is_whitespace()),
        })
    }

    fn skip_white(&mut self) {
        while let Some((length, true)) = self.piece() {
            self.at += length;
        }
    }

    fn advance(&mut self) {
        if let Some((length, _)) = self.piece() {
            self.at += length;
        }
    }
}

/// The escape at the start of `rest`: its length, and whether it stands for white space (or for nothing, at a line's end).
fn escape(rest: &str) -> (usize, bool) {
    let Some(kind) = rest.chars().nth(1) else { return (1, false) };
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    let length = 1 + kind.len_utf8() + digits;
    let code = rest.get(2..length).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
    let white = match code {
        Some(character) if digits > 0 => character.is_whitespace(),
        _ => matches!(kind, 'n' | 't' | 'r' | ' ' | '\t' | '\n' | '\r' | 'v' | 'f' | 'N' | '_' | 'L' | 'P'),
    };
    (length.min(rest.len()), white)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::diagnostic::{Document, Findings};
    use crate::source::Source;
    use std::sync::Arc;

    /// Finds the `@` in the value of the key `v` and says at which line and column of the file it stands.
    fn position_of_at(text: &str) -> (usize, usize) {
        let findings = Findings::default();
        let source = Arc::new(Source::new("t.yaml".into(), text.to_owned()));
        let file = Document { source: Arc::clone(&source), findings: &findings };
        let root = parse(&file).unwrap_or_else(|| panic!("{}", findings.report().plain()));
        let node = &root.as_map().unwrap()[0].value;
        let value = node.as_text().unwrap();
        let span = node.locate(source.text(), value.find('@').unwrap(), 1);
        assert_eq!(source.slice(span), "@", "{text:?} {span:?} of {:?}", node.span);
        let position = source.position(span.start);
        (position.line, position.column)
    }

    #[test]
    fn a_character_is_found_again_in_every_style() {
        assert_eq!(position_of_at("v: abc @ d"), (1, 8));
        assert_eq!(position_of_at("v: 'it''s @ d'"), (1, 11));
        assert_eq!(position_of_at(r#"v: "a\tb\u0041 \"@""#), (1, 18));
        assert_eq!(position_of_at("v: äöü @"), (1, 8));
        assert_eq!(position_of_at("v: one\n  two\n  three @\n"), (3, 9));
        assert_eq!(position_of_at("v: \"one\n\n  two \\\n   @\"\n"), (4, 4));
        assert_eq!(position_of_at("v: |\n  one\n    two @\n"), (3, 9));
        assert_eq!(position_of_at("v: |-  # remark\n\n  one\n  @two\n"), (4, 3));
        assert_eq!(position_of_at("v: >\n  one\n  two\n\n  @ three\n"), (5, 3));
        assert_eq!(position_of_at("v: |\r\n  one\r\n  @\r\n"), (3, 3));
    }
}
