//! The forms in which a text may be quoted.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::WITHIN_BYTES_MIN;

/// A text as it may be written: as it is, in JSON, in a URL, in hexadecimal, in base64.
pub(super) fn of(secret: &str) -> Vec<String> {
    let hex = hex::encode(secret);
    let mut forms = vec![
        secret.to_owned(),
        in_json(secret),
        // Of JSON that stands in JSON.
        in_json(&in_json(secret)),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        percent(secret),
        percent(secret).to_lowercase(),
        hex.to_uppercase(),
        hex,
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    // Within something longer base64 depends on where the secret begins: what its neighbours have no part in.
    for before in 0..3_usize {
        let padded = [vec![0; before], secret.as_bytes().to_vec()].concat();
        let whole = padded.get(..padded.len() - padded.len() % 3).unwrap_or_default();
        let from = if before == 0 { 0 } else { 4 };
        for encoded in [STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)] {
            forms.extend(encoded.get(from..).filter(|core| core.len() >= WITHIN_BYTES_MIN).map(str::to_owned));
        }
    }
    forms.retain(|form| !form.is_empty());
    forms
}

fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn percent(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn base64_is_found_wherever_the_text_begins_and_whatever_follows() {
        let secret = "Canary-7f3a!x";
        for (before, after) in [("", ""), ("a", "b"), ("ab", "c"), ("abc", ":d"), ("abcd", "\n"), ("user:", "zzz")] {
            let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
            assert!(of(secret).iter().any(|form| encoded.contains(form.as_str())), "{before}{after}");
        }
    }

    #[test]
    fn quotes_at_the_ends_are_escaped_and_kept() {
        assert!(of("\"abc\\").contains(&r#"\"abc\\"#.to_owned()));
    }
}
