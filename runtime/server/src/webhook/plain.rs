//! Any other sender that signs the body: the rule names the header, what stands before the signature in it, how it is
//! written and by which hash. Neither a time nor an id is signed.

use http::HeaderMap;
use runner_model::Secret;
use runner_pack::{Algorithm, Encoding};

use super::refused::Refused;
use super::{Verified, header, mac};

pub(super) fn verify(
    name: &str,
    prefix: &str,
    encoding: Encoding,
    algorithm: Algorithm,
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Verified, Refused> {
    let text = header::required(headers, name)?.strip_prefix(prefix);
    // Some senders write hexadecimal digits in capitals.
    let signature = text.and_then(|text| mac::decode(encoding, text, false));
    let signature = signature.ok_or_else(|| Refused::malformed(name))?;
    mac::check(algorithm, &mac::keys(secrets), &[body], &[signature])?;
    Ok(Verified { delivery: None, timestamp: None })
}
