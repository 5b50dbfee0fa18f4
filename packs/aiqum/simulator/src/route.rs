//! From a method and a path to what answers it.

use runner_sdk::simulator::Reply;

use crate::Aiqum;
use crate::call::Call;
use crate::problem::Problem;
use crate::seed::{self, Dialect};
use crate::{admin, event, gateway, job, provider, svm, view};

/// Answers a call.
pub(crate) fn dispatch(aiqum: &mut Aiqum, call: &Call<'_>) -> Result<Reply, Problem> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    may(call)?;
    if call.dialect == Dialect::Seed
        && let Some(reply) = seed::dispatch(aiqum, call, &segments)
    {
        return reply;
    }
    match (call.method, segments.as_slice()) {
        ("GET", ["gateways"]) => gateway::list(aiqum, call),
        (_, ["gateways", uuid, ..]) => gateway::forward(aiqum, call, uuid),
        ("POST", ["datacenter", "svm", "svms"]) => svm::create(aiqum, call),
        ("PATCH", ["datacenter", "svm", "svms", key]) => svm::modify(aiqum, call, key),
        ("DELETE", ["datacenter", "svm", "svms", key]) => svm::delete(aiqum, call, key),
        ("GET", ["datacenter", rest @ ..]) => view::get(aiqum, call.request, rest),
        (_, ["storage-provider", rest @ ..]) => provider::dispatch(aiqum, call, rest),
        ("GET", ["management-server", "jobs"]) => job::list(aiqum, call),
        ("GET", ["management-server", "jobs", key]) => job::get(aiqum, call, key),
        ("GET", ["management-server", "events"]) => event::list(aiqum, call),
        ("GET", ["management-server", "events", key]) => event::get(aiqum, key),
        ("PATCH", ["management-server", "events", key]) => event::modify(aiqum, call, key),
        ("GET", ["management-server", "system"]) => Ok(admin::system()),
        (_, ["admin", "datasources", "clusters", rest @ ..]) => admin::datasources(aiqum, call, rest),
        _ => Err(nowhere(call)),
    }
}

/// There is nothing at this path, or not with this method.
pub(crate) fn nowhere(call: &Call<'_>) -> Problem {
    Problem::new(404, format!("There is no resource at {} {}.", call.method, call.request.path))
}

/// The role Operator reads, and nothing else.
fn may(call: &Call<'_>) -> Result<(), Problem> {
    let reads = matches!(call.method, "GET" | "HEAD" | "OPTIONS");
    match call.request.basic_auth() {
        Some((user, _)) if user == "operator" && !reads => {
            Err(Problem::new(403, "The role Operator may not change anything."))
        }
        _ => Ok(()),
    }
}
