//! What was expected beside what came.

use runner_engine::Plan;
use runner_model::Status;
use runner_pack::{Expected, ExpectedRequest};
use serde_json::{Map, Value, json};

use super::live::SentRequest;
use super::observed::{Observed, fits, normal, shown};
use super::report::Difference;
use super::value::same;

/// What is not as expected after a phase. What is not said is not compared.
pub(super) fn differences(phase: usize, plan: &Plan, expected: &Expected, observed: &Observed) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field: &'static str, expected: Option<Value>, actual: Value| {
        if let Some(expected) = expected.filter(|expected| !same(expected, &actual)) {
            found.push(Difference::between(phase, field, expected, actual));
        }
    };
    let sequence = expected.sequence.as_ref().map(|names| names.iter().map(|name| normal(name)).collect());
    compare("expected_task_sequence", sequence, json!(observed.sequence()));
    compare("expected_routes", expected.routes.as_ref().map(|routes| json!(routes)), json!(observed.routes));
    if !is_status(expected.status, observed.status) {
        compare("expected_workflow_status", Some(json!(expected.status)), json!(observed.status));
    }
    let output = expected.output.clone().filter(|output| !is_nothing(output, &observed.output));
    compare("expected_output", output, observed.output.clone());
    let terminal = expected.term_tasks.as_ref().map(|names| {
        let mut names: Vec<_> = names.iter().map(|name| normal(name)).collect();
        names.sort_unstable();
        json!(names)
    });
    compare("expected_term_tasks", terminal, json!(observed.terminal()));
    found.extend(expected.errors.as_ref().and_then(|expected| errors(phase, plan, expected, observed)));
    found.extend(expected.requests.as_ref().and_then(|expected| requests(phase, expected, &observed.requests)));
    found
}

/// Orquesta knows a workflow that waits only as `paused`.
fn is_status(expected: Status, actual: Status) -> bool {
    const RESTS: [Status; 2] = [Status::Pending, Status::Paused];
    expected == actual || (RESTS.contains(&expected) && RESTS.contains(&actual))
}

/// A workflow without an output returns nothing, which may be written as an empty map.
fn is_nothing(expected: &Value, actual: &Value) -> bool {
    actual.is_null() && expected.as_object().is_some_and(Map::is_empty)
}

/// Each expected error must be among those that came, in the same order; if none is expected, none may have come.
fn errors(phase: usize, plan: &Plan, expected: &[Map<String, Value>], observed: &Observed) -> Option<Difference> {
    const FIELD: &str = "expected_errors";
    let mut left = observed.errors.iter();
    let missing = expected.iter().find(|expected| !left.any(|record| fits(plan, expected, record)));
    let surplus = expected.is_empty() && !observed.errors.is_empty();
    if missing.is_none() && !surplus {
        return None;
    }
    let actual: Vec<_> = observed.errors.iter().map(|record| shown(plan, record)).collect();
    let mut difference = Difference::between(phase, FIELD, json!(expected), json!(actual));
    if let Some(missing) = missing {
        difference.message = format!("no error, or none in this place, is {}", json!(missing));
    }
    Some(difference)
}

fn requests(phase: usize, expected: &[ExpectedRequest], sent: &[SentRequest]) -> Option<Difference> {
    let all_fit = expected.len() == sent.len() && expected.iter().zip(sent).all(|(one, sent)| sent.fits(one));
    if all_fit {
        return None;
    }
    let shown = |request: &ExpectedRequest| {
        let mut shown = json!({"method": request.method, "path": request.path});
        if let Some(map) = shown.as_object_mut() {
            map.extend(request.connection.as_ref().map(|name| ("connection".to_owned(), json!(name))));
            map.extend(request.body.as_ref().map(|body| ("body".to_owned(), body.clone())));
        }
        shown
    };
    let has_body = expected.iter().any(|request| request.body.is_some());
    let expected: Vec<_> = expected.iter().map(shown).collect();
    let difference = Difference::between(phase, "expected_requests", json!(expected), json!(sent));
    let hint = "the body of a request cannot be compared by this version of runner: remove `body`".to_owned();
    Some(difference.hint(has_body.then_some(hint)))
}
