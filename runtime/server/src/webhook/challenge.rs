//! What senders ask before they send: whether this is the one that they were told about.

use runner_pack::Scheme;
use serde::Deserialize;

/// The answer to a sender's question whether this is the right place, if the body is that and the scheme has it. To be
/// asked after the signature was checked: Slack signs its question too.
#[must_use]
pub fn challenge(scheme: &Scheme, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Question {
        #[serde(rename = "type")]
        kind: String,
        challenge: String,
    }
    if !matches!(scheme, Scheme::Slack) {
        return None;
    }
    let question: Question = serde_json::from_slice(body).ok()?;
    (question.kind == "url_verification").then_some(question.challenge)
}
