//! What a server may not send back to a guest: the credentials that the host added to the request.
//!
//! Some servers quote what they were sent, in a header or in the text of an error. A guest would read it, and return it.

use http::HeaderValue;
use runner_model::Mask;

use super::HttpResponse;
use super::connection::{Auth, ConnectionConfig};
use super::error::NetError;
use crate::mask::is_secret;

/// Shorter ones would be found by chance in what a server says; quoted as a whole header they are longer.
const CREDENTIAL_BYTES_MIN: usize = 8;

/// The credentials of a connection.
pub(super) fn of(config: &ConnectionConfig) -> Mask {
    let mask = Mask::default();
    let learn = |text: &str| {
        if text.len() >= CREDENTIAL_BYTES_MIN {
            mask.learn(text);
        }
    };
    match &config.auth {
        Auth::None => {}
        Auth::Basic { username, password } => {
            learn(password.expose());
            // As one text its base64 is that of the header.
            learn(&format!("{username}:{}", password.expose()));
        }
        Auth::Bearer { token } => learn(token.expose()),
        Auth::OAuth2(oauth2) => learn(oauth2.client_secret.expose()),
    }
    config.headers.iter().filter(|(name, _)| is_secret(name)).for_each(|(_, value)| learn(value.expose()));
    mask
}

/// What came back, without credentials; `token` is what the request carried beside them.
pub(super) fn hidden(
    known: &Mask,
    token: Option<&HeaderValue>,
    answer: Result<HttpResponse, NetError>,
) -> Result<HttpResponse, NetError> {
    let fresh = Mask::default();
    if let Some(token) = token.and_then(|token| token.to_str().ok()) {
        fresh.learn(token.strip_prefix("Bearer ").unwrap_or(token));
    }
    let masks = [known, &fresh];
    match answer {
        Ok(mut response) => {
            masks.iter().filter(|mask| !mask.is_empty()).for_each(|mask| hide(mask, &mut response));
            Ok(response)
        }
        Err(mut error) => {
            masks.iter().for_each(|mask| mask.hide_text(&mut error.message));
            Err(error)
        }
    }
}

fn hide(mask: &Mask, response: &mut HttpResponse) {
    response.headers.iter_mut().for_each(|(_, value)| mask.hide_text(value));
    if mask.is_in(&response.body) {
        response.body = mask.bytes(&response.body);
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use serde_json::json;

    use super::*;

    fn config(auth: &serde_json::Value) -> ConnectionConfig {
        let config = json!({
            "kind": "x", "base_url": "https://h/", "auth": auth,
            "headers": { "x-api-key": "key-of-the-house", "accept": "application/json" },
        });
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn what_a_server_quotes_of_the_credentials_does_not_reach_a_guest() {
        let known = of(&config(&json!({ "basic": { "username": "admin", "password": "short" } })));
        let pair = base64::engine::general_purpose::STANDARD.encode("admin:short");
        let body = json!({ "you_sent": format!("Basic {pair}"), "key": "key-of-the-house", "short": "short" });
        let response = HttpResponse {
            status: 401,
            headers: vec![("x-echo".into(), pair.clone()), ("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        };
        let token = HeaderValue::from_static("Bearer fresh-token-1");
        let seen = hidden(&known, Some(&token), Ok(response.clone())).unwrap();
        let text = format!("{:?} {}", seen.headers, String::from_utf8_lossy(&seen.body));
        assert!(!text.contains(&pair) && !text.contains("key-of-the-house"), "{text}");
        assert!(text.contains("application/json") && text.contains("\"short\":\"short\""), "{text}");
        let echo = HttpResponse { body: b"fresh-token-1".to_vec(), ..response };
        assert_eq!(hidden(&known, Some(&token), Ok(echo)).unwrap().body, b"********");
    }

    #[test]
    fn a_connection_without_credentials_hides_nothing() {
        let config: ConnectionConfig =
            serde_json::from_value(json!({ "kind": "x", "base_url": "https://h/" })).unwrap();
        assert!(of(&config).is_empty());
    }
}
