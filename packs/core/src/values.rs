//! Actions that make a value: `now`, `uuid`.

use std::fmt::Write as _;

use runner_sdk::prelude::{Deserialize, JsonSchema, Result, Serialize, action, bail, clock, random};

/// A moment, in three notations.
#[derive(Serialize, JsonSchema)]
pub struct Moment {
    /// RFC 3339, in UTC.
    rfc3339: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    epoch_ms: u64,
    /// Whole seconds since 1970-01-01T00:00:00Z.
    epoch: u64,
}

/// Reads the time of day.
#[action]
pub fn now() -> Result<Moment> {
    let epoch_ms = clock::now_ms();
    Ok(Moment { rfc3339: clock::rfc3339(epoch_ms), epoch_ms, epoch: epoch_ms / 1000 })
}

/// Which UUID to make.
#[derive(Deserialize, JsonSchema)]
pub struct UuidInput {
    /// 4: random; 7: random, and sorted by the time of its making.
    #[serde(default = "random_version")]
    version: u8,
}

fn random_version() -> u8 {
    4
}

/// A new UUID.
#[derive(Serialize, JsonSchema)]
pub struct UuidOutput {
    /// The UUID, in lowercase.
    uuid: String,
}

/// Makes a UUID (RFC 9562), version 4 or 7.
#[action]
pub fn uuid(input: UuidInput) -> Result<UuidOutput> {
    let mut bits = u128::from_be_bytes(random::array());
    match input.version {
        4 => {}
        // The first 48 bits are the time in milliseconds.
        7 => bits = (u128::from(clock::now_ms()) << 80) | (bits & ((1 << 80) - 1)),
        other => bail!("bad-input", "`version`: there is no version {other} here, only 4 and 7"),
    }
    bits = (bits & !(0xF << 76)) | (u128::from(input.version) << 76);
    bits = (bits & !(0b11 << 62)) | (0b10 << 62);
    Ok(UuidOutput { uuid: written(bits) })
}

fn written(bits: u128) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;
    use runner_sdk::testing::Host;

    use super::*;

    fn made(version: u8) -> String {
        let run = Host::new().now_ms(0x0123_4567_89AB).run(uuid, json!({ "version": version }));
        run.output()["uuid"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        for version in [4, 7] {
            let text = made(version);
            let parts: Vec<_> = text.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{text}");
            assert!(parts[2].starts_with(&version.to_string()), "{text}");
            assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{text}");
        }
    }

    #[test]
    fn a_version_7_begins_with_the_time() {
        assert!(made(7).starts_with("01234567-89ab-7"), "{}", made(7));
    }

    #[test]
    fn two_uuids_of_one_run_differ() {
        let pair = Host::new().inside(|| {
            let one = || uuid(UuidInput { version: 4 }).unwrap().uuid;
            (one(), one())
        });
        assert_ne!(pair.0, pair.1);
    }

    #[test]
    fn an_unknown_version_is_refused() {
        assert_eq!(Host::new().run(uuid, json!({ "version": 1 })).failure().code, "bad-input");
    }

    #[test]
    fn the_time_is_the_hosts() {
        let run = Host::new().now_ms(1_795_257_960_007).run(now, json!({}));
        assert_eq!(run.output()["rfc3339"], "2026-11-21T10:46:00.007Z");
        assert_eq!(run.output()["epoch"], 1_795_257_960);
    }
}
