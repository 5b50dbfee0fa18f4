//! A request as it arrives at the simulated system.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

use super::Reply;
use crate::json;

/// A request as it would arrive at the real system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The name of the connection that it came by.
    pub connection: String,
    /// The method, in capitals.
    pub method: String,
    /// The path, percent-encoded, without the query.
    pub path: String,
    /// The query, pair by pair, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
    pub(crate) params: Vec<(String, String)>,
}

impl Request {
    /// A request without query, headers and body.
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { method: method.into(), path: path.into(), ..Self::default() }
    }

    /// The segment that stands for `{name}` in the route, decoded; empty if the route has no such name.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        find(&self.params, name).unwrap_or_default()
    }

    /// The first value of this name in the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// The first header of this name, in lowercase.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// User and password, if the request has HTTP basic authentication.
    #[must_use]
    pub fn basic_auth(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// Whether the request has HTTP basic authentication, of whomever.
    #[must_use]
    pub fn has_basic_auth(&self) -> bool {
        self.basic_auth().is_some()
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// A reply 400 that says what is wrong.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        json::read(&self.body)
            .map_err(|misfit| Reply::json(400, &serde_json::json!({ "error": format!("bad body: {misfit}") })))
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
