//! Patterns of paths: what they match, and whether one matches all that another does.

use crate::limits;

/// Matches a path against a pattern in time proportional to their product: `*` stands for any characters but `/`, `**`
/// for any characters.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // `reached[i]`: the pattern so far can end just before `text[i]`.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut rest = pattern;
    while let Some((&byte, after)) = rest.split_first() {
        let mut next = vec![false; text.len() + 1];
        if byte == b'*' {
            let across = after.first() == Some(&b'*');
            rest = if across { after.get(1..).unwrap_or_default() } else { after };
            let mut open = false;
            for (i, slot) in next.iter_mut().enumerate() {
                open |= reached.get(i).copied().unwrap_or(false);
                *slot = open;
                if !across && text.get(i) == Some(&b'/') {
                    open = false;
                }
            }
        } else {
            rest = after;
            for (i, slot) in next.iter_mut().enumerate().skip(1) {
                *slot = reached.get(i - 1).copied().unwrap_or(false) && text.get(i - 1) == Some(&byte);
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// `*`: no or more characters but `/`.
    Within,
    /// `**`: no or more characters.
    Across,
}

fn parts(pattern: &[u8]) -> Vec<Part> {
    let (mut parts, mut rest) = (Vec::new(), pattern);
    while let Some((&byte, after)) = rest.split_first() {
        let across = byte == b'*' && after.first() == Some(&b'*');
        rest = if across { after.get(1..).unwrap_or_default() } else { after };
        parts.push(match byte {
            b'*' if across => Part::Across,
            b'*' => Part::Within,
            byte => Part::Byte(byte),
        });
    }
    parts
}

/// Whether `wide` matches everything that `narrow` does. Sure when it says yes; of two patterns of which that is hard to
/// say, it says no.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow {
        return true;
    }
    let (wide, narrow) = (parts(wide.as_bytes()), parts(narrow.as_bytes()));
    if wide.len().saturating_mul(narrow.len()) > limits::PERMISSION_COMPARE_MAX {
        return false;
    }
    // `below[j]`: the rest of `wide` covers `narrow[j..]`; filled from the end of both.
    let mut below: Vec<bool> = (0..=narrow.len()).map(|j| j == narrow.len()).collect();
    for part in wide.iter().rev() {
        let mut row = vec![false; narrow.len() + 1];
        for j in (0..=narrow.len()).rev() {
            let at = |row: &[bool], j: usize| row.get(j).copied().unwrap_or(false);
            let covered = match (part, narrow.get(j)) {
                // A star may stand for nothing, or take in one more part and stay.
                (Part::Across, Some(_)) => at(&below, j) || at(&row, j + 1),
                (Part::Within, Some(Part::Byte(b'/') | Part::Across)) => at(&below, j),
                (Part::Within, Some(_)) => at(&below, j) || at(&row, j + 1),
                (Part::Across | Part::Within, None) => at(&below, j),
                (Part::Byte(_), Some(wanted)) => part == wanted && at(&below, j + 1),
                (Part::Byte(_), None) => false,
            };
            if let Some(slot) = row.get_mut(j) {
                *slot = covered;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or(false)
}
