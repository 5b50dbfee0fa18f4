//! Text from outside on its way to a terminal or a log: nothing in it can move a cursor or start a line.

/// Escapes control characters and those that change the direction of text, and cuts after `bytes_max` bytes.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars() {
        let before = line.len();
        if character.is_control() || is_directional(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        if line.len() > bytes_max {
            line.truncate(before);
            line.push('…');
            break;
        }
    }
    line
}

/// The characters of Unicode's bidirectional algorithm that reorder what is shown, and its line separators.
const fn is_directional(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        assert_eq!(one_line("a\nb\x1b[31mc\u{202e}d\u{85}é", 100), "a\\nb\\u{1b}[31mc\\u{202e}d\\u{85}é");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(one_line("ääää", 5), "ää…");
        assert_eq!(one_line("abc", 3), "abc");
    }
}
