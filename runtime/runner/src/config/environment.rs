//! The one door to the environment of the process.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The environment, or what a test puts in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Environment(Option<&'static BTreeMap<String, String>>);

impl Environment {
    /// The process' own.
    pub(crate) const fn of_the_process() -> Self {
        Self(None)
    }

    /// These variables and no others.
    #[cfg(test)]
    pub(crate) fn of(variables: BTreeMap<String, String>) -> Self {
        Self(Some(Box::leak(Box::new(variables))))
    }

    /// A variable that is set and not empty.
    #[allow(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match self.0 {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// A variable that names a file or directory.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// A variable that names several, separated as in `PATH`.
    pub(crate) fn paths(&self, name: &str) -> Option<Vec<PathBuf>> {
        self.get(name).map(|paths| std::env::split_paths(&paths).collect())
    }
}
