//! Slack: `X-Slack-Signature: v0=<hex>` over `v0:<X-Slack-Request-Timestamp>:<body>`. <https://docs.slack.dev/authentication/verifying-requests-from-slack/>
//!
//! The delivery is the event's id in the body; a command or a button has none and is not sent twice, so that its
//! signature tells a replay.

use std::time::Duration;

use http::HeaderMap;
use runner_model::{Secret, Timestamp};
use runner_pack::{Algorithm, Encoding};

use super::refused::Refused;
use super::{Verified, header, mac, payload, window};

pub(super) const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

pub(super) fn verify(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<Verified, Refused> {
    let time = header::required(headers, TIMESTAMP)?;
    let timestamp = window::seconds(TIMESTAMP, time)?;
    let text = header::required(headers, SIGNATURE)?;
    let signature = text.strip_prefix("v0=").and_then(|text| mac::decode(Encoding::Hex, text, true));
    let signature = signature.ok_or_else(|| Refused::malformed(SIGNATURE))?;
    let parts = [b"v0:", time.as_bytes(), b":", body];
    mac::check(Algorithm::Sha256, &mac::keys(secrets), &parts, &[signature])?;
    window::check(timestamp, now, tolerance)?;
    let delivery = payload::member(body, "event_id").unwrap_or_else(|| text.to_owned());
    Ok(Verified { delivery: Some(payload::key(delivery)), timestamp: Some(timestamp) })
}
