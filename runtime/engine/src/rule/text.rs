//! Patterns of text: a shell's wildcards and regular expressions, both matched in linear time.

use regex::{Regex, RegexBuilder};
use runner_model::limits;

use super::Operator;

/// Compiles the pattern of `matchwildcard`, `regex`, `iregex` or `matchregex`. The error is a lowercase sentence.
pub(super) fn compile(operator: Operator, pattern: &str) -> Result<Regex, String> {
    let source = match operator {
        Operator::MatchWildcard => wildcard(pattern),
        // It fits from the beginning on, wherever it ends.
        Operator::MatchRegex => format!(r"\A(?s:{})", from_python(pattern)),
        _ => from_python(pattern),
    };
    let mut builder = RegexBuilder::new(&source);
    builder.size_limit(limits::REGEX_COMPILED_BYTES_MAX).case_insensitive(operator == Operator::IRegex);
    builder.build().map_err(|error| {
        // The last line of the error is its sentence; the others draw an arrow.
        let text = error.to_string();
        let sentence = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{pattern}` is not a regular expression that can be used: {sentence}")
    })
}

/// Python writes the end of the text `\Z`.
fn from_python(pattern: &str) -> String {
    let mut source = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        source.push(character);
        if character == '\\' {
            source.extend(characters.next().map(|escaped| if escaped == 'Z' { 'z' } else { escaped }));
        }
    }
    source
}

/// The regular expression of a pattern with `*`, `?`, `[abc]`, `[a-z]` and `[!a-z]`, as Python's `fnmatch` reads it.
fn wildcard(pattern: &str) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut rest = characters.as_slice();
    let mut source = r"\A(?s)".to_owned();
    while let [first, more @ ..] = rest {
        rest = more;
        match first {
            '*' => source.push_str(".*"),
            '?' => source.push('.'),
            '[' => match set(more) {
                Some((set, behind)) => {
                    source.push_str(&set);
                    rest = behind;
                }
                None => source.push_str(r"\["),
            },
            other => source.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    source.push_str(r"\z");
    source
}

/// A set of characters, from behind its bracket, and what is behind it; none if it is not closed.
fn set(inside: &[char]) -> Option<(String, &[char])> {
    let (is_negated, members) = match inside {
        ['!', members @ ..] => (true, members),
        members => (false, members),
    };
    // A bracket that comes first is a member.
    let end = members.iter().skip(1).position(|character| *character == ']')? + 1;
    let (mut rest, behind) = (members.get(..end)?, members.get(end + 1..)?);
    let mut ranges = String::new();
    loop {
        let (first, last) = match rest {
            [first, '-', last, more @ ..] => {
                rest = more;
                (*first, *last)
            }
            [first, more @ ..] => {
                rest = more;
                (*first, *first)
            }
            [] => break,
        };
        // A range that goes backwards is empty.
        if first <= last {
            ranges.push_str(&format!(r"\x{{{:x}}}-\x{{{:x}}}", u32::from(first), u32::from(last)));
        }
    }
    let set = match (ranges.is_empty(), is_negated) {
        (true, true) => ".".to_owned(),
        (true, false) => r"[^\x{0}-\x{10ffff}]".to_owned(),
        (false, true) => format!("[^{ranges}]"),
        (false, false) => format!("[{ranges}]"),
    };
    Some((set, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit_whole_texts_as_a_shell_reads_them() {
        for (pattern, text, fits) in [
            ("v1", "v1", true),
            ("foo", "test foo test", false),
            ("*foo*", "test foo\ntest", true),
            ("b?r", "bar", true),
            ("b?r", "br", false),
            ("B*", "bar", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[]]x", "]x", true),
            ("[!]]x", "]x", false),
            ("[-a]", "-", true),
            ("[a-]", "-", true),
            ("[z-a]", "m", false),
            ("[!z-a]", "m", true),
            ("[a", "[a", true),
            ("[]", "[]", true),
            ("[\\^]", "^", true),
            ("[\\^]", "\\", true),
            ("a.b", "axb", false),
            ("*", "", true),
            ("", "", true),
            ("ä?", "äö", true),
        ] {
            assert_eq!(compile(Operator::MatchWildcard, pattern).unwrap().is_match(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn pythons_end_of_the_text_is_known() {
        let regex = compile(Operator::Regex, r"v1\Z").unwrap();
        assert!(regex.is_match("v1") && !regex.is_match("v1x"));
        assert!(compile(Operator::Regex, r"\\Z").unwrap().is_match(r"\Z"));
    }

    #[test]
    fn what_cannot_be_matched_in_linear_time_is_refused_with_a_sentence() {
        let message = compile(Operator::Regex, "a(?=b)").unwrap_err();
        assert!(message.ends_with("look-around, including look-ahead and look-behind, is not supported"), "{message}");
        assert!(compile(Operator::Regex, r"\w{100000}").unwrap_err().contains("size limit"));
    }
}
