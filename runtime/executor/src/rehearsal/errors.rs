//! Everything that went wrong while a workflow was played.
//!
//! An execution's errors are those that nothing dealt with. Orquesta lists each failure of a step, also one that was
//! remediated or tried again: that list is made of the journal.

use std::collections::BTreeMap;

use runner_model::{Entry, ErrorRecord, Fact, Failure, Outcome, Purpose, RouteId, StepId, TaskName};

/// The failures of steps that the journal tells of, and the execution's own errors, each once, in the order of time.
pub(super) fn all(entries: &[Entry], own: &[ErrorRecord]) -> Vec<ErrorRecord> {
    let failures = failures(entries);
    let mut left = failures.as_slice();
    let mut all: Vec<&ErrorRecord> = Vec::new();
    for record in own {
        // An error that is a step's failure stands where that is; another one, behind the last one that is.
        let count = left.iter().position(|failure| failure == record).map_or(0, |at| at + 1);
        let (before, after) = left.split_at(count);
        all.extend(before);
        all.push(record);
        left = after;
    }
    all.extend(left);
    let mut once: Vec<ErrorRecord> = Vec::new();
    for record in all {
        if !once.contains(record) {
            once.push(record.clone());
        }
    }
    once
}

fn failures(entries: &[Entry]) -> Vec<ErrorRecord> {
    let mut steps: BTreeMap<StepId, (&TaskName, RouteId)> = BTreeMap::new();
    let mut failures = Vec::new();
    let mut unhandled: Vec<&TaskName> = Vec::new();
    for entry in entries {
        match &entry.fact {
            Fact::StepScheduled { step, task, route, purpose: Purpose::Task, .. } => {
                steps.insert(*step, (task, *route));
            }
            Fact::AttemptFinished { step, outcome: Outcome::Failed { failure }, .. } => {
                failures.extend(steps.get(step).map(|(task, route)| record(task, *route, failure)));
            }
            Fact::Finished { errors, .. } => {
                unhandled = errors.iter().filter_map(|error| error.task.as_ref()).collect();
            }
            // What runs again gets another chance.
            Fact::RerunRequested { tasks, .. } => {
                let again: Vec<_> = match tasks.as_slice() {
                    [] => std::mem::take(&mut unhandled),
                    tasks => tasks.iter().map(|wanted| &wanted.task).collect(),
                };
                failures
                    .retain(|failure: &ErrorRecord| !failure.task.as_ref().is_some_and(|task| again.contains(&task)));
            }
            _ => {}
        }
    }
    failures
}

fn record(task: &TaskName, route: RouteId, failure: &Failure) -> ErrorRecord {
    ErrorRecord {
        task: Some(task.clone()),
        route: Some(route).filter(|route| route.0 > 0),
        transition: None,
        code: failure.code.clone(),
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        details: failure.details.clone(),
    }
}

#[cfg(test)]
mod tests {
    use runner_model::{AttemptNumber, RerunTask, Timestamp, code};
    use serde_json::Value;

    use super::*;

    fn failed(task: &str, message: &str) -> ErrorRecord {
        record(&task.parse().unwrap(), RouteId(0), &Failure::new(code::EXEC_MOCKED, message))
    }

    fn journal(failures: &[(&str, &str)]) -> Vec<Entry> {
        let of = |(number, (task, message)): (u32, &(&str, &str))| {
            let step = StepId(number);
            let scheduled = Fact::StepScheduled {
                step,
                task: task.parse().unwrap(),
                route: RouteId(0),
                purpose: Purpose::Task,
                action: "core.noop".parse().unwrap(),
                input: Value::Null,
                secret: vec![],
                items: None,
                keeps: None,
                until: None,
            };
            let outcome = Outcome::Failed { failure: Failure::new(code::EXEC_MOCKED, *message) };
            let finished = Fact::AttemptFinished { step, item: None, attempt: AttemptNumber::FIRST, outcome };
            [scheduled, finished].map(|fact| Entry::new(Timestamp::default(), fact))
        };
        (0..).zip(failures).flat_map(of).collect()
    }

    #[test]
    fn what_was_dealt_with_is_listed_and_nothing_twice() {
        let journal = journal(&[("one", "a"), ("two", "b"), ("two", "b"), ("three", "c")]);
        let own = [failed("two", "b"), ErrorRecord { code: "E-FLOW-0012".to_owned(), ..failed("two", "fail") }];
        let messages: Vec<_> = all(&journal, &own).into_iter().map(|record| record.message).collect();
        assert_eq!(messages, ["a", "b", "fail", "c"]);
        assert_eq!(all(&[], &own), own);
    }

    #[test]
    fn what_runs_again_has_not_failed_yet() {
        let mut journal = journal(&[("one", "a"), ("two", "b")]);
        let task = RerunTask { task: "two".parse().unwrap(), route: None, reset_items: false };
        let rerun = Fact::RerunRequested { by: "me".to_owned(), tasks: vec![task] };
        journal.push(Entry::new(Timestamp::default(), rerun));
        assert_eq!(all(&journal, &[]), [failed("one", "a")]);
    }
}
