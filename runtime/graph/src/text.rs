//! How wide text is, without a font: a table of the widest common sans-serif.
//!
//! A viewer takes whichever font it has. The table holds the advance widths of DejaVu Sans (whose metrics are
//! Verdana's), which is wider than Helvetica, Arial, Roboto, Segoe UI and San Francisco: what fits by it fits in those.

/// Advance widths from U+0020 to U+007E in thousandths of the font size.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 637, 951, 780, 275, 391, 391, 500, 838, 318, 361, 318, 337, 637, 637, 637, 637, 637, 637, 637,
    637, 637, 637, 337, 337, 838, 838, 838, 531, 1000, 685, 687, 699, 771, 632, 576, 775, 752, 295, 295, 656, 558, 863,
    749, 788, 604, 788, 695, 635, 611, 732, 685, 989, 686, 611, 686, 391, 337, 391, 838, 500, 500, 613, 635, 550, 635,
    616, 353, 635, 634, 278, 278, 580, 278, 975, 634, 612, 635, 635, 412, 521, 393, 634, 592, 818, 592, 592, 525, 637,
    337, 637, 838,
];

/// The same of its bold.
const BOLD: [u16; 95] = [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 523, 838, 380, 416, 380, 366, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 581, 1000, 774, 763, 734, 831, 684, 684, 821, 837, 373, 373, 775, 638, 996,
    837, 851, 733, 851, 771, 721, 683, 813, 774, 1104, 771, 725, 726, 458, 366, 458, 838, 500, 500, 675, 716, 593, 716,
    679, 436, 716, 712, 343, 343, 666, 343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712,
    366, 712, 838,
];

/// A size and a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Face {
    /// In pixels.
    pub(crate) size: f64,
    pub(crate) bold: bool,
}

impl Face {
    /// How wide a text is at most, in pixels. Of characters outside the table it is a guess: see [`is_measured`].
    pub(crate) fn width(self, text: &str) -> f64 {
        text.chars().map(|c| f64::from(self.advance(c))).sum::<f64>() * self.size / 1000.0
    }

    fn advance(self, c: char) -> u16 {
        let table = if self.bold { &BOLD } else { &REGULAR };
        let at = u32::from(c).checked_sub(0x20).and_then(|at| usize::try_from(at).ok());
        match at.and_then(|at| table.get(at)) {
            Some(width) => *width,
            None if matches!(c, '…' | '×' | '·') => 1000,
            // Ideographs are as wide as they are high, emoji wider.
            None if u32::from(c) >= 0x1_F000 => 1400,
            None => 1050,
        }
    }

    /// The text, cut so that it is no wider than `width_max` pixels.
    pub(crate) fn cut(self, text: &str, width_max: f64) -> String {
        if self.width(text) <= width_max {
            return text.to_owned();
        }
        let room = width_max - self.width("…");
        let mut width = 0.0;
        let fits = |c: &char| {
            width += f64::from(self.advance(*c)) * self.size / 1000.0;
            width <= room
        };
        let kept: String = text.chars().take_while(fits).collect();
        format!("{}…", kept.trim_end())
    }
}

/// Whether every character stands in the table, so that the text cannot come out wider than [`Face::width`] says.
pub(crate) fn is_measured(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~' | '…' | '×' | '·'))
}

/// One line that can be shown: white space becomes single spaces; control characters, those that turn the direction of
/// writing around and those that XML forbids become visible.
pub(crate) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().map(visible).collect()
}

/// Several lines that can be shown.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// A length of time in at most two units.
pub(crate) fn duration(millis: i64) -> String {
    let seconds = millis / 1000;
    match millis {
        ..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{seconds}.{} s", millis % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600_000..86_400_000 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_is_no_wider_than_asked() {
        let face = Face { size: 11.0, bold: false };
        for text in
            ["succeeded", "ctx(\"environment\") == \"production\" && result().size > 100", "容量管理容量管理容量管理"]
        {
            let cut = face.cut(text, 90.0);
            assert!(face.width(&cut) <= 90.0, "{cut}");
            assert_eq!(cut == text, face.width(text) <= 90.0);
        }
    }

    #[test]
    fn characters_that_do_not_show_become_visible() {
        assert_eq!(line("a\n  b\u{202e}c\0d"), "a b\u{fffd}c\u{fffd}d");
    }

    #[test]
    fn lengths_of_time_have_at_most_two_units() {
        let written: Vec<_> = [850, 1_250, 185_000, 7_380_000, 97_200_000].into_iter().map(duration).collect();
        assert_eq!(written, ["850 ms", "1.2 s", "3 min 5 s", "2 h 3 min", "1 d 3 h"]);
    }
}
