//! The pack `core`: small actions that every workflow needs. Its metadata is in `actions/`.

pub mod http_request;
mod key_value;
mod messages;
mod values;

pub use key_value::{kv_cas, kv_delete, kv_get, kv_keys, kv_set};
pub use messages::{echo, fail, log};
pub use values::{now, uuid};

runner_sdk::export!(echo, fail, log, now, uuid, http_request::http_request, kv_get, kv_set, kv_delete, kv_cas, kv_keys);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::ACTIONS;

    #[test]
    fn every_action_has_its_metadata_and_every_metadata_its_action() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("actions");
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let of_wasm = files.filter(|path| fs::read_to_string(path).unwrap().contains("\nrunner_type: wasm\n"));
        let described: BTreeSet<_> =
            of_wasm.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let exported: BTreeSet<_> = ACTIONS.iter().map(|action| action.name.to_owned()).collect();
        assert_eq!(described, exported);
    }
}
