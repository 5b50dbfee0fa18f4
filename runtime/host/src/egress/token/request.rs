//! The request for an access token.

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use runner_model::limits::TOKEN_BYTES_MAX;
use url::{Url, form_urlencoded};

use crate::egress::client::Client;
use crate::egress::connection::{ClientAuth, OAuth2};
use crate::egress::endpoint::sensitive;
use crate::egress::error::{ErrorKind, NetError, Stage, classify};

/// The request for an access token: always the same.
pub(super) struct TokenRequest {
    url: Url,
    authorization: Option<HeaderValue>,
    form: Bytes,
}

impl TokenRequest {
    pub(super) fn new(oauth2: &OAuth2) -> Result<Self, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !oauth2.scopes.is_empty() {
            form.append_pair("scope", &oauth2.scopes.join(" "));
        }
        if let Some(audience) = &oauth2.audience {
            form.append_pair("audience", audience);
        }
        let (id, secret) = (&oauth2.client_id, oauth2.client_secret.expose());
        let authorization = match oauth2.client_auth {
            // Both are encoded as in a form before they are put together (RFC 6749 §2.3.1).
            ClientAuth::Basic => {
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(id), encoded(secret));
                let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
                Some(sensitive(&value).ok_or("its client secret cannot be sent")?)
            }
            ClientAuth::Post => {
                form.append_pair("client_id", id).append_pair("client_secret", secret);
                None
            }
        };
        Ok(Self { url: oauth2.token_url.clone(), authorization, form: form.finish().into() })
    }

    /// Sends it. Gives the status and the body of the answer.
    pub(super) async fn send(&self, client: &Client) -> Result<(u16, Vec<u8>), NetError> {
        let mut request = client
            .request(Method::POST, &self.url)?
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::USER_AGENT, concat!("runner/", env!("CARGO_PKG_VERSION")))
            .body(self.form.clone());
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        let mut response = request.send().await.map_err(|error| classify(&error, Stage::Head))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error, Stage::Body))? {
            if body.len() + chunk.len() > TOKEN_BYTES_MAX {
                return Err(NetError::new(ErrorKind::TooLarge, "its answer is too large for one with a token"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}
