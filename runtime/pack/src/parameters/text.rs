//! `k=v` of the command line: a text read as the parameter's type.

use runner_model::code;
use serde_json::{Map, Value};

use super::{ParameterError, ParameterKind, Parameters};

impl Parameters {
    /// Reads the text of `name=text` as the parameter's type wants it.
    ///
    /// As in `st2 run`: a boolean is `true`, `yes`, `1`, `false`, `no` or `0`; an array is a comma list or JSON, an object
    /// `key:value,…` or JSON. A parameter without a type takes the text as it is.
    pub fn from_text(&self, name: &str, text: &str) -> Result<Value, ParameterError> {
        let parameter = self.get(name).ok_or_else(|| self.unknown(name))?;
        let items = parameter.schema.pointer("/items/type").and_then(Value::as_str);
        let kind_of_items = ParameterKind::NAMED.into_iter().find(|kind| Some(kind.as_str()) == items);
        read(parameter.kind, text, kind_of_items).map_err(|hint| {
            let shown = if parameter.secret { "the text given".to_owned() } else { format!("`{text}`") };
            ParameterError {
                code: code::PARAM_SYNTAX,
                parameter: name.to_owned(),
                message: format!("{shown} cannot be read as `{name}`, which is of type `{}`", parameter.kind),
                hint: Some(hint),
            }
        })
    }
}

/// The value, or a hint.
fn read(kind: ParameterKind, text: &str, items: Option<ParameterKind>) -> Result<Value, String> {
    let trimmed = text.trim();
    match kind {
        ParameterKind::String | ParameterKind::Any => Ok(Value::String(text.to_owned())),
        ParameterKind::Integer => trimmed
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| trimmed.parse::<u64>().map(Value::from))
            .map_err(|_| "write a whole number, such as `3`".to_owned()),
        ParameterKind::Number => number(trimmed).ok_or_else(|| "write a number, such as `1.5`".to_owned()),
        ParameterKind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => Ok(Value::Bool(true)),
            "false" | "no" | "n" | "off" | "0" => Ok(Value::Bool(false)),
            _ => Err("write `true` or `false`".to_owned()),
        },
        ParameterKind::Array => array(trimmed, items),
        ParameterKind::Object => object(trimmed),
    }
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number)
}

fn array(text: &str, items: Option<ParameterKind>) -> Result<Value, String> {
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|error| format!("this begins like JSON, but: {error}"));
    }
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    let item = |text: &str| match items {
        // A comma has separated already: what is nested needs JSON.
        Some(ParameterKind::Array | ParameterKind::Object) => Err("write the list as JSON: `[…]`".to_owned()),
        Some(kind) => read(kind, text.trim(), None),
        None => Ok(Value::String(text.trim().to_owned())),
    };
    text.split(',').map(item).collect()
}

fn object(text: &str) -> Result<Value, String> {
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("this begins like JSON, but: {error}"));
    }
    let mut map = Map::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let Some((key, value)) = pair.split_once(':') else {
            return Err("write JSON, `{\"key\": \"value\"}`, or `key:value,key:value`".to_owned());
        };
        map.insert(key.trim().to_owned(), Value::String(value.trim().to_owned()));
    }
    Ok(Value::Object(map))
}
