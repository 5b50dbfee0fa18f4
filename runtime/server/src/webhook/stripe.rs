//! Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>,v1=<hex>` over `<t>.<body>`. <https://docs.stripe.com/webhooks#verify-manually>
//!
//! The delivery is the event's id in the body: when Stripe tries again it signs anew, with a new time.

use std::time::Duration;

use http::HeaderMap;
use runner_model::{Secret, Timestamp};
use runner_pack::{Algorithm, Encoding};

use super::refused::Refused;
use super::{Verified, header, mac, payload, window};

pub(super) const SIGNATURE: &str = "stripe-signature";

pub(super) fn verify(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refused> {
    let text = header::required(headers, SIGNATURE)?;
    let (time, signatures) = read(text).ok_or_else(|| Refused::malformed(SIGNATURE))?;
    let timestamp = window::seconds(SIGNATURE, time)?;
    mac::check(Algorithm::Sha256, &mac::keys(secrets), &[time.as_bytes(), b".", body], &signatures)?;
    window::check(timestamp, now, tolerance)?;
    // Without an id the signature itself is what a replay repeats.
    let delivery = payload::member(body, "id").unwrap_or_else(|| text.to_owned());
    Ok(Verified { delivery: Some(payload::key(delivery)), timestamp: Some(timestamp) })
}

/// The time and the signatures of this scheme; those of others (`v0`) are left out.
fn read(text: &str) -> Option<(&str, Vec<Vec<u8>>)> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in text.split(',') {
        match part.split_once('=')? {
            ("t", value) if time.is_none() => time = Some(value),
            ("t", _) => return None,
            ("v1", value) => signatures.push(mac::decode(Encoding::Hex, value, true)?),
            _ => {}
        }
    }
    let fits = !signatures.is_empty() && signatures.len() <= mac::OFFERED_MAX;
    time.filter(|_| fits).map(|time| (time, signatures))
}
