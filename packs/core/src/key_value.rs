//! Actions on the pack's key-value data, which every workflow can share through them.

use std::time::Duration;

use runner_sdk::prelude::{Deserialize, JsonSchema, Result, Serialize, Value, action, kv};

/// Which key to read.
#[derive(Deserialize, JsonSchema)]
pub struct GetInput {
    /// The key.
    key: String,
    /// What to give if it is not there.
    #[serde(default)]
    default: Value,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub struct GetOutput {
    /// The value, or the default.
    value: Value,
    /// Whether the key was there.
    found: bool,
}

/// Reads a key.
#[action]
pub fn kv_get(input: GetInput) -> Result<GetOutput> {
    let value: Option<Value> = kv::get(&input.key)?;
    let found = value.is_some();
    Ok(GetOutput { value: value.unwrap_or(input.default), found })
}

/// What to set.
#[derive(Deserialize, JsonSchema)]
pub struct SetInput {
    /// The key.
    key: String,
    /// Any value.
    value: Value,
    /// Seconds after which it is gone; without it, never.
    #[serde(default)]
    ttl: Option<u64>,
}

/// Sets a key.
#[action]
pub fn kv_set(input: SetInput) -> Result<()> {
    match input.ttl {
        Some(seconds) => kv::set_for(&input.key, &input.value, Duration::from_secs(seconds))?,
        None => kv::set(&input.key, &input.value)?,
    }
    Ok(())
}

/// Which key to remove.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteInput {
    /// The key.
    key: String,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct DeleteOutput {
    /// Whether the key was there.
    deleted: bool,
}

/// Removes a key.
#[action]
pub fn kv_delete(input: DeleteInput) -> Result<DeleteOutput> {
    Ok(DeleteOutput { deleted: kv::delete(&input.key)? })
}

/// What to set, and on which condition.
#[derive(Deserialize, JsonSchema)]
pub struct SwapInput {
    /// The key.
    key: String,
    /// What it must hold now; null: it must not be there.
    #[serde(default)]
    expected: Value,
    /// What it shall hold; null: it shall be removed.
    #[serde(default)]
    value: Value,
    /// Seconds after which the new value is gone; without it, never.
    #[serde(default)]
    ttl: Option<u64>,
}

/// What became of it.
#[derive(Serialize, JsonSchema)]
pub struct SwapOutput {
    /// Whether the key held what was expected, and so was set.
    swapped: bool,
}

/// Sets a key only if it holds what is expected: a lock, a counter, a first come first served.
#[action]
pub fn kv_cas(input: SwapInput) -> Result<SwapOutput> {
    let present = |value: Value| (!value.is_null()).then_some(value);
    let (expected, value) = (present(input.expected), present(input.value));
    let ttl = input.ttl.map(Duration::from_secs);
    Ok(SwapOutput { swapped: kv::compare_and_swap(&input.key, expected.as_ref(), value.as_ref(), ttl)? })
}

/// Which keys to list.
#[derive(Deserialize, JsonSchema)]
pub struct KeysInput {
    /// What they begin with.
    #[serde(default)]
    prefix: String,
    /// How many to give at most.
    #[serde(default = "default_limit")]
    limit: u32,
}

fn default_limit() -> u32 {
    100
}

/// The keys that there are.
#[derive(Serialize, JsonSchema)]
pub struct KeysOutput {
    /// The keys, sorted.
    keys: Vec<String>,
}

/// Lists keys.
#[action]
pub fn kv_keys(input: KeysInput) -> Result<KeysOutput> {
    Ok(KeysOutput { keys: kv::keys(&input.prefix, input.limit)? })
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;
    use runner_sdk::testing::Host;

    use super::*;

    #[test]
    fn a_key_is_read_or_its_default_given() {
        let host = || Host::new().kv("size", 7);
        assert_eq!(host().run(kv_get, json!({ "key": "size" })).output(), json!({ "value": 7, "found": true }));
        let missing = json!({ "key": "other", "default": [1] });
        assert_eq!(host().run(kv_get, missing).output(), json!({ "value": [1], "found": false }));
    }

    #[test]
    fn a_key_is_set_and_removed() {
        let run = Host::new().run(kv_set, json!({ "key": "a", "value": { "b": null }, "ttl": 5 }));
        assert_eq!(run.kv["a"], json!({ "b": null }));
        let run = Host::new().kv("a", 1).run(kv_delete, json!({ "key": "a" }));
        assert_eq!(run.output(), json!({ "deleted": true }));
        assert!(run.kv.is_empty());
    }

    #[test]
    fn a_key_is_swapped_only_if_it_holds_what_is_expected() {
        let swap = |host: Host, input| {
            let run = host.run(kv_cas, input);
            (run.output()["swapped"].as_bool().unwrap(), run.kv.get("lock").cloned())
        };
        let take = json!({ "key": "lock", "value": "me" });
        assert_eq!(swap(Host::new(), take.clone()), (true, Some(json!("me"))));
        assert_eq!(swap(Host::new().kv("lock", "you"), take), (false, Some(json!("you"))));
        let give_back = json!({ "key": "lock", "expected": "me" });
        assert_eq!(swap(Host::new().kv("lock", "me"), give_back), (true, None));
    }

    #[test]
    fn keys_are_listed_by_prefix() {
        let host = Host::new().kv("a/2", 0).kv("a/1", 0).kv("b", 0);
        assert_eq!(host.run(kv_keys, json!({ "prefix": "a/" })).output(), json!({ "keys": ["a/1", "a/2"] }));
    }
}
