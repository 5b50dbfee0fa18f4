//! A response, complete.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{Failure, Result, json};

/// Bytes of a body that are shown in a failure: a JSON error document fits, a page of HTML is cut.
const EXCERPT_BYTES: usize = 1024;

/// A response of any status, complete. Redirects are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// A response, for fakes.
    #[must_use]
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Headers, names in lowercase, in the order of arrival.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The response itself if its status is 2xx.
    ///
    /// # Errors
    /// A failure `http-404` (or whichever status) with `status` and the beginning of the `body` in its details; worth
    /// another try for 429, 502, 503 and 504.
    pub fn ok(self) -> Result<Self> {
        if self.is_success() { Ok(self) } else { Err(self.failure()) }
    }

    /// The response itself if its status is one of these.
    ///
    /// # Errors
    /// As [`Response::ok`].
    pub fn expect_status(self, statuses: &[u16]) -> Result<Self> {
        if statuses.contains(&self.status) { Ok(self) } else { Err(self.failure()) }
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// A failure `bad-response` that says where the body differs from what was expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json::read(&self.body).map_err(|misfit| self.unexpected(&misfit))
    }

    fn unexpected(&self, misfit: &json::Misfit) -> Failure {
        Failure::new("bad-response", format!("the response is not as expected: {misfit}"))
            .with_details(json!({ "status": self.status, "body": self.excerpt() }))
    }

    fn failure(&self) -> Failure {
        let failure = Failure::new(format!("http-{}", self.status), format!("the server answered {}", self.status))
            .with_details(json!({ "status": self.status, "body": self.excerpt() }));
        if matches!(self.status, 429 | 502..=504) { failure.retryable() } else { failure }
    }

    fn excerpt(&self) -> Cow<'_, str> {
        match self.body.get(..EXCERPT_BYTES) {
            Some(beginning) => {
                Cow::Owned(format!("{}…", String::from_utf8_lossy(beginning).trim_end_matches('\u{FFFD}')))
            }
            None => self.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response::new(status, vec![("retry-after".to_owned(), "5".to_owned())], body.as_bytes().to_vec())
    }

    #[test]
    fn a_status_other_than_2xx_is_a_failure_that_shows_the_body() {
        let failure = answer(404, r#"{"error":"no such volume"}"#).ok().unwrap_err();
        assert_eq!(failure.code, "http-404");
        assert_eq!(failure.details().unwrap(), &json!({ "status": 404, "body": r#"{"error":"no such volume"}"# }));
        assert!(!failure.retryable);
    }

    #[test]
    fn overload_is_worth_another_try_and_mistakes_are_not() {
        for (status, retryable) in [(429, true), (502, true), (503, true), (504, true), (500, false), (400, false)] {
            assert_eq!(answer(status, "").ok().unwrap_err().retryable, retryable, "{status}");
        }
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let body = format!("x{}", "é".repeat(2000));
        let failure = answer(500, &body).ok().unwrap_err();
        let shown = failure.details().unwrap()["body"].as_str().unwrap().to_owned();
        assert!(shown.ends_with("é…") && shown.len() < 1100, "{}", shown.len());
    }

    #[test]
    fn a_body_of_another_shape_says_where() {
        #[derive(Debug, serde::Deserialize)]
        struct Volume {
            #[allow(dead_code, reason = "only its type matters here")]
            size: u64,
        }
        let failure = answer(200, r#"[{"size":1},{"size":"big"}]"#).json::<Vec<Volume>>().unwrap_err();
        assert!(failure.message.contains("`[1].size`"), "{failure}");
        assert_eq!(failure.code, "bad-response");
    }

    #[test]
    fn headers_are_found_in_any_case() {
        assert_eq!(answer(200, "").header("Retry-After"), Some("5"));
    }
}
