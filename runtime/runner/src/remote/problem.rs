//! Refusals of the API (RFC 9457) as errors of the command line: with the same exit status that the same mistake has
//! without a daemon.

use http::{HeaderMap, StatusCode, header};
use runner_model::{Code, code};
use serde::Deserialize;

use crate::error::{CliError, Mistake};
use crate::exit::Exit;

/// What a refusal holds.
#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    detail: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    mistakes: Vec<Slip>,
}

/// One of several mistakes.
#[derive(Debug, Deserialize)]
struct Slip {
    code: String,
    message: String,
    #[serde(default)]
    hint: Option<String>,
}

/// After how many seconds to ask again, if it says so.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// The error that a refusal is.
pub(super) fn refused(status: StatusCode, retry_after: Option<u64>, body: &[u8], who: &str) -> CliError {
    let Ok(Problem { code, detail, hint, mistakes }) = serde_json::from_slice(body) else {
        let message = format!("{who} answers {status}, and not as runner does");
        return CliError::new(Exit::Broken, code::CLI_REMOTE, message).hint("is it the address of a `runner serve`?");
    };
    let exit = exit(status, &code);
    let slips = mistakes.into_iter().map(|slip| mistake(slip.code, slip.message, slip.hint));
    let mut mistakes: Vec<_> = slips.collect();
    if mistakes.is_empty() {
        let hint = match (status.as_u16(), retry_after) {
            (401, _) => Some(format!("put a key of {who} into `RUNNER_KEY`, or name its file with `--key-file FILE`")),
            (_, Some(seconds)) => Some(again(hint, seconds)),
            _ => hint,
        };
        mistakes.push(mistake(code, detail, hint));
    }
    CliError { exit, mistakes }
}

fn mistake(code: String, message: String, hint: Option<String>) -> Mistake {
    Mistake { code, message, causes: Vec::new(), details: None, hint }
}

fn again(hint: Option<String>, seconds: u64) -> String {
    let again = format!("try again in {seconds} s");
    hint.map_or_else(|| again.clone(), |hint| format!("{hint}; {again}"))
}

/// What the process says with its status.
fn exit(status: StatusCode, code: &str) -> Exit {
    let is = |known: Code| code == known.id();
    match status.as_u16() {
        // What the command line says without a daemon, though the API has another word for it.
        404 | 422 if is(code::EXEC_UNKNOWN_ACTION) => Exit::NotFound,
        // The pack of an execution that is there is gone, or its action is switched off.
        _ if is(code::EXEC_UNKNOWN_ACTION) || is(code::EXEC_DISABLED) => Exit::Invalid,
        _ if is(code::PACK_NOT_GRANTED) || is(code::PACK_GRANT_BEYOND) => Exit::Invalid,
        _ if is(code::STORE_PREFIX) => Exit::Usage,
        404 => Exit::NotFound,
        424 => Exit::Invalid,
        429 => Exit::Broken,
        400..500 => Exit::Usage,
        _ => Exit::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> CliError {
        refused(StatusCode::from_u16(status).unwrap(), Some(7), body.as_bytes(), "http://h")
    }

    #[test]
    fn a_refusal_ends_the_command_as_the_same_mistake_does_without_a_daemon() {
        let body = |code: &str| format!(r#"{{"code": "{code}", "detail": "no"}}"#);
        let exit = |status, code: Code| of(status, &body(code.id())).exit;
        assert_eq!(exit(422, code::EXEC_UNKNOWN_ACTION), Exit::NotFound);
        assert_eq!(exit(404, code::STORE_PREFIX), Exit::Usage);
        assert_eq!(exit(404, code::STORE_NOT_FOUND), Exit::NotFound);
        assert_eq!(exit(409, code::EXEC_DISABLED), Exit::Invalid);
        assert_eq!(exit(401, code::API_KEY), Exit::Usage);
        let full = of(429, &body(code::EXEC_FULL.id()));
        assert_eq!((full.exit, full.mistakes[0].hint.as_deref()), (Exit::Broken, Some("try again in 7 s")));
    }

    #[test]
    fn all_mistakes_are_told_and_what_is_not_runners_is_no_riddle() {
        let body = r#"{"code": "E-A", "detail": "two", "mistakes": [{"code": "E-B", "message": "b", "hint": "h"}, {"code": "E-C", "message": "c"}]}"#;
        let error = of(422, body);
        assert_eq!(error.mistakes.iter().map(|slip| slip.code.as_str()).collect::<Vec<_>>(), ["E-B", "E-C"]);
        assert_eq!(of(502, "<html>").mistakes[0].code, code::CLI_REMOTE.id());
    }
}
