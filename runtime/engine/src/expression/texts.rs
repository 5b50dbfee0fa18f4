//! Functions that look for something in a text, and put something else in its place.
//!
//! What comes of that can be a million times as long as what went in, and rhai compares it with the limit only when it is
//! there. So its length is known, or bounded, before it is made; rhai's own `replace` is among the functions that are replaced.

use regex::{Regex, RegexBuilder};
use rhai::{Engine, EvalAltResult, ImmutableString, Position};
use runner_model::limits;

use super::functions::{Fallible, fail};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("regex_match", |text: ImmutableString, pattern: ImmutableString| {
        searched(&text, &pattern).map(|regex| regex.is_match(&text))
    });
    engine.register_fn("regex_replace", |text: ImmutableString, pattern: ImmutableString, with: ImmutableString| {
        searched(&text, &pattern).and_then(|regex| regex_replace(&text, &regex, &with))
    });
    engine.register_fn("replace", |text: &mut ImmutableString, find: ImmutableString, with: ImmutableString| {
        replace(text, &find, &with)
    });
    engine.register_fn("replace", |text: &mut ImmutableString, find: ImmutableString, with: char| {
        replace(text, &find, with.encode_utf8(&mut [0; 4]))
    });
    engine.register_fn("replace", |text: &mut ImmutableString, find: char, with: ImmutableString| {
        replace(text, find.encode_utf8(&mut [0; 4]), &with)
    });
    engine.register_fn("replace", |text: &mut ImmutableString, find: char, with: char| {
        replace(text, find.encode_utf8(&mut [0; 4]), with.encode_utf8(&mut [0; 4]))
    });
}

/// A pattern for this text. It may be data: its compiled size is bounded, and matching takes linear time.
fn searched(text: &str, pattern: &str) -> Fallible<Regex> {
    if text.len() > limits::EXPRESSION_SEARCHED_BYTES_MAX {
        return too_large("length of a text in which a pattern is looked for");
    }
    match RegexBuilder::new(pattern).size_limit(256 * 1024).build() {
        Ok(regex) => Ok(regex),
        Err(error) => fail(format!("`{}` is not a regular expression: {error}", shown(pattern))),
    }
}

/// The beginning of a pattern, which may be as long as a text can be.
fn shown(pattern: &str) -> String {
    pattern.chars().take(100).collect()
}

fn too_large<T>(what: &str) -> Fallible<T> {
    Err(EvalAltResult::ErrorDataTooLarge(what.to_owned(), Position::NONE).into())
}

fn regex_replace(text: &str, regex: &Regex, with: &str) -> Fallible<String> {
    // Each group that is named in it is no longer than the whole match.
    let groups = with.bytes().filter(|byte| *byte == b'$').count();
    let (mut made, mut last) = (String::new(), 0);
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        let longest = made.len() + (whole.start() - last) + with.len() + groups.saturating_mul(whole.len());
        if longest > limits::EXPRESSION_STRING_BYTES_MAX {
            return too_large("length of string");
        }
        made.push_str(text.get(last..whole.start()).unwrap_or_default());
        captures.expand(with, &mut made);
        last = whole.end();
    }
    made.push_str(text.get(last..).unwrap_or_default());
    Ok(made)
}

fn replace(text: &mut ImmutableString, find: &str, with: &str) -> Fallible<()> {
    let found = text.matches(find).count();
    let length = (text.len() - found * find.len()).saturating_add(found.saturating_mul(with.len()));
    if length > limits::EXPRESSION_STRING_BYTES_MAX {
        return too_large("length of string");
    }
    if found > 0 {
        *text = text.replace(find, with).into();
    }
    Ok(())
}
