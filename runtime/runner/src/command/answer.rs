//! An answer, or the payload of an event, on the command line: `name=value` as the schema wants it, or JSON.

use std::io::Read;

use runner_model::{code, limits};
use runner_pack::AnswerError;
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::exit::Exit;

/// How an answer is written, for `--help`.
pub(crate) const HELP: &str = "\
Answers:
  name=value      read as the schema's type: `approved=yes`, `size=3`, `tags=a,b`
  name:=JSON      `sizes:='[1, 2]'`
  name=@FILE      the text of a file, read in the same way
  JSON            the whole answer: `'{\"approved\": true}'`
  -               the whole answer, as JSON from standard input";

/// An answer that was read and does not fit.
pub(crate) fn misfit(error: &AnswerError) -> CliError {
    wrong(error.to_string(), error.hint.clone())
}

/// Reads an answer; what it has to hold is checked elsewhere.
pub(crate) fn read(words: &[String], schema: &Value, stdin: impl Read) -> Result<Value, CliError> {
    match words {
        [] => Err(wrong("no answer is given".to_owned(), takes(schema))),
        [word] if word == "-" => json(&read_text(stdin, "standard input")?, "standard input", schema),
        [word] if is_json(word) => json(word, "the answer", schema),
        // An answer that is no map is one word.
        [word] if !takes_map(schema) => typed(schema, word).map_err(|hint| wrong(unreadable(word, schema), Some(hint))),
        words => pairs(words, schema),
    }
}

fn pairs(words: &[String], schema: &Value) -> Result<Value, CliError> {
    let mut answer = Map::new();
    let mut error: Option<CliError> = None;
    for word in words {
        match pair(word, schema) {
            Ok((name, value)) => {
                if answer.insert(name.clone(), value).is_some() {
                    merge(
                        &mut error,
                        wrong(format!("`{name}` is given twice"), Some("keep one of the two".to_owned())),
                    );
                }
            }
            Err(more) => merge(&mut error, more),
        }
    }
    error.map_or(Ok(Value::Object(answer)), Err)
}

fn merge(all: &mut Option<CliError>, more: CliError) {
    match all {
        None => *all = Some(more),
        Some(all) => all.mistakes.extend(more.mistakes),
    }
}

fn pair(word: &str, schema: &Value) -> Result<(String, Value), CliError> {
    let Some((name, text)) = word.split_once('=') else {
        return Err(wrong(format!("`{word}` has no name"), takes(schema)));
    };
    let (name, is_json) = name.strip_suffix(':').map_or((name, false), |name| (name, true));
    let file = text.strip_prefix('@').map(read_file).transpose()?;
    let text = file.as_deref().unwrap_or(text);
    let inner = schema.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null);
    let value = if is_json {
        serde_json::from_str(text)
            .map_err(|error| wrong(format!("the value of `{name}` is not JSON: {error}"), None))?
    } else {
        typed(inner, text).map_err(|hint| wrong(unreadable(name, inner), Some(with_schema(&hint, schema))))?
    };
    Ok((name.to_owned(), value))
}

/// A text as the schema's type wants it, or what to write instead.
fn typed(schema: &Value, text: &str) -> Result<Value, String> {
    let listed = schema.get("enum").and_then(Value::as_array);
    if let Some(found) = listed.and_then(|values| values.iter().find(|value| is_written(value, text))) {
        return Ok(found.clone());
    }
    let trimmed = text.trim();
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => Ok(Value::Bool(true)),
            "false" | "no" | "n" | "off" | "0" => Ok(Value::Bool(false)),
            _ => Err("write `true` or `false`".to_owned()),
        },
        Some("integer") => {
            trimmed.parse::<i64>().map(Value::from).map_err(|_| "write a whole number, such as `3`".to_owned())
        }
        Some("number") => serde_json::from_str::<serde_json::Number>(trimmed)
            .map(Value::Number)
            .map_err(|_| "write a number, such as `1.5`".to_owned()),
        Some("array") if !trimmed.starts_with('[') => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            let words = trimmed.split(',').filter(|word| !word.is_empty());
            words.map(|word| typed(items, word.trim())).collect()
        }
        Some("array" | "object") => serde_json::from_str(trimmed).map_err(|error| format!("write JSON: {error}")),
        Some("null") => Ok(Value::Null),
        Some(_) => Ok(Value::String(text.to_owned())),
        // Without a type: what looks like JSON is JSON.
        None => Ok(serde_json::from_str(trimmed).unwrap_or_else(|_| Value::String(text.to_owned()))),
    }
}

fn is_written(value: &Value, text: &str) -> bool {
    match value {
        Value::String(word) => word == text,
        other => serde_json::from_str::<Value>(text).is_ok_and(|value| value == *other),
    }
}

fn takes_map(schema: &Value) -> bool {
    schema.get("properties").is_some() || matches!(schema.get("type").and_then(Value::as_str), Some("object") | None)
}

/// Whether a word is JSON that is not also `name=value`.
fn is_json(word: &str) -> bool {
    word.starts_with(['{', '[', '"']) || (!word.contains('=') && serde_json::from_str::<Value>(word).is_ok())
}

fn json(text: &str, source: &str, schema: &Value) -> Result<Value, CliError> {
    serde_json::from_str(text).map_err(|error| wrong(format!("{source} is not JSON: {error}"), takes(schema)))
}

fn unreadable(name: &str, schema: &Value) -> String {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("value");
    format!("`{name}` cannot be read as `{kind}`")
}

/// What an answer has to hold, as one would write it.
fn takes(schema: &Value) -> Option<String> {
    let properties = schema.get("properties")?.as_object()?;
    let one = |(name, inner): (&String, &Value)| {
        format!("{name}={}", inner.get("type").and_then(Value::as_str).unwrap_or("value").to_uppercase())
    };
    let words: Vec<_> = properties.iter().map(one).collect();
    (!words.is_empty()).then(|| format!("write `{}`", words.join(" ")))
}

fn with_schema(hint: &str, schema: &Value) -> String {
    takes(schema).map_or_else(|| hint.to_owned(), |takes| format!("{hint}; of the whole answer {takes}"))
}

fn wrong(message: String, hint: Option<String>) -> CliError {
    CliError::new(Exit::Usage, code::EXEC_BAD_ANSWER, message).maybe_hint(hint)
}

fn read_file(path: &str) -> Result<String, CliError> {
    let file = std::fs::File::open(path).map_err(|error| wrong(format!("`{path}` cannot be read: {error}"), None))?;
    read_text(file, &format!("`{path}`"))
}

/// Reads no more than an answer may be large.
fn read_text(source: impl Read, name: &str) -> Result<String, CliError> {
    let max = limits::PARAMETERS_BYTES_MAX;
    let mut text = String::new();
    let end = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let read = source.take(end).read_to_string(&mut text);
    read.map_err(|error| wrong(format!("{name} cannot be read: {error}"), None))?;
    if text.len() > max {
        return Err(wrong(format!("{name} is larger than {max} bytes"), None));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(words: &[&str], schema: &Value) -> Result<Value, CliError> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        read(&words, schema, "{\"approved\": false}".as_bytes())
    }

    #[test]
    fn an_answer_is_read_as_its_schema_wants_it() {
        let schema = json!({"type": "object", "properties": {
            "approved": {"type": "boolean"}, "size": {"type": "integer"}, "note": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "integer"}}, "tier": {"enum": ["1", 2]}, "any": {},
        }});
        assert_eq!(
            words(&["approved=yes", "size=3", "note=3", "tags=1,2", "tier=2", "any=x", "other:=[1]"], &schema).unwrap(),
            json!({"approved": true, "size": 3, "note": "3", "tags": [1, 2], "tier": 2, "any": "x", "other": [1]})
        );
        assert_eq!(words(&["{\"approved\": true}"], &schema).unwrap(), json!({"approved": true}));
        assert_eq!(words(&["-"], &schema).unwrap(), json!({"approved": false}));
        assert_eq!(words(&["note=a=b"], &schema).unwrap(), json!({"note": "a=b"}));
    }

    #[test]
    fn an_answer_that_is_no_map_is_one_word() {
        assert_eq!(words(&["yes"], &json!({"type": "boolean"})).unwrap(), json!(true));
        assert_eq!(words(&["a=b"], &json!({"type": "string"})).unwrap(), json!("a=b"));
        assert_eq!(words(&["7"], &json!(true)).unwrap(), json!(7));
    }

    #[test]
    fn all_mistakes_are_told_and_what_the_schema_wants() {
        let schema = json!({"properties": {"approved": {"type": "boolean"}, "size": {"type": "integer"}}});
        let error = words(&["approved=perhaps", "size=x", "stray"], &schema).unwrap_err();
        assert_eq!(error.mistakes.len(), 3, "{error:?}");
        assert_eq!(error.mistakes[2].hint.as_deref(), Some("write `approved=BOOLEAN size=INTEGER`"));
        assert!(words(&[], &schema).is_err() && words(&["{no"], &schema).is_err());
        assert!(words(&["size=1", "size=2"], &schema).is_err());
    }
}
