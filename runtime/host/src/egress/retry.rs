//! Whether a request is sent again, and after which wait. Decides and does nothing.
//!
//! **A request that may have changed something is sent again only where the server said that it did nothing**: with 429,
//! with 503 and `Retry-After`, or with a code in the body that the system's manners name. A read is also sent again
//! when the server is overloaded, when something between could not reach it, and when the connection was lost.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use runner_model::limits::{RETRY_TRIES, RETRY_WAIT, RETRY_WAIT_MAX};
use runner_model::{BodyRule, Clock as _, RetryManners, SystemClock};

use super::HttpResponse;
use super::error::{ErrorKind, NetError};
use super::request::Effect;

/// Statuses that mean "not now" unless a connection or its kind says otherwise.
const NOT_NOW: [u16; 2] = [429, 503];
/// What something between says that could not reach the server, or not in time.
const BETWEEN: [u16; 2] = [502, 504];
/// Too many requests: by its definition nothing was done (RFC 6585 §4).
const TOO_MANY: u16 = 429;
/// Not now: nothing was done if the server says when to come again.
const UNAVAILABLE: u16 = 503;
/// The body of a refusal in which a code is looked for, in bytes: an error is short.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// When requests of an endpoint are sent again.
pub(super) struct RetryPolicy {
    statuses: BTreeSet<u16>,
    body: Vec<BodyRule>,
    pub(super) tries: u32,
    wait: Duration,
    wait_max: Duration,
    /// Whether a read is sent again after an answer of something between, or a lost connection, more than once.
    patient: bool,
}

/// Why a request is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// What the server did: follows "the server", or is a sentence of its own kind.
    pub(super) what: String,
    /// The same for a figure, of few values.
    pub(super) label: &'static str,
    /// The wait that the server asks for.
    pub(super) asked: Option<Duration>,
    /// Whether the wait can be left out: an idle connection was closed just then, as a rule.
    pub(super) at_once: bool,
}

impl RetryPolicy {
    /// The policy of a connection.
    pub(super) fn of(manners: &RetryManners) -> Self {
        Self {
            statuses: manners.statuses.clone().unwrap_or_else(|| NOT_NOW.into()),
            body: manners.body.clone().unwrap_or_default(),
            tries: manners.tries.unwrap_or(RETRY_TRIES),
            wait: manners.wait.unwrap_or(RETRY_WAIT),
            wait_max: manners.wait_max.unwrap_or(RETRY_WAIT_MAX),
            patient: true,
        }
    }

    /// The policy of systems that nothing is known of: what a pack asks of a URL is its own business, and so is what it
    /// makes of the answer.
    pub(super) fn unknown() -> Self {
        Self {
            statuses: BTreeSet::new(),
            body: Vec::new(),
            tries: 2,
            wait: RETRY_WAIT,
            wait_max: RETRY_WAIT_MAX,
            patient: false,
        }
    }

    /// The waits between tries: each about twice as long as the one before, and none exactly, so that those who were
    /// refused together do not come again together.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        let tries = usize::try_from(self.tries).unwrap_or(usize::MAX);
        let waits = ExponentialBuilder::new().with_min_delay(self.wait).with_max_delay(self.wait_max);
        waits.with_max_times(tries).with_jitter().build()
    }

    /// Why the request could be sent again; none if this is its end.
    pub(super) fn reason(
        &self,
        effect: Effect,
        number: u32,
        result: &Result<HttpResponse, NetError>,
    ) -> Option<Reason> {
        match result {
            Ok(response) => self.refused(effect, response),
            Err(error) if effect == Effect::Read && error.kind == ErrorKind::Closed => {
                let at_once = error.is_unanswered() && number == 1;
                let may = self.patient || at_once;
                may.then(|| Reason { what: error.message.clone(), label: "lost", asked: None, at_once })
            }
            Err(_) => None,
        }
    }

    fn refused(&self, effect: Effect, response: &HttpResponse) -> Option<Reason> {
        let status = response.status;
        if status < 400 {
            return None;
        }
        let asked = retry_after(response);
        let reason = |what, label| Some(Reason { what, label, asked, at_once: false });
        if let Some((pointer, code)) = self.code_in(response) {
            return reason(format!("the server answered {status} with `{pointer}` {code}"), "code");
        }
        let is_read = effect == Effect::Read;
        let did_nothing = status == TOO_MANY || (status == UNAVAILABLE && asked.is_some());
        let listed = self.statuses.contains(&status) && (is_read || did_nothing);
        let between = self.patient && is_read && BETWEEN.contains(&status);
        if listed || between { reason(format!("the server answered {status}"), "status") } else { None }
    }

    /// The code in a body that means "not now", and where it stands.
    fn code_in(&self, response: &HttpResponse) -> Option<(&str, String)> {
        if self.body.is_empty() || response.body.len() > REFUSAL_BYTES_MAX {
            return None;
        }
        let body = serde_json::from_slice(&response.body).ok()?;
        self.body.iter().find_map(|rule| Some((rule.pointer.as_str(), rule.matches(&body)?)))
    }
}

fn header<'a>(response: &'a HttpResponse, wanted: &str) -> Option<&'a str> {
    response.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim())
}

/// The wait that a server asks for (RFC 9110 §10.2.3): seconds, or a date. A date counts from the server's own clock if
/// it tells that: two clocks are seldom right together.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let text = header(response, "retry-after")?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = header(response, "date").and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(own_time);
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}

fn own_time() -> SystemTime {
    let millis = u64::try_from(SystemClock.now().as_millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::egress::error;

    fn policy(manners: serde_json::Value) -> RetryPolicy {
        RetryPolicy::of(&serde_json::from_value(manners).unwrap())
    }

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Result<HttpResponse, NetError> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(HttpResponse { status, headers, body: body.as_bytes().to_vec() })
    }

    const SOON: &[(&str, &str)] = &[("retry-after", "3")];
    const LOCKED: &str = r#"{"error":{"code":"2621573","message":"locked"}}"#;

    #[test]
    fn what_is_sent_again_depends_on_what_the_request_may_have_done() {
        let ours = policy(json!({ "body": { "pointer": "/error/code", "codes": [2621573] } }));
        let cases = [
            // Status, headers, body; whether a read and a write are sent again.
            (200, SOON, LOCKED, false, false),
            (400, &[][..], "", false, false),
            (404, SOON, "", false, false),
            (429, &[], "", true, true),
            (503, &[], "", true, false),
            (503, SOON, "", true, true),
            (502, &[], "", true, false),
            (504, SOON, "", true, false),
            (500, SOON, "", false, false),
            (409, &[], LOCKED, true, true),
            (500, &[], LOCKED, true, true),
            (409, &[], "not JSON", false, false),
        ];
        for (status, headers, body, read, write) in cases {
            let answer = response(status, headers, body);
            let again = |effect| ours.reason(effect, 1, &answer).is_some();
            assert_eq!(again(Effect::Read), read, "a read after {status} {headers:?} {body}");
            for effect in [Effect::Create, Effect::Update, Effect::Delete] {
                assert_eq!(again(effect), write, "{effect:?} after {status} {headers:?} {body}");
            }
        }
    }

    #[test]
    fn only_a_read_is_sent_again_after_a_lost_connection_the_first_time_at_once() {
        let ours = policy(json!({}));
        let lost = Err(error::unanswered());
        assert!(ours.reason(Effect::Read, 1, &lost).unwrap().at_once);
        assert!(!ours.reason(Effect::Read, 2, &lost).unwrap().at_once);
        assert_eq!(ours.reason(Effect::Update, 1, &lost), None);
        let refused = Err(NetError::new(ErrorKind::Connect, "refused"));
        assert_eq!(ours.reason(Effect::Read, 1, &refused), None);
        assert!(RetryPolicy::unknown().reason(Effect::Read, 1, &lost).is_some());
        assert_eq!(RetryPolicy::unknown().reason(Effect::Read, 2, &lost), None);
        assert_eq!(RetryPolicy::unknown().reason(Effect::Read, 1, &response(503, SOON, "")), None);
    }

    #[test]
    fn an_empty_list_of_statuses_leaves_none() {
        let ours = policy(json!({ "statuses": [] }));
        assert_eq!(ours.reason(Effect::Read, 1, &response(503, SOON, "")), None);
        let more = policy(json!({ "statuses": [423] }));
        assert!(more.reason(Effect::Read, 1, &response(423, &[], "")).is_some());
        assert_eq!(more.reason(Effect::Update, 1, &response(423, SOON, "")), None, "423 does not say what was done");
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        let later = "Wed, 21 Oct 2026 07:28:05 GMT";
        for (headers, expected) in [
            (vec![("retry-after", "120")], Some(120)),
            (vec![("retry-after", " 0 ")], Some(0)),
            (vec![("retry-after", later), ("date", date)], Some(5)),
            (vec![("retry-after", date), ("date", later)], Some(0)),
            (vec![("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], Some(0)),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "-1")], None),
            (vec![], None),
        ] {
            let answer = response(503, &headers, "").unwrap();
            assert_eq!(retry_after(&answer).map(|wait| wait.as_secs()), expected, "{headers:?}");
        }
        let far = retry_after(&response(503, &[("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT")], "").unwrap());
        assert!(far.unwrap() > Duration::from_secs(60 * 60), "without the server's clock one's own is taken");
    }

    #[test]
    fn waits_double_vary_and_have_a_longest() {
        let ours = policy(json!({ "wait": 1, "wait_max": 4, "tries": 6 }));
        for _ in 0..50 {
            let waits: Vec<_> = ours.waits().collect();
            assert_eq!(waits.len(), 6);
            for (wait, least) in waits.iter().zip([1, 2, 4, 4, 4, 4]) {
                let least = Duration::from_secs(least);
                assert!((least..=least * 2).contains(wait), "{waits:?}");
            }
        }
        assert_ne!(ours.waits().collect::<Vec<_>>(), ours.waits().collect::<Vec<_>>());
    }
}
