//! "Did you mean …": the nearest of the names that exist.

pub use runner_model::suggest::nearest;

/// `did you mean …`, or else what there is.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, what: &str) -> Option<String> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    match nearest(word, candidates.iter().copied()) {
        Some(nearest) => Some(format!("did you mean `{nearest}`?")),
        None => list(candidates, what),
    }
}

/// What there is; none if there is nothing.
pub fn list<'a>(candidates: impl IntoIterator<Item = &'a str>, what: &str) -> Option<String> {
    /// More names are no help but a wall of text.
    const LISTED_MAX: usize = 20;
    let candidates: Vec<_> = candidates.into_iter().collect();
    let listed: Vec<_> = candidates.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = if candidates.len() > LISTED_MAX { ", …" } else { "" };
    (!listed.is_empty()).then(|| format!("{what}: {}{more}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_near_all_that_there_is_is_listed() {
        assert_eq!(hint("x", ["data", "packs"], "known here").as_deref(), Some("known here: `data`, `packs`"));
        assert_eq!(hint("output", ["a", "b"], "known here").as_deref(), Some("known here: `a`, `b`"));
    }
}
