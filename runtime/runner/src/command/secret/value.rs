//! Where a value is read from.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::Args;
use console::Term;
use runner_model::{Secret, SecretName, code, limits};
use zeroize::Zeroizing;

use crate::config::Environment;
use crate::error::CliError;
use crate::exit::Exit;

/// Where a value is.
#[derive(Debug, Args)]
pub(super) struct From {
    /// `-` reads the value from the standard input
    #[arg(value_name = "-", value_parser = ["-"], conflicts_with_all = ["from_file", "from_env"])]
    stdin: Option<String>,
    /// Read the value from this file; a last line break does not belong to it
    #[arg(long, value_name = "FILE", conflicts_with = "from_env")]
    from_file: Option<PathBuf>,
    /// Read the value from this environment variable
    #[arg(long, value_name = "NAME")]
    from_env: Option<String>,
}

fn unusable(message: impl Into<String>) -> CliError {
    CliError::new(Exit::Usage, code::SECRET_VALUE, message)
}

impl From {
    /// The value.
    pub(super) fn read(&self, name: &SecretName, environment: &Environment) -> Result<Secret, CliError> {
        if let Some(path) = &self.from_file {
            let file = std::fs::File::open(path);
            let bytes = file.and_then(read_all).map_err(|error| {
                unusable(format!("the file `{}` cannot be read", path.display())).caused_by(&error)
            })??;
            return text(&bytes);
        }
        if let Some(variable) = &self.from_env {
            let value = environment.get(variable).map(Secret::new);
            return value.ok_or_else(|| unusable(format!("the environment variable `{variable}` is not set")));
        }
        let stdin = std::io::stdin();
        if self.stdin.is_none() && stdin.is_terminal() {
            return ask(name);
        }
        if self.stdin.is_none() {
            return Err(unusable("there is no terminal to ask for the value").hint(format!(
                "`runner secret set {name} -` reads it from the standard input; there are `--from-file` and `--from-env` too"
            )));
        }
        let bytes =
            read_all(stdin).map_err(|error| unusable("the standard input cannot be read").caused_by(&error))??;
        text(&bytes)
    }
}

type Bytes = Zeroizing<Vec<u8>>;

/// All of it, if it is no more than a secret may be, and a line break.
fn read_all(from: impl std::io::Read) -> std::io::Result<Result<Bytes, CliError>> {
    let max = limits::SECRET_BYTES_MAX + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
    from.take(max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Ok(Err(unusable(format!("the value has more than {} bytes", limits::SECRET_BYTES_MAX))));
    }
    Ok(Ok(bytes))
}

/// A text without its last line break.
fn text(bytes: &Bytes) -> Result<Secret, CliError> {
    let text = std::str::from_utf8(bytes).map_err(|_| unusable("the value is no text in UTF-8").hint("encode it"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// From whoever sits at the terminal, twice, without showing it.
fn ask(name: &SecretName) -> Result<Secret, CliError> {
    let terminal = Term::stderr();
    let line = |prompt: &str| {
        let asked = terminal.write_str(prompt).and_then(|()| terminal.read_secure_line());
        asked.map(Secret::new).map_err(|error| unusable("the terminal cannot be read").caused_by(&error))
    };
    let value = line(&format!("value of `{name}` (not shown): "))?;
    let again = line("once more: ")?;
    if value.expose() != again.expose() {
        return Err(unusable("the two values are not the same"));
    }
    Ok(value)
}
