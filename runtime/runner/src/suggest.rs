//! "Did you mean …" for names that the command line or the configuration holds.

/// The candidate nearest to `word`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Nobody mistypes a word of this length.
    const WORD_BYTES_MAX: usize = 256;
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let distance = |candidate: &'a str| (strsim::damerau_levenshtein(word, candidate), candidate);
    // A third of the letters wrong is still a slip.
    let near = |(distance, candidate): &(usize, &str)| *distance <= candidate.chars().count().div_ceil(3).min(4);
    candidates.into_iter().map(distance).filter(near).min().map(|(_, candidate)| candidate)
}

/// `did you mean …`, or else what there is.
pub(crate) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, otherwise: &str) -> Option<String> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    if let Some(nearest) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    let listed: Vec<_> = candidates.iter().map(|name| format!("`{name}`")).collect();
    (!listed.is_empty()).then(|| format!("{otherwise}: {}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(nearest("conections", ["connections", "packs"]), Some("connections"));
        assert_eq!(nearest("secrets", ["connections", "packs"]), None);
        assert_eq!(hint("x", ["data", "packs"], "known here").as_deref(), Some("known here: `data`, `packs`"));
    }
}
