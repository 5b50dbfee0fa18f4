//! Parameters on the command line.
//!
//! `name=text` is read as the parameter's type wants it; a text without a name is the value of the next parameter that has
//! a position. Everything that is wrong is found in one go.

use std::io::Read;
use std::path::Path;

use runner_model::{code, limits};
use runner_pack::{ParameterError, Parameters};
use serde_json::{Map, Value};

use crate::error::{CliError, Mistake};
use crate::exit::Exit;
use crate::offer::Offer;

/// How parameters are written, for `--help`.
pub(crate) const HELP: &str = "\
Parameters:
  name=value      read as the parameter's type: `size=3`, `force=yes`, `tags=a,b`
  name:=JSON      `sizes:='[1, 2]'`
  name=@FILE      the text of a file, read in the same way
  name:=@FILE     a file of JSON
  value           without a name: the next parameter that has a position
  -               a JSON object of parameters from standard input";

/// What was read, and what was wrong with it.
#[derive(Debug, Default)]
struct Given {
    values: Map<String, Value>,
    mistakes: Vec<ParameterError>,
}

/// One argument.
#[derive(Debug, PartialEq, Eq)]
enum Argument<'a> {
    StandardInput,
    Text { name: &'a str, text: &'a str },
    Json { name: &'a str, text: &'a str },
    File { name: &'a str, path: &'a Path, json: bool },
    Positional(&'a str),
}

/// Reads the parameters of an action and checks them: those of `file`, then those of standard input, then those of the
/// command line, the later ones over the earlier ones.
pub(crate) fn read(
    offer: &Offer,
    file: Option<&Path>,
    arguments: &[String],
    stdin: impl Read,
) -> Result<Map<String, Value>, CliError> {
    let arguments: Vec<_> = arguments.iter().map(|text| Argument::parse(text)).collect();
    let mut values = Map::new();
    if let Some(path) = file {
        values.extend(object(&read_file(path).map_err(unreadable)?, &format!("`{}`", path.display()))?);
    }
    if arguments.contains(&Argument::StandardInput) {
        let text = read_text(stdin, "standard input").map_err(unreadable)?;
        values.extend(object(&text, "standard input")?);
    }
    let given = Given::of(&offer.parameters, &arguments);
    values.extend(given.values);
    let mut mistakes = given.mistakes;
    if let Err(more) = offer.parameters.bind(values.clone()) {
        // A parameter that could not be read is not missing too.
        more.into_iter().for_each(|error| {
            if !mistakes.iter().any(|known| known.parameter == error.parameter) {
                mistakes.push(error);
            }
        });
    }
    if mistakes.is_empty() {
        return Ok(values);
    }
    let mut error = CliError::of_parameters(&mistakes);
    if error.mistakes.iter().all(|mistake| mistake.hint.is_none()) {
        error = error.hint(format!("see `runner exec {} --help`", offer.reference));
    }
    Err(error)
}

impl<'a> Argument<'a> {
    fn parse(text: &'a str) -> Self {
        if text == "-" {
            return Self::StandardInput;
        }
        let Some((left, right)) = text.split_once('=') else { return Self::Positional(text) };
        let (name, json) = left.strip_suffix(':').map_or((left, false), |name| (name, true));
        // What stands before the sign is no name in `https://host/?a=b` or `a b=c`.
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            return Self::Positional(text);
        }
        match right.strip_prefix('@') {
            Some(path) => Self::File { name, path: Path::new(path), json },
            None if json => Self::Json { name, text: right },
            None => Self::Text { name, text: right },
        }
    }
}

impl Given {
    fn of(parameters: &Parameters, arguments: &[Argument<'_>]) -> Self {
        let mut given = Self::default();
        let mut positions = parameters.iter().filter(|parameter| parameter.position.is_some());
        for argument in arguments {
            let (name, value) = match argument {
                Argument::StandardInput => continue,
                Argument::Text { name, text } => (*name, parameters.from_text(name, text)),
                Argument::Json { name, text } => (*name, json(name, text)),
                Argument::File { name, path, json } => (*name, from_file(parameters, name, path, *json)),
                Argument::Positional(text) => match positions.next() {
                    Some(parameter) => (parameter.name.as_str(), parameters.from_text(&parameter.name, text)),
                    None => ("", Err(left_over(parameters, text))),
                },
            };
            match value {
                Ok(value) => given.insert(name, value),
                Err(error) => given.mistakes.push(error),
            }
        }
        given
    }

    fn insert(&mut self, name: &str, value: Value) {
        if self.values.insert(name.to_owned(), value).is_some() {
            let message = format!("`{name}` is given twice");
            self.mistakes.push(mistake(name, message, "keep one of the two"));
        }
    }
}

fn mistake(name: &str, message: String, hint: &str) -> ParameterError {
    ParameterError { code: code::PARAM_SYNTAX, parameter: name.to_owned(), message, hint: Some(hint.to_owned()) }
}

/// A value that no parameter takes.
fn left_over(parameters: &Parameters, text: &str) -> ParameterError {
    let positions = parameters.iter().filter(|parameter| parameter.position.is_some()).count();
    let message = match positions {
        0 => format!("`{text}` has no name, and the action takes no parameter by position"),
        count => format!("`{text}` has no name, and the action takes only {count} by position"),
    };
    let hint = match parameters.names().next() {
        Some(first) => format!("write `{first}={text}`"),
        None => "the action takes no parameters: leave it out".to_owned(),
    };
    mistake("", message, &hint)
}

fn json(name: &str, text: &str) -> Result<Value, ParameterError> {
    serde_json::from_str(text).map_err(|error| {
        mistake(
            name,
            format!("the value of `{name}` is not JSON: {error}"),
            "write a text with quotes: `name:='\"text\"'`",
        )
    })
}

fn from_file(parameters: &Parameters, name: &str, path: &Path, is_json: bool) -> Result<Value, ParameterError> {
    let text = read_file(path).map_err(|message| mistake(name, message, "name a file of text"))?;
    if is_json { json(name, &text) } else { parameters.from_text(name, &text) }
}

fn object(text: &str, source: &str) -> Result<Map<String, Value>, CliError> {
    let wrong = |message: String| {
        CliError::new(Exit::Usage, code::PARAM_SYNTAX, message).hint("write a JSON object: `{\"name\": value}`")
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(wrong(format!("{source} holds JSON, but not an object"))),
        Err(error) => Err(wrong(format!("{source} is not JSON: {error}"))),
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    read_text(file, &format!("`{}`", path.display()))
}

/// Reads no more than parameters may be large.
fn read_text(source: impl Read, name: &str) -> Result<String, String> {
    let max = limits::PARAMETERS_BYTES_MAX;
    let mut text = String::new();
    let end = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    source.take(end).read_to_string(&mut text).map_err(|error| format!("{name} cannot be read: {error}"))?;
    if text.len() > max {
        return Err(format!("{name} is larger than {max} bytes"));
    }
    Ok(text)
}

fn unreadable(message: String) -> CliError {
    CliError { exit: Exit::Usage, mistakes: vec![Mistake::new(code::PARAM_SYNTAX, message)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_what_it_looks_like() {
        let text = |name, text| Argument::Text { name, text };
        assert_eq!(Argument::parse("a=b=c"), text("a", "b=c"));
        assert_eq!(Argument::parse("a="), text("a", ""));
        assert_eq!(Argument::parse("a:=[1]"), Argument::Json { name: "a", text: "[1]" });
        assert_eq!(Argument::parse("a=@f"), Argument::File { name: "a", path: Path::new("f"), json: false });
        assert_eq!(Argument::parse("a:=@f"), Argument::File { name: "a", path: Path::new("f"), json: true });
        assert_eq!(Argument::parse("-"), Argument::StandardInput);
        for positional in ["vol_db", "https://host/?a=b", "a b=c", "=x", ":=x"] {
            assert_eq!(Argument::parse(positional), Argument::Positional(positional));
        }
    }
}
