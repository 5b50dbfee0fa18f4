//! What an event brings, on the command line: as of an answer, or a file of JSON as a whole.

use std::io::Read as _;
use std::path::Path;

use runner_model::{code, limits};
use serde_json::{Map, Value};

use crate::command::answer;
use crate::error::CliError;
use crate::exit::Exit;

/// How a payload is written, for `--help`.
pub(crate) const HELP: &str = "\
Payloads:
  @FILE           the whole payload, as JSON; so does a name that ends in `.json`
  JSON            the whole payload: `'{\"body\": {\"ref\": \"refs/heads/main\"}}'`
  -               the whole payload, as JSON from standard input
  name=value      one value of it; `name:=JSON`, `name=@FILE`

The event of a webhook has `body`, `headers`, `headers_lower`, `query`, `method` and `path`.";

/// Reads a payload; none is an empty one.
pub(crate) fn read(words: &[String]) -> Result<Value, CliError> {
    match words {
        [] => Ok(Value::Object(Map::new())),
        [word] => match file(word) {
            Some(path) => read_file(path),
            None => answer::read(words, &Value::Bool(true), std::io::stdin()),
        },
        // Without a schema a value is what it looks like.
        words => answer::read(words, &Value::Bool(true), std::io::stdin()),
    }
}

/// The file that a word names, if it does.
fn file(word: &str) -> Option<&Path> {
    let named = word.strip_prefix('@').map(Path::new);
    named.or_else(|| (word.ends_with(".json") && !word.contains(['=', '{'])).then(|| Path::new(word)))
}

fn read_file(path: &Path) -> Result<Value, CliError> {
    let wrong = |why: String| CliError::new(Exit::Usage, code::EXEC_BAD_ANSWER, format!("`{}` {why}", path.display()));
    let max = limits::PARAMETERS_BYTES_MAX;
    let file = std::fs::File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut text = String::new();
    let read = file.take(u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1)).read_to_string(&mut text);
    read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() > max {
        return Err(wrong(format!("is larger than {max} bytes")));
    }
    serde_json::from_str(&text).map_err(|error| wrong(format!("is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_is_a_file_json_or_values() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.json");
        std::fs::write(&path, "{\"body\": 1}").unwrap();
        let path = path.display().to_string();
        let words = |words: &[&str]| read(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        for word in [path.clone(), format!("@{path}")] {
            assert_eq!(words(&[&word]).unwrap(), json!({"body": 1}), "{word}");
        }
        assert_eq!(words(&[]).unwrap(), json!({}));
        assert_eq!(words(&["{\"a\": \"x.json\"}"]).unwrap(), json!({"a": "x.json"}));
        assert_eq!(words(&["a=1", "b=x.json"]).unwrap(), json!({"a": 1, "b": "x.json"}));
        assert_eq!(words(&["@nowhere"]).unwrap_err().exit, Exit::Usage);
        assert!(words(&[&format!("@{}", dir.path().display())]).is_err());
    }
}
