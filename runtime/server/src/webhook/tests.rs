//! Signatures that others have made, and ten thousand that nobody has.

mod mutation;
mod vectors;

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use runner_model::{Secret, Timestamp};
use runner_pack::Scheme;

use super::{Refused, Verified, verify};

const WINDOW: Duration = Duration::from_secs(300);

/// A delivery as it is on the wire.
#[derive(Debug, Clone)]
struct Sent {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn new(headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { headers, body: body.to_vec() }
    }

    /// None if no HTTP server would let the headers in.
    fn map(&self) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            map.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        Some(map)
    }

    fn check(&self, scheme: &Scheme, secrets: &[&str], now_s: i64) -> Result<Verified, Refused> {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        let now = Timestamp::from_millis(now_s * 1_000);
        verify(scheme, &secrets, &self.map().unwrap(), &self.body, now, WINDOW)
    }
}
