//! What a token endpoint answers (RFC 6749 §5). Nothing of it is shown but its error code, and only if it is a known one.

use std::time::Duration;

use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

use crate::egress::endpoint::sensitive;

/// A token that was granted.
#[derive(Debug)]
pub(super) struct Granted {
    /// The value of `authorization`.
    pub(super) header: HeaderValue,
    /// For how long it is good, if the endpoint says so. Otherwise it is used until the server refuses it.
    pub(super) lifetime: Option<Duration>,
}

/// Why there is none: what follows "the token endpoint".
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
    /// Whether it may pass by itself.
    pub(super) passing: bool,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Value,
    error: Option<String>,
}

/// The codes of RFC 6749 §5.2, and what to do about each.
const REFUSALS: [(&str, &str); 6] = [
    (
        "invalid_client",
        "look at `client_id`, `client_secret` and `client_auth` (`basic` or `post`) of the connection's `auth`",
    ),
    ("unauthorized_client", "allow this client the grant type `client_credentials` at the authorization server"),
    ("unsupported_grant_type", "allow the grant type `client_credentials` at the authorization server"),
    ("invalid_scope", "look at `scopes` of the connection's `auth`: the authorization server does not grant them"),
    ("invalid_grant", "look at what this client is allowed at the authorization server"),
    ("invalid_request", "look at `client_auth`, `scopes` and `audience` of the connection's `auth`"),
];

/// A token that is good for longer is renewed after that all the same.
const LIFETIME_LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads an answer.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Granted, Refusal> {
    let answer: Option<Answer> = serde_json::from_slice(body).ok();
    if status != 200 {
        return Err(refused(status, answer.and_then(|answer| answer.error)));
    }
    let broken = |message: &str| Refusal { message: message.to_owned(), hint: None, passing: false };
    let Some(Answer { access_token: Some(token), token_type, expires_in, .. }) = answer else {
        return Err(Refusal {
            hint: Some("is `auth.token_url` of the connection the token endpoint, and not a page for people?"),
            ..broken("answered 200 without an access token")
        });
    };
    // Some servers leave the type out, against the standard: there is only this one in practice.
    if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(broken("granted a token that is not a bearer token"));
    }
    let header = sensitive(&format!("Bearer {token}")).filter(|_| !token.is_empty());
    let header = header.ok_or_else(|| broken("granted a token that cannot be sent"))?;
    Ok(Granted { header, lifetime: seconds(&expires_in) })
}

/// A lifetime: a number, or, as some servers have it, the string of one.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().map(|life| life.min(LIFETIME_LONGEST))
}

fn refused(status: u16, error: Option<String>) -> Refusal {
    let known = error.and_then(|error| REFUSALS.iter().find(|(code, _)| *code == error));
    // The endpoint has too much to do, or something behind it is down.
    let passing = status == 429 || status >= 500;
    match known {
        Some((code, hint)) => Refusal { message: format!("answered {status}: {code}"), hint: Some(hint), passing },
        None if (300..400).contains(&status) => Refusal {
            message: format!("answered {status}, which leads elsewhere"),
            hint: Some("set `auth.token_url` of the connection to the address that it leads to"),
            passing,
        },
        None if status == 404 => Refusal {
            message: format!("answered {status}"),
            hint: Some("look at the path of `auth.token_url` of the connection"),
            passing,
        },
        None if status == 401 => {
            Refusal { message: format!("answered {status}"), hint: REFUSALS.first().map(|(_, hint)| *hint), passing }
        }
        None => Refusal { message: format!("answered {status}"), hint: None, passing },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(status: u16, body: &Value) -> Result<Granted, Refusal> {
        read(status, body.to_string().as_bytes())
    }

    #[test]
    fn a_token_has_a_lifetime_if_the_endpoint_says_so() {
        for (expires_in, lifetime) in [
            (json!(3600), Some(3600)),
            (json!("60"), Some(60)),
            (json!(null), None),
            (json!(-5), None),
            (json!([]), None),
        ] {
            let granted =
                answered(200, &json!({ "access_token": "t0k", "token_type": "BEARER", "expires_in": expires_in }))
                    .unwrap();
            assert_eq!(granted.header, "Bearer t0k");
            assert!(!format!("{granted:?}").contains("t0k"));
            assert_eq!(granted.lifetime.map(|life| life.as_secs()), lifetime, "{expires_in}");
        }
        assert!(answered(200, &json!({ "access_token": "t0k" })).is_ok());
    }

    #[test]
    fn a_refusal_says_what_to_do_and_shows_nothing_that_is_not_a_known_code() {
        for (status, body, message, hint, passing) in [
            (401, json!({ "error": "invalid_client" }), "401: invalid_client", "client_secret", false),
            (400, json!({ "error": "invalid_scope", "error_description": "s3cret" }), "invalid_scope", "scopes", false),
            (400, json!({ "error": "s3cret" }), "answered 400", "", false),
            (404, json!("s3cret"), "answered 404", "path", false),
            (302, json!({}), "leads elsewhere", "leads to", false),
            (503, json!({}), "answered 503", "", true),
            (429, json!({}), "answered 429", "", true),
            (200, json!({ "token": "s3cret" }), "without an access token", "token endpoint", false),
            (200, json!({ "access_token": "s3cret", "token_type": "mac" }), "not a bearer", "", false),
            (200, json!({ "access_token": "s3cret\n" }), "cannot be sent", "", false),
            (200, json!({ "access_token": "" }), "cannot be sent", "", false),
        ] {
            let refusal = answered(status, &body).unwrap_err();
            assert!(refusal.message.contains(message), "{body}: {refusal:?}");
            assert!(refusal.hint.unwrap_or("").contains(hint), "{body}: {refusal:?}");
            assert_eq!(refusal.passing, passing, "{body}");
            assert!(!format!("{refusal:?}").contains("s3cret"), "{refusal:?}");
        }
    }
}
