//! The pack `core`: small actions that every workflow needs. Its metadata is in `actions/`.

pub mod http_request;
mod key_value;
mod messages;
mod values;

pub use key_value::{kv_cas, kv_delete, kv_get, kv_keys, kv_set};
pub use messages::{echo, fail, log};
pub use values::{now, uuid};

runner_sdk::export!(echo, fail, log, now, uuid, http_request::http_request, kv_get, kv_set, kv_delete, kv_cas, kv_keys);
