//! GitHub: `X-Hub-Signature-256: sha256=<hex>` over the body. <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>
//!
//! The delivery's id is not signed, nor is a time: a delivery that was overheard can be sent again under another id.

use http::HeaderMap;
use runner_model::Secret;
use runner_pack::{Algorithm, Encoding};

use super::refused::Refused;
use super::{Verified, header, mac};

pub(super) const SIGNATURE: &str = "x-hub-signature-256";
/// By SHA-1: still sent, never looked at.
pub(super) const SIGNATURE_OLD: &str = "x-hub-signature";
const DELIVERY: &str = "x-github-delivery";

pub(super) fn verify(secrets: &[Secret], headers: &HeaderMap, body: &[u8]) -> Result<Verified, Refused> {
    let text = header::required(headers, SIGNATURE)?.strip_prefix("sha256=");
    let signature = text.and_then(|text| mac::decode(Encoding::Hex, text, true));
    let signature = signature.ok_or_else(|| Refused::malformed(SIGNATURE))?;
    mac::check(Algorithm::Sha256, &mac::keys(secrets), &[body], &[signature])?;
    Ok(Verified { delivery: header::delivery(headers, DELIVERY)?, timestamp: None })
}
