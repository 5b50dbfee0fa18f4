//! The pack's configuration, checked by the host against its `config.schema.yaml`.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, Result, host, json};

/// The whole configuration, defaults included.
///
/// # Errors
/// A failure `bad-config` that says where it differs from `T`.
pub fn get<T: DeserializeOwned>() -> Result<T> {
    json::read(host::config().as_bytes())
        .map_err(|misfit| Failure::new("bad-config", format!("the pack's configuration: {misfit}")))
}

/// One value of the configuration; none if there is no such key.
#[must_use]
pub fn value(key: &str) -> Option<Value> {
    match json::read(host::config().as_bytes()) {
        Ok(Value::Object(mut map)) => map.remove(key),
        _ => None,
    }
}
