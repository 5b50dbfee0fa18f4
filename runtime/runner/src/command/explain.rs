//! `runner explain`: what an error code means.

use clap::Args;
use runner_model::{Code, code};
use serde_json::json;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Output, table};
use runner_pack::suggest;

/// Say what an error code means
#[derive(Debug, Args)]
pub(crate) struct ExplainCommand {
    /// The code, such as E-PACK-0004; without one, all are listed
    code: Option<String>,
}

impl ExplainCommand {
    /// Says it.
    pub(crate) fn run(&self, output: &Output) -> Result<Exit, CliError> {
        let Some(id) = &self.code else {
            list(output);
            return Ok(Exit::Succeeded);
        };
        let Some(found) = Code::find(id) else {
            let known = code::ALL.iter().map(|code| code.id());
            let hint = suggest::nearest(&id.to_uppercase(), known).map(|nearest| format!("did you mean `{nearest}`?"));
            return Err(CliError::new(Exit::NotFound, code::CLI_NOT_FOUND, format!("there is no code `{id}`"))
                .hint(hint.unwrap_or_else(|| "list all with `runner explain`".to_owned())));
        };
        if output.json {
            output.value(&json!({ "code": found.id(), "meaning": found.meaning() }));
        } else {
            output.line(format!("{}: {}", found.id(), found.meaning()));
        }
        Ok(Exit::Succeeded)
    }
}

fn list(output: &Output) {
    if output.json {
        let all: Vec<_> =
            code::ALL.iter().map(|code| json!({ "code": code.id(), "meaning": code.meaning() })).collect();
        return output.value(&all);
    }
    let rows = code::ALL.iter().map(|code| vec![code.id().to_owned(), code.meaning().to_owned()]);
    output.line(table(output, &["code", "meaning"], rows));
}
