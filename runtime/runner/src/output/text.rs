//! Text for people: what others wrote is made harmless, times are made short.

use std::time::Duration;

/// Control characters escaped, so that what a guest or a file says cannot drive the terminal. Line breaks and tabs stay.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if drives_terminal(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same on one line, at most `chars_max` characters long.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let flat = printable(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if flat.chars().count() <= chars_max {
        return flat;
    }
    flat.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

/// A text as one word of a command line.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether a terminal takes a character for an order.
pub(crate) fn drives_terminal(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || is_bidirectional(c)
}

/// Marks that turn the direction of writing make a line read otherwise than it is.
const fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// So many of a thing.
pub(crate) fn count(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// A duration, in the unit that fits.
pub(crate) fn elapsed(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_escaped() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}\u{202e}\nc"), "a\\u{1b}[2Jb\\u{9b}\\u{202e}\nc");
        assert_eq!(one_line("a\n  b\tc", 80), "a b c");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }

    #[test]
    fn a_duration_is_short() {
        let of = |millis| elapsed(Duration::from_millis(millis));
        assert_eq!([of(12), of(1_250), of(61_000), of(3_660_000)], ["12 ms", "1.2 s", "1 min 1 s", "1 h 1 min"]);
    }
}
