//! Reading text as far as its words and strings, without parsing it: where expressions begin and end, and what an
//! expression names.

/// A part of a string that may hold expressions.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// What stands between `<%` and `%>`.
    Expression {
        /// The text between the marks.
        source: &'a str,
        /// Where it begins in the whole string, in bytes.
        offset: usize,
    },
}

/// A function that is called, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name.
    pub name: String,
    /// Where it stands in the source, in bytes.
    pub offset: usize,
}

/// A name that is asked for by a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The name.
    pub name: String,
    /// Where it stands in the source, in bytes.
    pub offset: usize,
}

/// What an expression names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Functions and methods that are called.
    pub calls: Vec<Call>,
    /// Context variables: `ctx("x")` and `ctx().x`.
    pub variables: Vec<Reading>,
    /// Tasks: `task("x")`, `succeeded("x")` and the like.
    pub tasks: Vec<Reading>,
    /// What is said of the task that has just completed: `result()`, `succeeded()` and the like.
    pub completed: Vec<Call>,
    /// What is said of the item of a list: `item()`, `item("x")`.
    pub items: Vec<Call>,
}

/// Functions that say how a task ended: the one that is named, or the one that has just completed.
const TESTS: [&str; 5] = ["succeeded", "failed", "timed_out", "skipped", "completed"];

/// Splits a string at its expressions. The error is the offset of a `<%` that is never closed. A `%>` inside a string
/// literal of the expression does not close it.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, usize> {
    let mut pieces = Vec::new();
    let mut rest = 0;
    while let Some(open) = find(text, rest, "<%") {
        let start = open + 2;
        let end = closing(text, start).ok_or(open)?;
        if open > rest {
            pieces.push(Piece::Text(slice(text, rest, open)));
        }
        pieces.push(Piece::Expression { source: slice(text, start, end), offset: start });
        rest = end + 2;
    }
    if rest < text.len() {
        pieces.push(Piece::Text(slice(text, rest, text.len())));
    }
    Ok(pieces)
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| at + from)
}

fn slice(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

/// Where the `%>` stands that ends the expression beginning at `start`.
fn closing(text: &str, start: usize) -> Option<usize> {
    for token in tokens(slice(text, start, text.len())) {
        if let Token::Symbol(at) = token
            && text.get(start + at..).is_some_and(|rest| rest.starts_with("%>"))
        {
            return Some(start + at);
        }
    }
    // A quote that is never closed swallows the rest: take the first mark, the compiler will point at the quote.
    find(text, start, "%>")
}

/// What an expression names. Works on text that does not compile, too.
#[must_use]
pub fn uses(source: &str) -> Uses {
    let mut uses = Uses::default();
    let all: Vec<_> = tokens(source).collect();
    for (i, token) in all.iter().enumerate() {
        let Token::Word(at, name) = *token else { continue };
        if !symbol(source, all.get(i + 1), '(') || is_keyword(name) {
            continue;
        }
        uses.calls.push(Call { name: name.to_owned(), offset: at });
        let after = all.get(i + 2..).unwrap_or_default();
        let read = match after {
            [Token::Text(at, name), close, ..] if symbol(source, Some(close), ')') => Some((at, name)),
            [close, dot, Token::Word(at, name), follow @ ..]
                if symbol(source, Some(close), ')')
                    && symbol(source, Some(dot), '.')
                    && !symbol(source, follow.first(), '(') =>
            {
                Some((at, name)).filter(|_| name != &"contains")
            }
            _ => None,
        };
        match (name, read, after) {
            ("ctx", Some((at, name)), _) => uses.variables.push(Reading { name: (*name).to_owned(), offset: *at }),
            ("task", Some((at, name)), [Token::Text(..), ..]) => {
                uses.tasks.push(Reading { name: (*name).to_owned(), offset: *at });
            }
            (test, Some((at, name)), [Token::Text(..), ..]) if TESTS.contains(&test) => {
                uses.tasks.push(Reading { name: (*name).to_owned(), offset: *at });
            }
            ("item", ..) => uses.items.extend(uses.calls.last().cloned()),
            (name, _, [close, ..])
                if (TESTS.contains(&name) || matches!(name, "result" | "status"))
                    && symbol(source, Some(close), ')') =>
            {
                uses.completed.extend(uses.calls.last().cloned());
            }
            _ => {}
        }
    }
    uses
}

fn symbol(source: &str, token: Option<&Token<'_>>, wanted: char) -> bool {
    matches!(token, Some(Token::Symbol(at)) if source.get(*at..).is_some_and(|rest| rest.starts_with(wanted)))
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "if" | "else" | "in" | "switch" | "return" | "while" | "for" | "loop" | "throw" | "is_def_var")
}

enum Token<'a> {
    /// A word and where it begins.
    Word(usize, &'a str),
    /// A string literal: where its text begins, and the text as written.
    Text(usize, &'a str),
    /// Any other character.
    Symbol(usize),
}

/// Words, string literals and other characters of an expression, comments and blanks left out.
fn tokens(source: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = source.get(at..)?;
            let first = rest.chars().next()?;
            let here = at;
            if first.is_whitespace() {
                at += first.len_utf8();
            } else if rest.starts_with("//") {
                at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else if matches!(first, '"' | '`') {
                let length = literal_length(rest, first);
                at += length;
                return Some(Token::Text(here + 1, rest.get(1..length.saturating_sub(1)).unwrap_or_default()));
            } else if first.is_alphabetic() || first == '_' {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                at += length;
                return Some(Token::Word(here, rest.get(..length).unwrap_or_default()));
            } else {
                at += first.len_utf8();
                return Some(Token::Symbol(here));
            }
        }
    })
}

/// The length of the string literal at the beginning of `text`, quotes included; all of it if it is not closed.
fn literal_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_split_at_its_expressions() {
        assert_eq!(
            pieces("a <% 1 %> b").unwrap(),
            [Piece::Text("a "), Piece::Expression { source: " 1 ", offset: 4 }, Piece::Text(" b")]
        );
        assert_eq!(pieces("<% 1 %>").unwrap(), [Piece::Expression { source: " 1 ", offset: 2 }]);
        assert_eq!(pieces("100 %> full").unwrap(), [Piece::Text("100 %> full")]);
        assert_eq!(pieces("ok <% 1 %> <% ctx(\"x\")"), Err(11));
        assert_eq!(pieces("").unwrap(), []);
    }

    #[test]
    fn a_mark_inside_a_string_literal_does_not_close() {
        assert_eq!(
            pieces(r#"<% "50 %>" + `%>` %>!"#).unwrap()[0],
            Piece::Expression { source: r#" "50 %>" + `%>` "#, offset: 2 }
        );
        assert_eq!(pieces(r#"<% "open %>"#).unwrap(), [Piece::Expression { source: r#" "open "#, offset: 2 }]);
    }

    #[test]
    fn uses_are_found_outside_strings_and_comments() {
        let uses =
            uses(r#"ctx("a") + ctx().b.c + "ctx(\"no\")" + len(task("t").result) /* ctx("no") */ + x.sub_string(1)"#);
        let names: Vec<_> = uses.calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["ctx", "ctx", "len", "task", "sub_string"]);
        let variables: Vec<_> = uses.variables.iter().map(|reading| (reading.name.as_str(), reading.offset)).collect();
        assert_eq!(variables, [("a", 5), ("b", 17)]);
        assert_eq!(uses.tasks.iter().map(|reading| reading.name.as_str()).collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn the_whole_context_and_a_computed_name_are_no_reading() {
        assert!(uses(r#"ctx().keys() + ctx("a" + "b") + keys(ctx())"#).variables.is_empty());
    }
}
