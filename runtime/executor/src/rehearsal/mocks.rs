//! Which mock ends an attempt, and how: the choice is Orquesta's.

use runner_model::{Failure, ItemIndex, Outcome, RouteId, Status, code};
use runner_pack::Mock;
use serde_json::{Map, Value};

/// The message of a failure of which only the result is known, as Orquesta words it.
pub(super) const SEE_RESULT: &str = "Execution failed. See result for details.";

/// The mocks of a phase, with how often each was used.
pub(super) struct Mocks<'a> {
    mocks: Vec<(&'a Mock, u32)>,
}

/// The attempt that a mock is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The task, as it stands in the sequence: a compensation is `task__compensate`.
    pub(super) task: &'a str,
    pub(super) route: RouteId,
    /// The place of the step in the sequence.
    pub(super) place: usize,
    pub(super) item: Option<ItemIndex>,
}

/// What a mock makes of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// It ends.
    Ends(Outcome),
    /// It waits for something from outside.
    Waits,
    /// It goes on.
    Runs,
}

impl<'a> Mocks<'a> {
    pub(super) fn new(mocks: &'a [Mock]) -> Self {
        Self { mocks: mocks.iter().map(|mock| (mock, 0)).collect() }
    }

    /// The mock for an attempt, which is used up by one: one for this very place of the sequence goes before one for any.
    pub(super) fn take(&mut self, wanted: Wanted<'_>) -> Option<&'a Mock> {
        let at_place = |mock: &Mock| mock.seq_id.is_some_and(|seq| usize::try_from(seq) == Ok(wanted.place));
        let found = self.find(wanted, at_place).or_else(|| self.find(wanted, |mock| mock.seq_id.is_none()))?;
        let (mock, used) = self.mocks.get_mut(found)?;
        *used += 1;
        Some(mock)
    }

    fn find(&self, wanted: Wanted<'_>, fits: impl Fn(&Mock) -> bool) -> Option<usize> {
        self.mocks.iter().position(|(mock, used)| {
            *used < mock.num_iter
                && mock.task.as_str() == wanted.task
                && mock.route.is_none_or(|route| route == wanted.route)
                && (mock.item.is_none() || mock.item == wanted.item)
                && fits(mock)
        })
    }
}

/// How an attempt ends that nothing was said about.
pub(super) const fn unmocked() -> Outcome {
    Outcome::Succeeded { result: Value::Null }
}

/// How an attempt ends that has this mock.
pub(super) fn ending(mock: &Mock) -> Ending {
    Ending::Ends(match mock.status {
        Status::Succeeded => Outcome::Succeeded { result: mock.result.clone() },
        Status::Failed => Outcome::Failed { failure: failure(&mock.result) },
        Status::Timeout => Outcome::Timeout { failure: failure(&mock.result) },
        Status::Abandoned => Outcome::Abandoned { failure: failure(&mock.result) },
        Status::Canceled => Outcome::Canceled,
        Status::Pending | Status::Pausing | Status::Paused => return Ending::Waits,
        _ => return Ending::Runs,
    })
}

/// What a failure with this result is. A result in the shape of a failure is one; of any other, the result is all that
/// is known.
fn failure(result: &Value) -> Failure {
    let written = result.as_object().filter(|map| map.get("code").is_some_and(Value::is_string));
    let Some(written) = written else {
        let details = (!result.is_null()).then(|| result.clone());
        return Failure { details, ..Failure::new(code::EXEC_MOCKED, SEE_RESULT) };
    };
    let text = |key: &str| written.get(key).and_then(Value::as_str).map(str::to_owned);
    Failure {
        code: text("code").unwrap_or_default(),
        message: text("message").unwrap_or_else(|| SEE_RESULT.to_owned()),
        hint: text("hint"),
        details: written.get("details").filter(|details| !details.is_null()).cloned(),
        retryable: flag(written, "retryable"),
    }
}

fn flag(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mock(seq_id: Option<u32>, item: Option<u32>, num_iter: u32, result: &str) -> Mock {
        Mock {
            task: "look".parse().unwrap(),
            route: None,
            seq_id,
            item: item.map(ItemIndex),
            iter_id: 0,
            num_iter,
            status: Status::Succeeded,
            result: json!(result),
        }
    }

    fn at(place: usize, item: Option<u32>) -> Wanted<'static> {
        Wanted { task: "look", route: RouteId(0), place, item: item.map(ItemIndex) }
    }

    fn results(mocks: &[Mock], wanted: &[Wanted<'_>]) -> Vec<Option<String>> {
        let mut mocks = Mocks::new(mocks);
        let result = |mock: &Mock| mock.result.as_str().unwrap().to_owned();
        wanted.iter().map(|wanted| mocks.take(*wanted).map(result)).collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
    }

    #[test]
    fn mocks_are_used_up_in_the_order_of_the_file() {
        let mocks = [mock(None, None, 2, "a"), mock(None, None, 0, "never"), mock(None, None, 1, "b")];
        let wanted = [at(0, None), at(1, None), at(2, None), at(3, None)];
        assert_eq!(results(&mocks, &wanted), some(&["a", "a", "b", ""]));
    }

    #[test]
    fn a_mock_for_the_place_of_the_step_goes_before_one_for_any() {
        let mocks = [mock(None, None, 1, "any"), mock(Some(3), None, 1, "third")];
        assert_eq!(results(&mocks, &[at(3, None), at(3, None), at(4, None)]), some(&["third", "any", ""]));
    }

    #[test]
    fn a_mock_for_an_item_serves_no_other() {
        let mocks = [mock(None, Some(1), 1, "one"), mock(None, None, 9, "any")];
        assert_eq!(results(&mocks, &[at(0, Some(0)), at(0, Some(1))]), some(&["any", "one"]));
        assert_eq!(results(&mocks, &[at(0, None)]), some(&["any"]));
    }

    #[test]
    fn a_mock_for_another_route_or_task_is_not_taken() {
        let elsewhere = Mock { route: Some(RouteId(1)), ..mock(None, None, 1, "other route") };
        let mocks = [elsewhere, Mock { task: "leap".parse().unwrap(), ..mock(None, None, 1, "other task") }];
        let on_it = Wanted { route: RouteId(1), ..at(0, None) };
        assert_eq!(results(&mocks, &[at(0, None), on_it]), some(&["", "other route"]));
    }

    #[test]
    fn what_a_mock_says_of_a_failure_is_kept() {
        let failed = |result: Value| match ending(&Mock { status: Status::Failed, result, ..mock(None, None, 1, "") }) {
            Ending::Ends(Outcome::Failed { failure }) => failure,
            other => panic!("{other:?}"),
        };
        assert_eq!(failed(json!("disk full")).details, Some(json!("disk full")));
        assert_eq!(failed(Value::Null).details, None);
        let written = failed(json!({"code": "busy", "message": "later", "details": {"n": 1}, "retryable": true}));
        assert_eq!((written.code.as_str(), written.message.as_str(), written.retryable), ("busy", "later", true));
        assert_eq!(written.details, Some(json!({"n": 1})));
        let waits = Mock { status: Status::Pending, ..mock(None, None, 1, "") };
        assert_eq!(ending(&waits), Ending::Waits);
    }
}
