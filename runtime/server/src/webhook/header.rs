//! Headers that count: each at most once, in characters that can be seen.

use http::{HeaderMap, HeaderName, header};
use runner_model::limits;
use runner_pack::Scheme;

use super::refused::Refused;
use super::{github, slack, standard, stripe};

/// The value of a header that has to be there.
pub(super) fn required<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refused> {
    optional(headers, name)?.ok_or_else(|| Refused::missing(name))
}

/// The value of a header that need not be there.
pub(super) fn optional<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refused::repeated(name));
    }
    value.to_str().map(Some).map_err(|_| Refused::malformed(name))
}

/// The id of a delivery as a header gives it: what events are told apart by is bounded.
///
/// # Errors
/// The header stands more than once, or holds no id.
pub fn delivery(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refused> {
    match optional(headers, name)? {
        Some(id) if id.is_empty() || id.len() > limits::EVENT_KEY_BYTES_MAX => Err(Refused::malformed(name)),
        id => Ok(id.map(str::to_owned)),
    }
}

/// The headers that carry a scheme's signature: who reads a payload has no use for them.
#[must_use]
pub fn own_headers(scheme: &Scheme) -> Vec<&str> {
    match scheme {
        Scheme::GitHub => vec![github::SIGNATURE, github::SIGNATURE_OLD],
        Scheme::Stripe => vec![stripe::SIGNATURE],
        Scheme::StandardWebhooks => vec![standard::SIGNATURE],
        Scheme::Slack => vec![slack::SIGNATURE],
        Scheme::Plain { header, .. } => vec![header],
    }
}

/// Headers that carry credentials, whatever the webhook's own way is. What StackStorm takes out, and what runner's own
/// keys stand in.
pub(super) fn is_credential(name: &HeaderName) -> bool {
    const NAMES: [&str; 4] = ["x-api-key", "st2-api-key", "x-auth-token", "cookie2"];
    *name == header::AUTHORIZATION
        || *name == header::PROXY_AUTHORIZATION
        || *name == header::COOKIE
        || NAMES.contains(&name.as_str())
}
