//! What ONTAP says went wrong, as a failure with ONTAP's own code and a message that one can act on.

use runner_sdk::http::Response;
use runner_sdk::prelude::{Failure, Value, json};

use super::Api;
use crate::body;

/// Codes of things that pass by themselves: a configuration that is locked, a node that does not answer another one, a
/// route that is not yet known.
const PASSING: [&str; 9] =
    ["2621573", "13434889", "13434894", "13434895", "65541", "65552", "393271", "458753", "4656092"];

/// What to do about a code, where ONTAP's own sentence does not say it.
const HINTS: [(&str, &str); 14] = [
    ("1", "an object with this name exists already"),
    ("2", "a field is missing, unknown to this version of ONTAP, or not allowed here"),
    ("3", "this version of ONTAP cannot do that"),
    ("4", "there is no such object: look at its name and its SVM"),
    ("6", "the connection's user has no right to do this: give its role access to the path"),
    ("8", "something still uses it: remove that first"),
    ("262197", "a value is not one that the field takes"),
    ("262188", "a field is given twice, once by name and once in `fields`"),
    ("2621573", "the configuration is locked by another change: try again in a few minutes"),
    ("13434889", "another change is under way: try again in a few minutes"),
    ("13434894", "another change is under way: try again in a few minutes"),
    ("65541", "a service of the cluster does not answer: look at the health of its nodes"),
    ("65552", "a service of the cluster does not answer: look at the health of its nodes"),
    ("393271", "a node is out of quorum: look at the health of the cluster"),
];

/// Whether something of this code passes by itself.
#[must_use]
pub fn is_retryable(code: &str) -> bool {
    PASSING.contains(&code)
}

/// What to do about a code, if more than ONTAP says is known.
#[must_use]
pub fn hint(code: &str) -> Option<&'static str> {
    HINTS.iter().find(|(known, _)| *known == code).map(|(_, hint)| *hint)
}

/// The failure that a response is.
pub(super) fn of(api: &Api, method: &str, path: &str, response: &Response) -> Failure {
    let status = response.status();
    let said: Value = response.json().unwrap_or_default();
    // The schema says that a code is a string; what ONTAP sends is at times a number.
    let Some(code) = body::text(&said, "error.code") else { return bare(api, method, path, response) };
    let sentence = body::text(&said, "error.message").unwrap_or_else(|| "ONTAP gives no reason".to_owned());
    let mut message = format!("{method} {path} on `{}`: {}", api.connection, sentence.trim_end_matches('.'));
    if let Some(target) = body::text(&said, "error.target").filter(|target| !target.is_empty()) {
        message.push_str(&format!(" (field `{target}`)"));
    }
    if let Some(hint) = hint(&code) {
        message.push_str(&format!("; {hint}"));
    }
    let details = json!({
        "status": status,
        "target": body::get(&said, "error.target"),
        "arguments": body::get(&said, "error.arguments"),
        "path": path,
    });
    let passes = is_retryable(&code) || matches!(status, 429 | 502..=504);
    let failure = Failure::new(code, message).with_details(details);
    if passes { failure.retryable() } else { failure }
}

/// A response without ONTAP's error object: from something on the way, or from a management interface that is overloaded.
fn bare(api: &Api, method: &str, path: &str, response: &Response) -> Failure {
    let status = response.status();
    let what = match status {
        401 => "the user or the password is not accepted: look at the connection's `auth`",
        403 => "the connection's user has no right to do this: give its role access to the path",
        404 => "there is nothing there: is the connection's `base_url` that of a cluster, without `/api`?",
        429 => "too many requests: lower the connection's `concurrency`",
        502..=504 => "the management interface is busy or restarting",
        _ => "the answer is not one of ONTAP's: is there a proxy on the way?",
    };
    let message = format!("{method} {path} on `{}` was answered {status}: {what}", api.connection);
    let failure =
        Failure::new(format!("http-{status}"), message).with_details(json!({ "status": status, "path": path }));
    if matches!(status, 429 | 502..=504) { failure.retryable() } else { failure }
}

#[cfg(test)]
mod tests {
    use runner_sdk::testing::Host;

    use super::*;

    fn failure(status: u16, body: Value) -> Failure {
        let host = Host::new().on("POST", "ontap", "/api/svm/svms", status, body);
        host.inside(|| Api::new("ontap").send("POST", "/api/svm/svms", &[], Some(&json!({})))).unwrap_err()
    }

    #[test]
    fn a_failure_has_ontaps_code_and_says_what_to_do() {
        let body = json!({ "error": { "code": 4, "message": "entry doesn't exist.", "target": "name" } });
        let failure = failure(404, body);
        assert_eq!(failure.code, "4");
        assert_eq!(
            failure.message,
            "POST /api/svm/svms on `ontap`: entry doesn't exist (field `name`); there is no such object: look at its name and its SVM"
        );
        assert!(!failure.retryable);
    }

    #[test]
    fn what_passes_by_itself_is_worth_another_try() {
        let body = |code: &str| json!({ "error": { "code": code, "message": "locked" } });
        assert!(failure(409, body("2621573")).retryable);
        assert!(failure(503, body("7")).retryable);
        assert!(!failure(409, body("7")).retryable);
        let busy = failure(503, json!("<html>"));
        assert_eq!((busy.code.as_str(), busy.retryable), ("http-503", true));
        let refused = failure(401, Value::Null);
        assert!(refused.message.contains("`auth`") && !refused.retryable, "{refused}");
    }
}
