//! HMAC over parts of a message: made once for each secret, compared in constant time with each signature that was sent.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use runner_model::Secret;
use runner_pack::{Algorithm, Encoding};
use subtle::{Choice, ConstantTimeEq as _};

use super::refused::Refused;

/// Signatures that one request can offer: senders send one for each secret that holds, two while it is replaced.
pub(super) const OFFERED_MAX: usize = 8;

/// Whether one of `offered` is the signature of the parts, one after the other, by one of `keys`.
///
/// # Errors
/// There is no key, or none of them fits.
pub(super) fn check<K: AsRef<[u8]>>(
    algorithm: Algorithm,
    keys: &[K],
    parts: &[&[u8]],
    offered: &[Vec<u8>],
) -> Result<(), Refused> {
    let keys: Vec<&[u8]> = keys.iter().map(AsRef::as_ref).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() {
        return Err(Refused::secret());
    }
    // Every pair is looked at: how long it takes does not say which one it was.
    let mut fits = Choice::from(0);
    for key in keys {
        let signature = signature(algorithm, key, parts);
        for offered in offered.iter().take(OFFERED_MAX) {
            fits |= signature.as_ref().ct_eq(offered);
        }
    }
    if fits.into() { Ok(()) } else { Err(Refused::unfit()) }
}

fn signature(algorithm: Algorithm, key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let algorithm = match algorithm {
        Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => hmac::HMAC_SHA256,
        Algorithm::Sha512 => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// The bytes of a signature as it is written; none if it is not written so. With `strict` only the lowercase digits that
/// a sender is known to send are hexadecimal.
pub(super) fn decode(encoding: Encoding, text: &str, strict: bool) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Hex if strict && text.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
        Encoding::Hex => hex::decode(text).ok(),
        Encoding::Base64 => BASE64_STANDARD.decode(text).ok(),
    }
}

/// Secrets as the keys that they are: their own bytes.
pub(super) fn keys(secrets: &[Secret]) -> Vec<&[u8]> {
    secrets.iter().map(|secret| secret.expose().as_bytes()).collect()
}
