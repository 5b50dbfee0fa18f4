//! The nearest of the names that exist: one rule for everything that says "did you mean …".

/// Long words are not worth the quadratic time.
const WORD_BYTES_MAX: usize = 256;

/// The candidate nearest to `word`, if one is near enough to be meant: a third of the letters wrong is still a slip,
/// more is another word.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let (lower, length) = (word.to_lowercase(), word.chars().count());
    let near = |candidate: &'a str| {
        let tolerated = length.max(candidate.chars().count()).div_ceil(3).min(4);
        // Cheap, and true of nearly all candidates of a large library.
        if candidate.chars().count().abs_diff(length) > tolerated {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
        (distance <= tolerated && distance < length).then_some((distance, candidate))
    };
    candidates.into_iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["parameters", "description", "do", "when"];
        assert_eq!(nearest("paramters", known), Some("parameters"));
        assert_eq!(nearest("Description", known), Some("description"));
        assert_eq!(nearest("wehn", known), Some("when"));
        assert_eq!(nearest("output", known), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest(&"x".repeat(1000), known), None);
        assert_eq!(nearest("conections", ["connections", "packs"]), Some("connections"));
        assert_eq!(nearest("secrets", ["connections", "packs"]), None);
    }
}
