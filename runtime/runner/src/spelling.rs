//! Commands as the user has to type them.

use crate::cli::GlobalArgs;

/// The options that name other places than the default ones, as they were given.
#[derive(Debug, Clone)]
pub(crate) struct Spelling(String);

impl Spelling {
    /// Those of this command line.
    pub(crate) fn of(global: &GlobalArgs) -> Self {
        Self(global.places())
    }

    /// A command, or a sentence with commands in it, with these options.
    pub(crate) fn spell(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let text = text.replace("`runner ", &format!("`runner {} ", self.0));
        match text.strip_prefix("runner ") {
            Some(rest) => format!("runner {} {rest}", self.0),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_places_that_its_user_named() {
        let spelling = Spelling("--data d".to_owned());
        assert_eq!(spelling.spell("runner event send k"), "runner --data d event send k");
        assert_eq!(spelling.spell("ask the runner: `runner x`"), "ask the runner: `runner --data d x`");
        assert_eq!(Spelling(String::new()).spell("`runner x`"), "`runner x`");
    }
}
