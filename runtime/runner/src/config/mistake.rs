//! What is wrong with the configuration file, at its line and column.

use std::ops::Range;
use std::path::Path;

use runner_model::{Code, code};

use crate::error::CliError;
use crate::exit::Exit;
use runner_pack::suggest;

/// A mistake at a place in the file.
pub(crate) fn at(path: &Path, text: &str, span: Option<Range<usize>>, code: Code, message: &str) -> CliError {
    let place = match span {
        Some(span) => {
            let (line, column) = position(text, span.start);
            format!("{}:{line}:{column}", path.display())
        }
        None => path.display().to_string(),
    };
    CliError::new(Exit::Invalid, code, format!("{place}: {message}"))
}

/// What the TOML reader found.
pub(crate) fn of_toml(path: &Path, text: &str, error: &toml::de::Error) -> CliError {
    let message = error.message().trim_end();
    // The reader's own words; a test holds them fast.
    let Some((_, rest)) = message.split_once("unknown field `") else {
        let syntax = text.parse::<toml::Table>().is_err();
        let code = if syntax { code::CONF_SYNTAX } else { code::CONF_INVALID };
        return at(path, text, error.span(), code, &first_lowercase(message));
    };
    let (key, rest) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<_> = rest.split('`').skip(1).step_by(2).collect();
    at(path, text, error.span(), code::CONF_INVALID, &format!("the key `{key}` is not known here"))
        .maybe_hint(suggest::hint(key, known, "known here"))
}

fn first_lowercase(message: &str) -> String {
    let line = message.lines().collect::<Vec<_>>().join(", ");
    let mut chars = line.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Line and column, from 1, in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
