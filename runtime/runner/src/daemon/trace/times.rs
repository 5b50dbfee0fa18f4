//! When the parts of an execution began and ended, as far as its view does not say it: a fold over its journal.

use std::collections::BTreeMap;

use runner_model::{AttemptNumber, Entry, Fact, ItemIndex, Outcome, Status, StepId, Timestamp, Wait};

/// A step, or an item of it.
pub(super) type Unit = (StepId, Option<ItemIndex>);

/// Begin and end of every part.
#[derive(Default)]
pub(super) struct Times {
    begun: BTreeMap<Unit, Timestamp>,
    ended: BTreeMap<Unit, Timestamp>,
    tried: BTreeMap<(StepId, Option<ItemIndex>, AttemptNumber), Tried>,
    waits: BTreeMap<Unit, Wait>,
}

/// One attempt.
pub(super) struct Tried {
    /// When it began.
    pub(super) from: Timestamp,
    /// When it ended; none if the execution ended before it.
    pub(super) to: Option<Timestamp>,
    /// How it ended.
    pub(super) status: Status,
    /// Why, if not well.
    pub(super) code: Option<String>,
}

impl Times {
    /// Those of a journal.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut times = Self::default();
        for entry in entries {
            times.apply(entry);
        }
        times
    }

    /// When it began.
    pub(super) fn begin(&self, unit: Unit) -> Option<Timestamp> {
        self.begun.get(&unit).copied()
    }

    /// When it ended; none if the execution ended before it.
    pub(super) fn end(&self, unit: Unit) -> Option<Timestamp> {
        self.ended.get(&unit).copied()
    }

    /// Its attempts, in order.
    pub(super) fn attempts(&self, (step, item): Unit) -> impl Iterator<Item = (AttemptNumber, &Tried)> {
        let all = (step, item, AttemptNumber(0))..=(step, item, AttemptNumber(u32::MAX));
        self.tried.range(all).map(|((_, _, attempt), tried)| (*attempt, tried))
    }

    fn apply(&mut self, entry: &Entry) {
        let (at, item) = (entry.at, entry.fact.item());
        match (&entry.fact, entry.fact.step().map(|step| (step, item))) {
            (Fact::Finished { .. }, _) => self.give_up(at),
            (Fact::StepScheduled { items, .. }, Some(unit)) => {
                self.goes_on(unit, at);
                // A list without items has nothing that could end it.
                if items.as_ref().is_some_and(Vec::is_empty) {
                    self.ends(unit, at);
                }
            }
            (Fact::StepSkipped { .. } | Fact::PollEnded { .. }, Some(unit)) => self.ends(unit, at),
            (Fact::ItemScheduled { .. } | Fact::StepDelayed { .. }, Some(unit)) => self.goes_on(unit, at),
            (Fact::AttemptStarted { attempt, .. }, Some(unit)) => self.begin_attempt(unit, *attempt, at),
            (Fact::AttemptFinished { attempt, outcome, .. }, Some(unit)) => {
                self.end_attempt(unit, Some(*attempt), outcome, at);
            }
            (Fact::WaitOpened { wait, .. }, Some(unit)) => {
                self.goes_on(unit, at);
                self.waits.insert(unit, Wait::clone(wait));
            }
            (Fact::Answered { by, answer, .. }, Some(unit)) => {
                let outcome = self.waits.remove(&unit).and_then(|wait| wait.answered(by, answer));
                if let Some(outcome) = outcome {
                    self.end_attempt(unit, None, &outcome, at);
                }
            }
            _ => {}
        }
    }

    fn begin_attempt(&mut self, unit: Unit, attempt: AttemptNumber, at: Timestamp) {
        self.goes_on(unit, at);
        let tried = self.tried.entry((unit.0, unit.1, attempt));
        let new = || Tried { from: at, to: None, status: Status::Canceled, code: None };
        // What is found again after a crash goes on; what had ended is made anew.
        tried
            .and_modify(|known| *known = if known.to.is_some() { new() } else { Tried { from: known.from, ..new() } })
            .or_insert_with(new);
    }

    /// The end of an attempt; of the last one, if none is named.
    fn end_attempt(&mut self, unit: Unit, attempt: Option<AttemptNumber>, outcome: &Outcome, at: Timestamp) {
        let last = self.attempts(unit).last().map(|(attempt, _)| attempt);
        let tried = attempt.or(last).and_then(|attempt| self.tried.get_mut(&(unit.0, unit.1, attempt)));
        if let Some(tried) = tried {
            (tried.to, tried.status) = (Some(at), outcome.status());
            tried.code = outcome.failure().map(|failure| failure.code.clone());
        }
        self.ends(unit, at);
    }

    /// It is at work, and with it its step.
    fn goes_on(&mut self, unit: Unit, at: Timestamp) {
        for unit in [unit, (unit.0, None)] {
            self.begun.entry(unit).or_insert(at);
            self.ended.remove(&unit);
        }
    }

    /// It ends, and with it perhaps its step: the last one of a list does.
    fn ends(&mut self, unit: Unit, at: Timestamp) {
        for unit in [unit, (unit.0, None)] {
            self.begun.entry(unit).or_insert(at);
            self.ended.insert(unit, at);
        }
    }

    /// The execution ends: what is under way ends with it.
    fn give_up(&mut self, at: Timestamp) {
        for unit in self.begun.keys() {
            self.ended.entry(*unit).or_insert(at);
        }
        for tried in self.tried.values_mut() {
            tried.to.get_or_insert(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use runner_model::{DelayReason, Failure};
    use serde_json::{Value, json};

    use super::*;

    const STEP: StepId = StepId(0);

    fn times(facts: Vec<(i64, Fact)>) -> Times {
        let entries: Vec<_> =
            facts.into_iter().map(|(at, fact)| Entry::new(Timestamp::from_millis(at), fact)).collect();
        Times::of(&entries)
    }

    fn scheduled() -> Fact {
        serde_json::from_value(json!({
            "type": "step_scheduled", "step": 0, "task": "t", "action": "core.noop", "input": null,
        }))
        .unwrap()
    }

    fn started(item: Option<u32>, attempt: u32) -> Fact {
        Fact::AttemptStarted { step: STEP, item: item.map(ItemIndex), attempt: AttemptNumber(attempt) }
    }

    fn finished(item: Option<u32>, attempt: u32, outcome: Outcome) -> Fact {
        Fact::AttemptFinished { step: STEP, item: item.map(ItemIndex), attempt: AttemptNumber(attempt), outcome }
    }

    fn well() -> Outcome {
        Outcome::Succeeded { result: Value::Null }
    }

    fn badly() -> Outcome {
        Outcome::Failed {
            failure: Failure { code: "nope".to_owned(), ..Failure::new(runner_model::code::HOST_OTHER, "no") },
        }
    }

    fn end() -> Fact {
        Fact::Finished { status: Status::Canceled, result: Value::Null, errors: Vec::new() }
    }

    #[test]
    fn a_step_that_is_tried_again_ends_with_its_last_attempt() {
        let (until, reason) = (Timestamp::from_millis(9), DelayReason::Retry);
        let delayed = Fact::StepDelayed { step: STEP, item: None, attempt: AttemptNumber(2), until, reason };
        let mut facts = vec![(1, scheduled()), (2, started(None, 1)), (4, finished(None, 1, badly())), (5, delayed)];
        assert_eq!(times(facts.clone()).end((STEP, None)), None, "it waits for its second attempt");
        facts.extend([(9, started(None, 2)), (12, finished(None, 2, well()))]);
        let times = times(facts);
        assert_eq!(times.end((STEP, None)), Some(Timestamp::from_millis(12)));
        let tried: Vec<_> = times
            .attempts((STEP, None))
            .map(|(attempt, one)| {
                (attempt.0, one.from.as_millis(), one.to.map(Timestamp::as_millis), one.code.as_deref())
            })
            .collect();
        assert_eq!(tried, [(1, 2, Some(4), Some("nope")), (2, 9, Some(12), None)]);
    }

    #[test]
    fn what_is_under_way_ends_with_the_execution() {
        let times = times(vec![
            (1, scheduled()),
            (2, started(Some(0), 1)),
            (2, started(Some(1), 1)),
            (3, finished(Some(0), 1, well())),
            (7, end()),
        ]);
        let ends = [(STEP, Some(ItemIndex(0))), (STEP, Some(ItemIndex(1)))].map(|unit| times.end(unit).unwrap());
        assert_eq!(ends.map(Timestamp::as_millis), [3, 7]);
        let (_, open) = times.attempts((STEP, Some(ItemIndex(1)))).next().unwrap();
        assert_eq!((open.to, open.status), (Some(Timestamp::from_millis(7)), Status::Canceled));
    }

    #[test]
    fn an_attempt_that_is_found_again_after_a_crash_began_when_it_began() {
        let times = times(vec![
            (1, scheduled()),
            (2, started(None, 1)),
            (50, started(None, 1)),
            (60, finished(None, 1, well())),
        ]);
        let tried: Vec<_> = times.attempts((STEP, None)).map(|(_, one)| (one.from, one.to)).collect();
        assert_eq!(tried, [(Timestamp::from_millis(2), Some(Timestamp::from_millis(60)))]);
    }
}
