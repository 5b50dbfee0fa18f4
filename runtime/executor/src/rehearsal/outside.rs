//! What comes from outside while a workflow is played: answers, events, the ends of sub-workflows. Each has its moment.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use runner_engine::UnitId;
use runner_engine::rehearsal::Call;
use runner_model::{Entry, Fact, Outcome, Purpose, StepId, TaskName, Timestamp, Wait, WaitKind};
use runner_pack::{MockAnswer, MockEvent, check_answer};
use serde_json::Value;

use super::preview::{Approval, agreement};

/// Who answers when a rehearsal does not say.
const SOMEBODY: &str = "rehearsal";

/// Who agrees in a plan.
const PLANNED: &str = "plan";

/// What comes from outside, and who waits for it.
pub(super) struct Outside<'a> {
    answers: Vec<(&'a MockAnswer, bool)>,
    events: Vec<&'a MockEvent>,
    /// Where questions are put that nobody answers: then they are taken as agreed to.
    approvals: Option<&'a Mutex<Vec<Approval>>>,
    /// How many entries of the journal were looked at.
    seen: usize,
    tasks: BTreeMap<StepId, TaskName>,
    /// The beginning of the rehearsal: events count from there.
    begin: Timestamp,
    waits: BTreeMap<UnitId, Open<'a>>,
    ends: Vec<(Timestamp, Call, Outcome)>,
}

struct Open<'a> {
    wait: Wait,
    coming: Option<(Timestamp, Coming<'a>)>,
}

enum Coming<'a> {
    Answer(&'a MockAnswer),
    Event(&'a MockEvent),
    Agreement(Value),
}

/// Something that has come.
pub(super) enum Arrival {
    /// What a step waited for.
    Answer { unit: UnitId, by: String, answer: Value },
    /// An attempt that took its time has ended.
    End(Box<Call>, Outcome),
}

impl<'a> Outside<'a> {
    pub(super) fn new(
        answers: &'a [MockAnswer],
        events: &'a [MockEvent],
        begin: Timestamp,
        approvals: Option<&'a Mutex<Vec<Approval>>>,
    ) -> Self {
        Self {
            answers: answers.iter().map(|answer| (answer, false)).collect(),
            events: events.iter().collect(),
            approvals,
            seen: 0,
            tasks: BTreeMap::new(),
            begin,
            waits: BTreeMap::new(),
            ends: Vec::new(),
        }
    }

    /// An attempt ends later.
    pub(super) fn end_later(&mut self, at: Timestamp, call: Call, outcome: Outcome) {
        self.ends.push((at, call, outcome));
    }

    /// Takes note of who waits, from what was recorded since the last look.
    pub(super) fn look(&mut self, entries: &[Entry]) {
        for entry in entries.iter().skip(self.seen) {
            self.note(entry);
        }
        self.seen = entries.len();
    }

    fn note(&mut self, entry: &Entry) {
        let unit = entry.fact.step().map(|step| UnitId { step, item: entry.fact.item() });
        match (&entry.fact, unit) {
            (Fact::StepScheduled { step, task, purpose: Purpose::Task, .. }, _) => {
                self.tasks.insert(*step, task.clone());
            }
            (Fact::WaitOpened { wait, .. }, Some(unit)) => {
                let coming = self.coming(unit, wait, entry.at);
                self.waits.insert(unit, Open { wait: Wait::clone(wait), coming });
            }
            (Fact::Answered { .. } | Fact::AttemptFinished { .. }, Some(unit)) => {
                self.waits.remove(&unit);
            }
            (Fact::Finished { .. }, _) => {
                self.waits.clear();
                self.ends.clear();
            }
            _ => {}
        }
    }

    /// What will come for a wait, and when.
    fn coming(&mut self, unit: UnitId, wait: &Wait, since: Timestamp) -> Option<(Timestamp, Coming<'a>)> {
        if let WaitKind::Event { key } = &wait.kind {
            let moment = |event: &MockEvent| after(self.begin, event.after);
            let in_time = self.events.iter().filter(|event| event.key == *key && moment(event) >= since);
            return in_time.map(|event| (moment(event), Coming::Event(event))).min_by_key(|(at, _)| *at);
        }
        if let (Some(approvals), WaitKind::Inquiry { prompt, schema, .. }) = (self.approvals, &wait.kind) {
            let answer = agreement(schema);
            approvals.lock().push(Approval { prompt: prompt.clone(), answer: answer.clone() });
            return Some((since, Coming::Agreement(answer)));
        }
        let task = self.tasks.get(&unit.step)?;
        let fits = |answer: &MockAnswer| answer.task == *task && (answer.item.is_none() || answer.item == unit.item);
        let (answer, used) = self.answers.iter_mut().find(|(answer, used)| !used && fits(answer))?;
        *used = true;
        Some((after(since, answer.after), Coming::Answer(answer)))
    }

    /// When the next thing comes.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let waits = self.waits.values().filter_map(|open| open.coming.as_ref().map(|(at, _)| *at));
        waits.chain(self.ends.iter().map(|(at, ..)| *at)).min()
    }

    /// What has come by now, once; gives why an answer is refused.
    pub(super) fn arrived(&mut self, now: Timestamp) -> Option<Result<Arrival, String>> {
        if let Some(at) = self.ends.iter().position(|(at, ..)| *at <= now) {
            let (_, call, outcome) = self.ends.remove(at);
            return Some(Ok(Arrival::End(Box::new(call), outcome)));
        }
        let is_due = |open: &Open<'_>| open.coming.as_ref().is_some_and(|(at, _)| *at <= now);
        let (unit, open) = self.waits.iter_mut().find(|(_, open)| is_due(open))?;
        let (_, coming) = open.coming.take()?;
        let (by, answer) = match &coming {
            Coming::Answer(answer) => (answer.by.as_deref().unwrap_or(SOMEBODY), &answer.answer),
            Coming::Event(event) => (event.key.as_str(), &event.payload),
            Coming::Agreement(answer) => (PLANNED, answer),
        };
        Some(match check_answer(&open.wait, answer) {
            Ok(()) => Ok(Arrival::Answer { unit: *unit, by: by.to_owned(), answer: answer.clone() }),
            Err(error) => Err(error.to_string()),
        })
    }
}

/// The moment that long after another.
fn after(moment: Timestamp, delay: std::time::Duration) -> Timestamp {
    moment.plus_ms(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}
