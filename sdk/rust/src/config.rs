//! The pack's configuration, checked by the host against its `config.schema.yaml`.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, Result, host};

/// The whole configuration, defaults included.
///
/// # Errors
/// A failure `bad-config` that says where it differs from `T`.
pub fn get<T: DeserializeOwned>() -> Result<T> {
    let text = host::config();
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Failure::new("bad-config", format!("the pack's configuration: {error}")))
}

/// One value of the configuration; none if there is no such key.
#[must_use]
pub fn value(key: &str) -> Option<Value> {
    match serde_json::from_str(&host::config()) {
        Ok(Value::Object(mut map)) => map.remove(key),
        _ => None,
    }
}
