//! A connection as the operator configures it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use runner_model::Secret;
use serde::{Deserialize, Deserializer, de};
use url::Url;

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
    /// Time for a whole request, in seconds; at most the host's limit, which is also the default.
    #[serde(default, deserialize_with = "seconds")]
    pub timeout: Option<Duration>,
    /// Headers sent with each request, which a guest cannot set or see: for systems with a key of their own.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// How the host authenticates itself: `none`, `{ basic: { username, password } }` or `{ bearer: { token } }`.
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
}

/// Which servers are trusted. By default those that the platform trusts.
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
