//! Sizes as people write them: `500GB` is 500 times 1024³ bytes, as ONTAP counts.

use runner_sdk::prelude::{Result, Value, bail};

/// How far two sizes may differ and still be the same: ONTAP rounds to blocks, and a FlexGroup to blocks of each member.
pub const ROUNDING_BYTES: u64 = 1024 * 1024;

/// Bytes of a number or of a text with a unit.
///
/// # Errors
/// `bad-size`.
pub fn bytes(value: &Value) -> Result<u64> {
    let read = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => of_text(text),
        _ => None,
    };
    match read {
        Some(bytes) => Ok(bytes),
        None => bail!(
            "bad-size",
            "{value} is not a size: write bytes, or a number with KB, MB, GB, TB or PB such as `500GB`"
        ),
    }
}

fn of_text(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = unit.trim().to_ascii_uppercase();
    let power = match unit.trim_end_matches('B').trim_end_matches('I') {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return None,
    };
    let factor = 1024_u64.pow(power);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let bytes = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    // Digits rather than a float, so that 1.1 TB is the same number everywhere. More than nine say nothing.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    if fraction.is_empty() {
        return Some(bytes);
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor) / scale;
    bytes.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;

    use super::*;

    #[test]
    fn a_unit_is_a_power_of_1024() {
        for (text, wanted) in [
            ("500GB", 536_870_912_000),
            ("500g", 536_870_912_000),
            ("1 TiB", 1 << 40),
            ("1.5K", 1536),
            ("0.1MB", 104_857),
            ("20", 20),
            ("2PB", 2 << 50),
        ] {
            assert_eq!(bytes(&json!(text)).unwrap(), wanted, "{text}");
        }
        assert_eq!(bytes(&json!(1_048_576)).unwrap(), 1_048_576);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for value in [
            json!("big"),
            json!("5X"),
            json!(""),
            json!("99999999PB"),
            json!(-1),
            json!(1.5),
            json!(null),
            json!("-1GB"),
        ] {
            assert_eq!(bytes(&value).unwrap_err().code, "bad-size", "{value}");
        }
    }
}
