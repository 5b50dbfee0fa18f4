//! Jobs: what ONTAP does after it has answered. It forgets a job 300 seconds after its end; then the object itself is looked at.

use runner_sdk::prelude::{Failure, Result, Value, bail, json};

use crate::api::{Answer, Api, Location, Query, hint, query_of, without_links};
use crate::body::{self, differences};
use crate::call::Call;
use crate::locate::Place;

/// What a job does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Makes it.
    Create,
    /// Changes it.
    Update,
    /// Removes it.
    Delete,
}

impl Effect {
    const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What is kept of a job that was started: enough to tell how it ended even if it is forgotten. Null if there is none.
pub fn started(
    place: &Place<'_>,
    answer: &Answer,
    effect: Effect,
    identity: &[(String, String)],
    expect: &Value,
) -> Value {
    let Some(uuid) = &answer.job else { return Value::Null };
    let of_answer = answer.location.as_ref().filter(|location| !location.path.starts_with("/api/cluster/jobs"));
    let (path, query) = match of_answer {
        Some(Location { path, query }) => (path.clone(), query.clone()),
        None => (place.path.clone(), identity.to_vec()),
    };
    let query: runner_sdk::serde_json::Map<_, _> =
        query.into_iter().map(|(name, value)| (name, json!(value))).collect();
    let mut job = json!({ "uuid": uuid, "effect": effect.word(), "path": path, "query": query });
    if effect == Effect::Update {
        let mut expect = expect.clone();
        body::remove(&mut expect, "authentication");
        body::set(&mut job, "expect", expect);
    }
    job
}

/// Looks at a job once: done, going on, or a failure if it failed.
///
/// # Errors
/// The code and the message of the job, `job-cancelled`, `job-gone`, or what ONTAP said.
pub fn check(call: &Call) -> Result<Value> {
    let job = match (call.object("job"), call.text("uuid")) {
        (Some(job), _) => Value::Object(job.clone()),
        (None, Some(uuid)) => json!({ "uuid": uuid }),
        // What was done at once has no job, so that no workflow needs to ask.
        (None, None) => return Ok(state(true, "success", "there is no job: it was done at once", &Value::Null)),
    };
    let Some(uuid) = body::text(&job, "uuid") else { bail!("bad-input", "`job` has no `uuid`") };
    let api = call.api()?;
    let path = format!("/api/cluster/jobs/{}", crate::api::encode(&uuid));
    let mut record = match api.get(&path, &[("fields".to_owned(), "*".to_owned())]) {
        Ok(record) => record,
        Err(failure) if failure.code == "4" || failure.code == "http-404" => return gone(&api, &uuid, &job),
        Err(failure) => return Err(failure),
    };
    without_links(&mut record);
    let word = body::text(&record, "state").unwrap_or_default();
    let message = body::text(&record, "message").unwrap_or_default();
    match word.as_str() {
        "success" => Ok(state(true, &word, &message, &record)),
        "failure" | "error" | "cancelled" | "expired" => Err(failed(&uuid, &word, &record)),
        _ => Ok(state(false, &word, &message, &record)),
    }
}

fn state(done: bool, state: &str, message: &str, record: &Value) -> Value {
    json!({ "done": done, "state": state, "message": message, "job": record })
}

fn failed(uuid: &str, state: &str, record: &Value) -> Failure {
    let code = body::text(record, "error.code").or_else(|| body::text(record, "code")).filter(|code| code != "0");
    let code = code.unwrap_or_else(|| format!("job-{state}"));
    let reason = body::text(record, "error.message").or_else(|| body::text(record, "message"));
    let reason = reason.filter(|reason| !reason.is_empty()).unwrap_or_else(|| "ONTAP gives no reason".to_owned());
    let what = body::text(record, "description").map(|text| format!(" ({text})")).unwrap_or_default();
    let mut message = format!("the job {uuid}{what} ended as {state}: {}", reason.trim_end_matches('.'));
    if let Some(hint) = hint(&code) {
        message.push_str(&format!("; {hint}"));
    }
    Failure::new(code, message).with_details(record)
}

/// The job is forgotten: its object says how it ended.
fn gone(api: &Api, uuid: &str, job: &Value) -> Result<Value> {
    let Some(path) = body::text(job, "path") else {
        bail!(
            "job-gone",
            "ONTAP does not know the job {uuid}: it forgets jobs 300 s after their end; give `location`, so that the object can be looked at"
        );
    };
    let query = job.get("query").and_then(Value::as_object).map(query_of).unwrap_or_default();
    let there = look(api, &path, query)?;
    let effect = body::text(job, "effect").unwrap_or_default();
    let as_wanted = match (&there, effect.as_str()) {
        (None, "delete") => true,
        (Some(there), "update") => {
            let found = job.get("expect").map(|expect| differences(expect, there)).unwrap_or_default();
            found.different.is_empty()
        }
        (there, "delete") => there.is_none(),
        (there, _) => there.is_some(),
    };
    if as_wanted {
        let message = format!("ONTAP has forgotten the job; the object shows that it succeeded: {path}");
        return Ok(json!({ "done": true, "state": "gone", "message": message, "job": null }));
    }
    let is = if there.is_some() { "is there, but not as it should be" } else { "is not there" };
    bail!(
        "job-gone",
        "ONTAP has forgotten the job {uuid} ({effect}), and `{path}` {is}: it failed, or was never begun; run it again"
    )
}

/// The object at a place, or the only one that fits a query there.
fn look(api: &Api, path: &str, mut query: Query) -> Result<Option<Value>> {
    let in_collection = !query.is_empty();
    query.push(("fields".to_owned(), "*".to_owned()));
    match api.get(path, &query) {
        Ok(body) if in_collection => {
            Ok(body.get("records").and_then(Value::as_array).and_then(|records| records.first()).cloned())
        }
        Ok(body) => Ok(Some(body)),
        Err(failure) if failure.code == "4" || failure.code == "http-404" => Ok(None),
        Err(failure) => Err(failure),
    }
}
