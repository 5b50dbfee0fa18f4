//! The one door to the environment of the process.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runner_model::code;

use crate::error::CliError;
use crate::exit::Exit;

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

    /// A variable that switches something on.
    pub(crate) fn switch(&self, name: &str) -> Result<bool, CliError> {
        let Some(text) = self.get(name) else { return Ok(false) };
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => {
                let message = format!("the environment variable `{name}`: `{text}` is neither on nor off");
                Err(CliError::new(Exit::Invalid, code::CONF_INVALID, message).hint("it is `1` or `0`"))
            }
        }
    }

    /// A variable that names several, separated as in `PATH`.
    pub(crate) fn paths(&self, name: &str) -> Option<Vec<PathBuf>> {
        self.get(name).map(|paths| std::env::split_paths(&paths).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_or_off_and_nothing_else() {
        let switch = |text: &str| Environment::of(BTreeMap::from([("X".to_owned(), text.to_owned())])).switch("X");
        for text in ["1", "true", "TRUE", "yes", "on"] {
            assert!(switch(text).unwrap(), "{text}");
        }
        for text in ["", "0", "false", "False", "no", "off", "OFF"] {
            assert!(!switch(text).unwrap(), "{text}");
        }
        for text in ["n", "disabled", "2", "tru"] {
            assert!(switch(text).is_err(), "{text}");
        }
    }
}
