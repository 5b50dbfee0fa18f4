//! What a bench is asked for on its command line.

/// The word behind an option, such as `--json`.
pub(crate) fn option(name: &str) -> Option<String> {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1)
}

/// Whether it is enough to see that everything works: seconds, and figures that say little.
pub(crate) fn is_quick() -> bool {
    std::env::args().any(|word| word == "--quick")
}
