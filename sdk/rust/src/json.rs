//! The one place where JSON is read and written.
//!
//! Everything is read from bytes and written to a string: each further source or sink would be one more copy of the parser,
//! and of each type's code, in every component. For the same reason the place of a mistake is found after the fact, from
//! its position, and not by a deserializer that keeps track of it.

mod place;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a text cannot be read as a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Where, such as `volumes[2].size`; empty for the whole.
    pub(crate) path: String,
    /// Why.
    pub(crate) message: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Reads a value of some type.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Misfit> {
    serde_json::from_slice(bytes).map_err(|error| misfit(bytes, &error))
}

fn misfit(bytes: &[u8], error: &serde_json::Error) -> Misfit {
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&position).unwrap_or(&message).to_owned();
    Misfit { path: place::path(bytes, error.line(), error.column()), message }
}

/// Writes a value.
pub(crate) fn write(value: &(impl Serialize + ?Sized)) -> Result<String, serde_json::Error> {
    serde_json::to_string(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters here")]
    struct Volume {
        size: Size,
        #[serde(default)]
        snapshots: Vec<Size>,
        #[serde(default)]
        state: Option<State>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "only its shape matters here")]
    struct Size {
        gib: u64,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Online,
    }

    #[test]
    fn a_mistake_is_found_where_it_is() {
        for (text, path, message) in [
            (r#"{"size":{"gib":"many"}}"#, "size.gib", "invalid type: string \"many\""),
            (r#"{"size":{"gib":-1}}"#, "size.gib", "invalid value: integer `-1`"),
            (r#"{"size":{"gib":true},"state":null}"#, "size.gib", "invalid type: boolean"),
            (r#"{"size":{"gib":{"a":1}}}"#, "size.gib", "invalid type: map"),
            (r#"{"size":{"gib":[1]}}"#, "size.gib", "invalid type: sequence"),
            (r#"{"size":{"a":{"b":[1,{}]}}}"#, "size", "missing field `gib`"),
            (r#"{"size":{"gib":1},"snapshots":[{"gib":1},{"gib":null}]}"#, "snapshots[1].gib", "invalid type: null"),
            (r#"{"size":{"gib":1},"snapshots":[{"gib":1},{}]}"#, "snapshots[1]", "missing field `gib`"),
            (r#"{"size":{"gib":1},"snapshots":[{"gib":1},7]}"#, "snapshots[1]", "invalid type: integer"),
            (r#"{"size":{"gib":1},"snapshots":{}}"#, "snapshots", "invalid type: map"),
            (r#"{"size":{"gib":1},"state":"off"}"#, "state", "unknown variant `off`"),
            (r#"{"size":{"gib":1},"sate":"x"}"#, "sate", "unknown field `sate`"),
            (
                "{\n  \"size\": {\n    \"g]}ib\": 1,\n    \"gib\": \"x\"\n  }\n}",
                "size.gib",
                "invalid type: string \"x\"",
            ),
            (r#"{"size":{"a\"}":1,"gib":"\"}"}}"#, "size.gib", "invalid type: string"),
            ("{}", "", "missing field `size`"),
            ("[]", "", "invalid length 0"),
            ("7", "", "invalid type: integer `7`"),
            ("", "", "EOF while parsing a value"),
            (r#"{"size":{"gib":1"#, "size.gib", "EOF while parsing"),
        ] {
            let misfit = read::<Volume>(text.as_bytes()).unwrap_err();
            assert_eq!(misfit.path, path, "{text}: {misfit}");
            assert!(misfit.message.starts_with(message), "{text}: {misfit}");
            assert!(!misfit.message.contains("column"), "{misfit}");
        }
    }
}
