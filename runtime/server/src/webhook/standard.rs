//! Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64> v1,<base64>` over
//! `<id>.<timestamp>.<body>`. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use runner_model::{Secret, Timestamp};
use runner_pack::{Algorithm, Encoding};
use zeroize::Zeroizing;

use super::refused::Refused;
use super::{Verified, header, mac, window};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";

pub(super) fn verify(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refused> {
    let id = header::delivery(headers, ID)?.ok_or_else(|| Refused::missing(ID))?;
    // The full stop parts what is signed: with one in the id, two deliveries could have the same signature.
    if id.contains('.') {
        return Err(Refused::malformed(ID));
    }
    let time = header::required(headers, TIMESTAMP)?;
    let timestamp = window::seconds(TIMESTAMP, time)?;
    let signatures = read(header::required(headers, SIGNATURE)?).ok_or_else(|| Refused::malformed(SIGNATURE))?;
    let keys: Vec<_> = secrets.iter().filter_map(key).collect();
    let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body];
    mac::check(Algorithm::Sha256, &keys, &parts, &signatures)?;
    window::check(timestamp, now, tolerance)?;
    Ok(Verified { delivery: Some(id), timestamp: Some(timestamp) })
}

/// The signatures with a shared secret; those with a key pair (`v1a`) are left out.
fn read(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut signatures = Vec::new();
    for part in text.split(' ') {
        if let ("v1", value) = part.split_once(',')? {
            signatures.push(mac::decode(Encoding::Base64, value, true)?);
        }
    }
    let fits = !signatures.is_empty() && signatures.len() <= mac::OFFERED_MAX;
    fits.then_some(signatures)
}

/// The key within `whsec_<base64>`. People paste secrets with and without the padding.
fn key(secret: &Secret) -> Option<KeyBytes> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = secret.expose();
    let text = text.strip_prefix("whsec_").unwrap_or(text);
    GeneralPurpose::new(&STANDARD, config).decode(text).ok().map(|bytes| KeyBytes(Zeroizing::new(bytes)))
}

/// A decoded secret: wiped from memory when dropped.
struct KeyBytes(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for KeyBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
