//! Sizes as people write them: `500GB` is 500 times 1024³ bytes, as ONTAP counts.

use runner_sdk::prelude::{Result, Value, bail};

/// Bytes of a number or of a text with a unit.
///
/// # Errors
/// `bad-size`.
pub(crate) fn bytes(value: &Value) -> Result<u64> {
    let read = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => of_text(text),
        _ => None,
    };
    match read {
        Some(bytes) => Ok(bytes),
        None => bail!(
            "bad-size",
            "{value} is not a size: write bytes, or a whole number with KB, MB, GB, TB or PB such as `500GB`"
        ),
    }
}

fn of_text(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
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
    number.parse::<u64>().ok()?.checked_mul(1024_u64.pow(power))
}

#[cfg(test)]
mod tests {
    use runner_sdk::prelude::json;

    use super::*;

    #[test]
    fn a_unit_is_a_power_of_1024() {
        for (value, wanted) in [
            (json!("500GB"), 536_870_912_000),
            (json!("10g"), 10_737_418_240),
            (json!("1 TiB"), 1 << 40),
            (json!(4096), 4096),
        ] {
            assert_eq!(bytes(&value).unwrap(), wanted, "{value}");
        }
        for value in [json!("big"), json!("1.5GB"), json!(-1), json!(null), json!("99999999PB"), json!("")] {
            assert_eq!(bytes(&value).unwrap_err().code, "bad-size", "{value}");
        }
    }
}
