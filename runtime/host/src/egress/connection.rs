//! A connection as the operator configures it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use runner_model::permission::is_localhost;
use runner_model::{AddressRange, Manners, Reach, Secret};
use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};

/// The settings of one connection. Whoever reads the configuration has replaced references to secrets by the secrets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// The kind of system behind it, which packs ask for.
    pub kind: String,
    /// Where it is: `http:` or `https:`, without credentials and query. Paths of requests are put after its path.
    pub base_url: Url,
    /// How the host authenticates itself.
    #[serde(default)]
    pub auth: Auth,
    /// Which servers are trusted.
    #[serde(default)]
    pub tls: Tls,
    /// Time for one try of a request, in seconds; at most the host's limit, which is also the default.
    #[serde(default, deserialize_with = "seconds")]
    pub timeout: Option<Duration>,
    /// Headers sent with each request, which a guest cannot set or see: for systems with a key of their own.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// The only networks in which the system, and its token endpoint, may be. Without it they may have any global or
    /// private address, and the one that stands in the URL itself.
    #[serde(default)]
    pub addresses: Option<Vec<AddressRange>>,
    /// How the system wants to be talked to. What is left out is as its kind has it.
    #[serde(default)]
    pub manners: Manners,
}

impl ConnectionConfig {
    /// Which addresses the host of this URL of the connection may have: its base URL's or its token endpoint's.
    pub(super) fn reach(&self, url: &Url) -> Reach {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        let localhost = url.domain().is_some_and(is_localhost);
        let Some(ranges) = self.addresses.clone() else {
            return Reach { global: true, private: true, literal, localhost, ranges: Vec::new() };
        };
        let literal = literal.filter(|address| ranges.iter().any(|range| range.permits(*address)));
        Reach { literal, ranges, ..Reach::default() }
    }
}

/// How the host authenticates itself: `none`, `{ basic: { username, password } }`, `{ bearer: { token } }` or
/// `{ oauth2: { token_url, … } }`. A client certificate stands in [`Tls`]: it is shown before any request, to the token
/// endpoint too, and each of these may stand beside it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token (RFC 6750).
    Bearer {
        /// The token.
        token: Secret,
    },
    /// A bearer token that is fetched and renewed (RFC 6749 §4.4: client credentials).
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
}

/// Where access tokens come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// The client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What the token is to be good for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whom the token is for: several authorization servers ask for it.
    #[serde(default)]
    pub audience: Option<String>,
    /// How the client shows its secret.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Which servers are trusted as the token endpoint; by default those of the connection.
    #[serde(default)]
    pub token_tls: Option<Tls>,
}

/// How a client shows its secret to the token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the header `authorization`: every server has to take it so.
    #[default]
    Basic,
    /// In the body.
    Post,
}

/// Which servers are trusted, by default those that the platform trusts, and which certificate they are shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificates of authorities, in PEM. Only these are trusted then, not the platform's.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// The SHA-256 fingerprint of the server's whole certificate, as `openssl x509 -fingerprint -sha256`, browsers and
    /// `runner connection test` show it. The server is trusted if it has that very certificate (and its key), whatever
    /// the name or the validity in it; with `ca_pem`, it must pass both.
    #[serde(default)]
    pub pin_sha256: Option<Fingerprint>,
    /// Trusts any server. Whoever is on the way can then read the credentials; a warning says so at each start.
    #[serde(default)]
    pub insecure: bool,
    /// The certificate that the client shows, if the server asks for one.
    #[serde(default)]
    pub client_certificate: Option<ClientCertificate>,
}

/// A certificate of the client's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate, and after it those between it and its authority, in PEM. Secret, because files with certificates
    /// often hold the key, too.
    pub cert_pem: Secret,
    /// Its key, in PEM, not encrypted.
    pub key_pem: Secret,
}

/// A SHA-256 fingerprint. Read as `AB:CD:…` or as plain hex digits, in either case; shown as `AB:CD:…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let mut bytes = [0; 32];
        hex::decode_to_slice(&digits, &mut bytes).map_err(|_| {
            format!("`{text}` is not a SHA-256 fingerprint: write 64 hex digits, with or without colons")
        })?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(de::Error::custom(format!("a timeout of {seconds} s is not possible"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_connection_is_read_and_never_shows_its_secrets() {
        let config: ConnectionConfig = serde_json::from_value(json!({
            "kind": "ontap", "base_url": "https://cluster.example/",
            "auth": { "basic": { "username": "admin", "password": "netapp1!" } },
            "headers": { "x-api-key": "k3y" }, "timeout": 2.5,
        }))
        .unwrap();
        assert_eq!(config.timeout, Some(Duration::from_millis(2500)));
        let shown = format!("{config:?}");
        assert!(!shown.contains("netapp1!") && !shown.contains("k3y") && shown.contains("admin"), "{shown}");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        for config in [
            json!({ "kind": "x", "base_url": "https://h/", "pasword": "x" }),
            json!({ "kind": "x", "base_url": "https://h/", "tls": { "insecur": true } }),
            json!({ "kind": "x", "base_url": "https://h/", "auth": { "bearer": { "token": "x", "user": "y" } } }),
            json!({ "kind": "x", "base_url": "https://h/", "timeout": -1 }),
            json!({ "kind": "x", "base_url": "https://h/", "manners": { "retry": { "tires": 1 } } }),
            json!({ "kind": "x", "base_url": "https://h/", "auth": { "oauth2": { "client_id": "x" } } }),
        ] {
            assert!(serde_json::from_value::<ConnectionConfig>(config.clone()).is_err(), "{config}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_in_its_usual_forms() {
        let hex = "00ff".repeat(16);
        let print: Fingerprint = hex.parse().unwrap();
        assert_eq!(print.to_string().len(), 32 * 3 - 1);
        assert_eq!(print.to_string().parse::<Fingerprint>().unwrap(), print);
        assert_eq!(print.to_string().to_lowercase().parse::<Fingerprint>().unwrap(), print);
        assert!("00:ff".parse::<Fingerprint>().is_err());
    }
}
