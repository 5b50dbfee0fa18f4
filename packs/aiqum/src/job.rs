//! Jobs: what Unified Manager does after it has answered. `state` says whether one is over, `status` how it went; a state
//! that is not known is not over.

use runner_sdk::prelude::*;
use runner_sdk::serde_json::Map;

use crate::api::{Api, text};
use crate::cluster::Records;

/// A job that was started: enough to tell how it ended, even if Unified Manager no longer knows it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
pub(crate) struct Job {
    /// Its key.
    pub(crate) key: String,
    /// The result that names what it makes, such as `svmKey`.
    pub(crate) result: Option<String>,
    /// The collection in which that will be.
    pub(crate) path: Option<String>,
    /// By what it is found there.
    pub(crate) query: Option<Map<String, Value>>,
}

/// What every action that writes returns.
#[derive(Serialize, JsonSchema, Debug)]
pub(crate) struct Written {
    /// Whether anything was changed, or will be by the job.
    pub(crate) changed: bool,
    /// The key of the object; null if only the job knows it.
    pub(crate) key: Option<String>,
    /// The job that goes on with it, for `aiqum.check_job`; null if there is nothing to wait for.
    pub(crate) job: Option<Job>,
}

impl Written {
    /// It was so already.
    pub(crate) fn nothing(key: Option<String>) -> Self {
        Self { changed: false, key, job: None }
    }

    /// A job changes or deletes what has this key.
    pub(crate) fn changing(answer: &Value, key: String) -> Result<Self> {
        let job = text(answer, "/job/key");
        // A plan's stand-in names no job: there is nothing to wait for.
        let job = Some(job).filter(|key| !key.is_empty()).map(|key| Job { key, result: None, path: None, query: None });
        Ok(Self { changed: true, key: Some(key), job })
    }

    /// A job makes something.
    pub(crate) fn making(answer: &Value, made: Made<'_>) -> Result<Self> {
        let (job, uuid) = (text(answer, "/job/key"), text(answer, "/uuid"));
        if !job.is_empty() {
            let (result, path) = (Some(made.result.to_owned()), Some(made.path.to_owned()));
            let job = Job { key: job, result, path, query: made.query.as_object().cloned() };
            return Ok(Self { changed: true, key: None, job: Some(job) });
        }
        // A plan's stand-in names no job, but a uuid.
        if uuid.is_empty() {
            bail!("bad-response", "Unified Manager accepted the request, but named no job: {answer}");
        }
        let key = format!("{}:type={},uuid={uuid}", made.cluster, made.kind);
        Ok(Self { changed: true, key: Some(key), job: None })
    }
}

/// What a job makes.
#[derive(Debug)]
pub(crate) struct Made<'a> {
    /// The uuid of its cluster.
    pub(crate) cluster: &'a str,
    /// Its type in keys.
    pub(crate) kind: &'a str,
    /// The result of the job that names it.
    pub(crate) result: &'a str,
    /// The collection in which it will be.
    pub(crate) path: &'a str,
    /// By what it is found there.
    pub(crate) query: Value,
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct JobInput {
    /// The job's key.
    job_key: String,
    /// The connection to Unified Manager.
    connection: String,
}

/// Reads a job.
#[action]
pub(crate) fn get_job(input: JobInput) -> Result<Value> {
    let found = Api::new(&input.connection).find(path!("/api/v2/management-server/jobs/{input.job_key}"))?;
    found.ok_or_else(|| Failure::new("job-gone", format!("Unified Manager does not know the job `{}`", input.job_key)))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct JobsInput {
    /// Filters: fields and what they must be, with `*` and `|`, such as `{status: error}`.
    filter: Map<String, Value>,
    /// How many at most, the latest first.
    limit: usize,
    /// The connection to Unified Manager.
    connection: String,
}

/// Lists jobs, the latest first.
#[action]
pub(crate) fn list_jobs(input: JobsInput) -> Result<Records> {
    let query = crate::system::filters(&input.filter);
    Ok(Api::new(&input.connection).list("/api/v2/management-server/jobs", &query, input.limit)?.into())
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct CheckInput {
    /// The job, as the action that started it returned it; null is done, so that no workflow needs to ask.
    job: Option<Job>,
    /// Or only its key.
    job_key: Option<String>,
    /// The connection to Unified Manager.
    connection: String,
}

/// How far a job is.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Progress {
    /// Whether it is over.
    done: bool,
    /// Unified Manager's state.
    state: String,
    /// How it went: `normal` or `warning`.
    status: String,
    /// In a sentence.
    message: String,
    /// What it led to, by name, such as `svmKey`.
    results: Map<String, Value>,
}

impl Progress {
    fn done(state: &str, message: impl Into<String>, results: Map<String, Value>) -> Self {
        Self { done: true, state: state.to_owned(), status: "normal".to_owned(), message: message.into(), results }
    }
}

/// Looks at a job once: over, going on, or a failure if it failed. For the `poll` of a task.
#[action]
pub(crate) fn check_job(input: CheckInput) -> Result<Progress> {
    let bare = input.job_key.map(|key| Job { key, result: None, path: None, query: None });
    let Some(job) = input.job.or(bare) else {
        return Ok(Progress::done("none", "there is nothing to wait for", Map::new()));
    };
    let api = Api::new(&input.connection);
    match api.find(path!("/api/v2/management-server/jobs/{job.key}"))? {
        Some(record) => looked_at(&job, &record),
        None => gone(api, &job),
    }
}

fn looked_at(job: &Job, record: &Value) -> Result<Progress> {
    let (state, status) = (text(record, "/state"), text(record, "/status"));
    let pairs = record.get("job_results").and_then(Value::as_array).into_iter().flatten();
    let results = pairs.map(|pair| (text(pair, "/name"), pair.get("value").cloned().unwrap_or_default())).collect();
    let name = text(record, "/name");
    if !state.eq_ignore_ascii_case("completed") {
        return Ok(Progress { done: false, message: format!("{name}: {state}"), state, status, results });
    }
    if ["normal", "warning"].iter().any(|well| status.eq_ignore_ascii_case(well)) {
        return Ok(Progress { done: true, message: format!("{name}: {status}"), state, status, results });
    }
    let reports = record.get("task_reports").and_then(Value::as_array).into_iter().flatten();
    let reasons: Vec<String> =
        reports.map(|report| text(report, "/failure_reason")).filter(|reason| !reason.is_empty()).collect();
    let reason = if reasons.is_empty() { "Unified Manager gives no reason".to_owned() } else { reasons.join("; ") };
    let message =
        format!("the job `{}` ({name}) ended with the status {status}: {}", job.key, reason.trim_end_matches('.'));
    Err(Failure::new("job-failed", message).with_details(record))
}

/// Unified Manager does not know the job: what it makes says whether it has succeeded.
fn gone(api: Api<'_>, job: &Job) -> Result<Progress> {
    let (Some(path), Some(query), Some(result)) = (&job.path, &job.query, &job.result) else {
        bail!("job-gone", "Unified Manager does not know the job `{}`: look whether what it was to do is done", job.key)
    };
    let found = api.get(http::Path::raw(path.as_str()), &crate::system::filters(query))?;
    let first = found.pointer("/records/0/key").cloned();
    let message = format!("Unified Manager no longer knows the job `{}`", job.key);
    Ok(match first {
        Some(key) => Progress::done(
            "gone",
            format!("{message}, but what it makes is there"),
            Map::from_iter([(result.clone(), key)]),
        ),
        None => Progress {
            done: false,
            state: "gone".to_owned(),
            status: "normal".to_owned(),
            message,
            results: Map::new(),
        },
    })
}
