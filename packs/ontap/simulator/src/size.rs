//! Sizes: bytes, or a number with a suffix, always by 1024.

const UNITS: [(&str, u64); 7] =
    [("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40), ("PB", 1 << 50), ("EB", 1 << 60), ("B", 1)];

/// The bytes of `500GB`, `1.5TB`, `10g` or `4096`.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of a size is a rounded number of bytes; the cast saturates"
)]
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(bytes) = text.parse() {
        return Some(bytes);
    }
    let upper = text.to_ascii_uppercase();
    let digits = upper.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = upper.get(digits.len()..)?;
    let suffix = if suffix.len() == 1 && suffix != "B" { format!("{suffix}B") } else { suffix.to_owned() };
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == suffix)?;
    if let Ok(count) = digits.trim_end().parse::<u64>() {
        return count.checked_mul(*unit);
    }
    let count: f64 = digits.trim_end().parse().ok()?;
    (count.is_finite() && count >= 0.0).then_some((count * *unit as f64) as u64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_suffix_multiplies_by_1024() {
        for (text, bytes) in [
            ("4096", Some(4096)),
            ("500GB", Some(536_870_912_000)),
            ("1.5tb", Some(1_649_267_441_664)),
            ("10g", Some(10_737_418_240)),
            ("1 KB", Some(1024)),
            ("7B", Some(7)),
            ("GB", None),
            ("-1", None),
            ("-1GB", None),
            ("99999999EB", None),
            ("10 bananas", None),
        ] {
            assert_eq!(super::bytes(text), bytes, "{text}");
        }
    }
}
