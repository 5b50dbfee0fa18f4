//! Jobs: accepted with 202, done when the host's clock says so, with a report and results. They have a `state`, which says
//! whether they are over, and a `status`, which says how it went.

use runner_sdk::clock::rfc3339;
use runner_sdk::simulator::Reply;
use serde_json::{Value, json};

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::seed::{self, Dialect};
use crate::{list, path};

/// How many jobs a list shows if nothing else is asked for: the last ones.
const LISTED: usize = 20;
/// How long a job waits before it runs.
const WAITING_MS: u64 = 300;

/// What a job leads to: names and values.
pub(crate) type Results = Vec<(&'static str, String)>;
/// What a job does when its time has come.
pub(crate) type Work = Box<dyn FnOnce(&mut Aiqum) -> Result<Results, Problem>>;

/// All jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    list: Vec<Job>,
    /// What the next job that is accepted runs into.
    pub(crate) fault: Option<JobFault>,
}

/// What a job runs into on purpose.
#[derive(Debug, Clone)]
pub(crate) enum JobFault {
    /// It fails, and nothing is done.
    Fails(String),
    /// It is done, but not all of it went well.
    Partial(String),
    /// It is done, but cannot be read.
    Gone,
}

struct Job {
    key: String,
    name: String,
    kind: &'static str,
    start: u64,
    end: u64,
    work: Option<Work>,
    fault: Option<JobFault>,
    outcome: Option<Result<Results, Problem>>,
}

/// Accepts work of so many milliseconds: answers 202 with the job.
pub(crate) fn accept(
    aiqum: &mut Aiqum,
    call: &Call<'_>,
    kind: &'static str,
    name: String,
    millis: u64,
    work: Work,
) -> Reply {
    let key = start(aiqum, call.now, kind, name, millis, work);
    Reply::json(202, &json!({ "job": reference(&key, call.dialect) }))
}

/// A job as an answer names it.
pub(crate) fn reference(key: &str, dialect: Dialect) -> Value {
    let href = format!("/api/management-server/jobs/{}", path::encoded(key));
    let mut job = json!({ "key": key, "_links": { "self": { "href": href } } });
    if dialect == Dialect::Seed {
        path::set(&mut job, "uuid", key);
    }
    job
}

/// Puts a job on the list.
pub(crate) fn start(aiqum: &mut Aiqum, now: u64, kind: &'static str, name: String, millis: u64, work: Work) -> String {
    let number = aiqum.jobs.list.len() + 1;
    // As real keys look: `85b642774a960362:-4405f3a8:16e686b7083:-6fac`.
    let key = format!("85b642774a960362:-4405f3a8:16e686b7083:-{:04x}", 0x7fff - number % 0x7fff);
    let end = now + aiqum.rules.job_ms.unwrap_or(millis);
    let fault = aiqum.jobs.fault.take();
    let job = Job { key: key.clone(), name, kind, start: now, end, work: Some(work), fault, outcome: None };
    aiqum.jobs.list.push(job);
    key
}

/// Does what is due by now, in the order in which it ends.
pub(crate) fn advance(aiqum: &mut Aiqum, now: u64) {
    loop {
        let due = aiqum.jobs.list.iter_mut().enumerate().filter(|(_, job)| job.outcome.is_none() && job.end <= now);
        let Some((at, job)) = due.min_by_key(|(_, job)| job.end) else { return };
        let outcome = match (job.fault.clone(), job.work.take()) {
            (Some(JobFault::Fails(message)), _) => Err(Problem::new(500, message)),
            (_, Some(work)) => work(aiqum),
            (_, None) => Ok(Vec::new()),
        };
        if let Some(job) = aiqum.jobs.list.get_mut(at) {
            job.outcome = Some(outcome);
        }
    }
}

/// `GET /management-server/jobs`.
pub(crate) fn list(aiqum: &Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let jobs = aiqum.jobs.list.iter().rev().filter(|job| !job.is_gone());
    list::reply(call.request, jobs.map(|job| job.record(call)).collect(), LISTED)
}

/// `GET /management-server/jobs/{key}`.
pub(crate) fn get(aiqum: &Aiqum, call: &Call<'_>, key: &str) -> Result<Reply, Problem> {
    let job = aiqum.jobs.list.iter().find(|job| job.key == key && !job.is_gone());
    job.map(|job| Reply::json(200, &job.record(call))).ok_or_else(|| Problem::absent("job", key))
}

impl Job {
    fn is_gone(&self) -> bool {
        matches!(self.fault, Some(JobFault::Gone))
    }

    fn state(&self, now: u64) -> &'static str {
        match &self.outcome {
            Some(_) => "completed",
            None if now < self.start + WAITING_MS => "initialized",
            None => "running",
        }
    }

    fn status(&self) -> &'static str {
        match (&self.outcome, &self.fault) {
            (Some(Err(_)), _) => "error",
            (Some(Ok(_)), Some(JobFault::Partial(_))) => "partial_failures",
            _ => "normal",
        }
    }

    fn reason(&self) -> Option<&str> {
        match (&self.outcome, &self.fault) {
            (Some(Err(problem)), _) => Some(&problem.message),
            (Some(Ok(_)), Some(JobFault::Partial(message))) => Some(message),
            _ => None,
        }
    }

    fn record(&self, call: &Call<'_>) -> Value {
        let (state, status) = (self.state(call.now), self.status());
        let ended = self.outcome.as_ref().map(|_| rfc3339(self.end));
        let results = self.outcome.iter().flatten().flatten();
        let results: Vec<Value> = results.map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let href = format!("/api/management-server/jobs/{}", path::encoded(&self.key));
        let mut record = json!({
            "key": self.key,
            "name": self.name,
            "type": self.kind,
            "state": state,
            "status": status,
            "submit_time": rfc3339(self.start),
            "complete_time": ended,
            "parent_job_key": Value::Null,
            "spawned_job_summary": { "total_jobs": 0, "running_jobs": 0, "completed_jobs": 0, "successful_jobs": 0, "failed_jobs": 0, "aborted_jobs": 0 },
            "task_reports": [{
                "key": format!("{}:1", self.key), "name": self.kind, "type": self.kind, "description": self.name, "state": state, "status": status,
                "failure_reason": self.reason(), "start_time": rfc3339(self.start), "complete_time": ended,
            }],
            "job_results": results,
            "_links": { "self": { "href": href } },
        });
        if call.dialect == Dialect::Seed {
            let share = (call.now - self.start).saturating_mul(100) / (self.end - self.start).max(1);
            seed::job(&mut record, self.reason(), share.min(100));
        }
        record
    }
}
