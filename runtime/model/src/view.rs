//! An execution as a reader sees it: the whole journal folded, secrets masked.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ActionRef, AttemptNumber, DelayReason, Entry, ErrorRecord, ExecutionId, ExecutionRecord, Fact, Failure, ItemIndex,
    JournalMask, Outcome, Purpose, RouteId, Status, StepId, TaskName, Timestamp, Wait,
};

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// One execution with everything that may be shown of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionView {
    /// Its line in the catalogue.
    #[serde(flatten)]
    pub record: ExecutionRecord,
    /// The version of its pack.
    pub pack_version: String,
    /// Its parameters, defaults included, secrets masked.
    pub parameters: Value,
    /// What it returned, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// What went wrong, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorRecord>,
    /// Its steps, in the order of their start.
    pub steps: Vec<StepView>,
}

/// One step of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Its number.
    pub step: StepId,
    /// The task it runs.
    pub task: TaskName,
    /// Its route.
    pub route: RouteId,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Purpose::is_task")]
    pub purpose: Purpose,
    /// The action it calls; none if it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionRef>,
    /// Where it stands.
    pub status: Status,
    /// Its rendered input, secrets masked; null if it runs over a list.
    pub input: Value,
    /// What it returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it was decided on.
    pub scheduled_at: Timestamp,
    /// When it goes on, if it is delayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why it is tried again, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delayed_for: Option<DelayReason>,
    /// What it waits for from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitView>,
    /// How far the last attempt that said so was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// Its tries.
    pub attempts: Vec<AttemptView>,
    /// The list it runs over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemView>>,
}

/// One item of a step that runs over a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemView {
    /// Its place in the list.
    pub item: ItemIndex,
    /// Where it stands: `requested` until it is its turn.
    pub status: Status,
    /// Its rendered input, secrets masked; null until it is its turn.
    pub input: Value,
    /// What it returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When it goes on, if it is delayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What it waits for from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitView>,
    /// Its tries.
    pub attempts: Vec<AttemptView>,
}

/// Something from outside that a step waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitView {
    /// What.
    #[serde(flatten)]
    pub wait: Wait,
    /// Since when.
    pub since: Timestamp,
}

/// One try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Which one.
    pub attempt: AttemptNumber,
    /// Where it stands.
    pub status: Status,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// What a step and an item of a step have in common: something that is tried until it has an outcome.
struct Unit<'a> {
    status: &'a mut Status,
    result: &'a mut Option<Value>,
    failure: &'a mut Option<Failure>,
    until: &'a mut Option<Timestamp>,
    waits_for: &'a mut Option<WaitView>,
    attempts: &'a mut Vec<AttemptView>,
}

impl ExecutionView {
    /// Folds a journal; none if it is not the journal of an execution: it does not begin with a request, or its entries
    /// cannot follow one another.
    #[must_use]
    pub fn fold(id: ExecutionId, entries: &[Entry]) -> Option<Self> {
        let mut view = Self::fold_unmasked(id, entries)?;
        view.mask(&JournalMask::of(entries));
        Some(view)
    }

    /// The same with what is secret in results, failures and texts: for those who go on with it, and show nothing.
    #[must_use]
    pub fn fold_unmasked(id: ExecutionId, entries: &[Entry]) -> Option<Self> {
        let (first, rest) = entries.split_first()?;
        let Fact::Requested(requested) = &first.fact else { return None };
        let mut view = Self {
            record: ExecutionRecord::begin(id, first)?,
            pack_version: requested.pack_version.clone(),
            parameters: masked(&requested.parameters, &requested.secret),
            result: None,
            errors: Vec::new(),
            steps: Vec::new(),
        };
        for entry in rest {
            view.record.apply(entry).ok()?;
            view.apply(entry);
        }
        view.steps.iter_mut().for_each(StepView::sum_up);
        Some(view)
    }

    fn mask(&mut self, secret: &JournalMask) {
        let mask = secret.mask();
        mask.hide(&mut self.parameters);
        self.result.iter_mut().for_each(|result| secret.hide_result(result, true));
        self.errors.iter_mut().for_each(|error| mask.hide_error(error));
        let action = self.record.action.clone();
        for step in &mut self.steps {
            // The only step of an action that is run by itself returns what it does.
            let own = step.action.as_ref() == Some(&action);
            step.mask(secret, own);
        }
    }

    fn apply(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::StepScheduled { .. } | Fact::StepSkipped { .. } => self.begin_step(entry),
            Fact::ResumeRequested { .. } => {
                // What is asked to go on asks its parts to go on too.
                for step in &mut self.steps {
                    let items = step.items.iter_mut().flatten().map(|item| &mut item.status);
                    let paused = items.chain([&mut step.status]).filter(|status| **status == Status::Paused);
                    paused.for_each(|status| *status = Status::Running);
                }
            }
            Fact::Finished { result, errors, .. } => {
                self.result = Some(result.clone());
                self.errors.clone_from(errors);
                // What was under way when it ended was given up.
                for step in self.steps.iter_mut().filter(|step| !step.status.is_terminal()) {
                    (step.status, step.until, step.waits_for) = (Status::Canceled, None, None);
                }
            }
            Fact::RerunRequested { .. } => {
                self.result = None;
                self.errors.clear();
            }
            fact => {
                if let Some(step) = fact.step().and_then(|step| self.step_mut(step)) {
                    step.apply(entry);
                }
            }
        }
    }

    fn begin_step(&mut self, entry: &Entry) {
        let Some(mut step) = StepView::begin(entry) else { return };
        if let Fact::StepScheduled { keeps: Some(former), .. } = &entry.fact
            && let Some(former) = self.step_mut(*former)
        {
            let succeeded = former.items.iter().flatten().filter(|item| item.status == Status::Succeeded);
            for kept in succeeded {
                if let Some(slot) = step.item_mut(kept.item) {
                    *slot = kept.clone();
                }
            }
        }
        self.steps.push(step);
    }

    fn step_mut(&mut self, step: StepId) -> Option<&mut StepView> {
        // Steps are numbered in the order of their decision, and all of them are recorded, as a rule in that order.
        let guess = usize::try_from(step.0).ok().filter(|at| self.steps.get(*at).is_some_and(|view| view.step == step));
        match guess {
            Some(at) => self.steps.get_mut(at),
            None => self.steps.iter_mut().rev().find(|view| view.step == step),
        }
    }
}

impl Fact {
    /// The step that it is about.
    #[must_use]
    pub const fn step(&self) -> Option<StepId> {
        match self {
            Self::StepScheduled { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::ItemScheduled { step, .. }
            | Self::AttemptStarted { step, .. }
            | Self::AttemptProgressed { step, .. }
            | Self::AttemptFinished { step, .. }
            | Self::PollEnded { step, .. }
            | Self::StepDelayed { step, .. }
            | Self::WaitOpened { step, .. }
            | Self::Answered { step, .. }
            | Self::ChildPaused { step, .. } => Some(*step),
            _ => None,
        }
    }

    /// The item that it is about.
    #[must_use]
    pub const fn item(&self) -> Option<ItemIndex> {
        match self {
            Self::ItemScheduled { item, .. } => Some(*item),
            Self::AttemptStarted { item, .. }
            | Self::AttemptProgressed { item, .. }
            | Self::AttemptFinished { item, .. }
            | Self::PollEnded { item, .. }
            | Self::StepDelayed { item, .. }
            | Self::WaitOpened { item, .. }
            | Self::Answered { item, .. }
            | Self::ChildPaused { item, .. } => *item,
            _ => None,
        }
    }
}

impl StepView {
    fn mask(&mut self, secret: &JournalMask, own: bool) {
        let mask = secret.mask();
        mask.hide(&mut self.input);
        self.result.iter_mut().for_each(|result| secret.hide_result(result, own));
        self.failure.iter_mut().for_each(|failure| mask.hide_failure(failure));
        self.waits_for.iter_mut().for_each(|waits| mask.hide_wait(&mut waits.wait));
        self.progress.iter_mut().for_each(|progress| mask.hide_text(progress));
        for item in self.items.iter_mut().flatten() {
            mask.hide(&mut item.input);
            item.result.iter_mut().for_each(|result| secret.hide_result(result, own));
            item.failure.iter_mut().for_each(|failure| mask.hide_failure(failure));
            item.waits_for.iter_mut().for_each(|waits| mask.hide_wait(&mut waits.wait));
        }
    }

    /// The step that an entry makes.
    fn begin(entry: &Entry) -> Option<Self> {
        let blank = |step: StepId, task: &TaskName, route: RouteId, status: Status| Self {
            step,
            task: task.clone(),
            route,
            purpose: Purpose::Task,
            action: None,
            status,
            input: Value::Null,
            result: None,
            failure: None,
            scheduled_at: entry.at,
            until: None,
            delayed_for: None,
            waits_for: None,
            progress: None,
            attempts: Vec::new(),
            items: None,
        };
        match &entry.fact {
            Fact::StepSkipped { step, task, route } => Some(blank(*step, task, *route, Status::Skipped)),
            Fact::StepScheduled { step, task, route, purpose, action, input, secret, items, until, keeps: _ } => {
                let status = if until.is_some() { Status::Delayed } else { Status::Scheduled };
                let items = items.as_ref().map(|items| (0..items.len()).map(ItemView::begin).collect());
                // A list without items has nothing that could end it.
                let status = if items.as_ref().is_some_and(Vec::is_empty) { Status::Succeeded } else { status };
                Some(Self {
                    purpose: *purpose,
                    action: Some(action.clone()),
                    input: masked(input, secret),
                    until: *until,
                    items,
                    ..blank(*step, task, *route, status)
                })
            }
            _ => None,
        }
    }

    fn apply(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::ItemScheduled { item, input, secret, .. } => {
                self.until = None;
                if let Some(view) = self.item_mut(*item) {
                    view.status = Status::Scheduled;
                    view.input = masked(input, secret);
                }
            }
            Fact::StepDelayed { item: None, until, reason, .. } => {
                self.delayed_for = Some(*reason);
                self.until = Some(*until);
                self.status = Status::Delayed;
                // A list that is tried again begins anew.
                if let Some(items) = &mut self.items {
                    *items = (0..items.len()).map(ItemView::begin).collect();
                }
            }
            Fact::AttemptProgressed { progress, .. } => self.progress = Some(progress.clone()),
            Fact::ChildPaused { item: None, paused, .. } => {
                self.status = if *paused { Status::Paused } else { Status::Running };
            }
            fact => {
                if let Some(unit) = self.unit(fact.item()) {
                    unit.apply(entry);
                }
            }
        }
    }

    fn item_mut(&mut self, item: ItemIndex) -> Option<&mut ItemView> {
        let at = usize::try_from(item.0).ok()?;
        self.items.as_mut()?.get_mut(at)
    }

    fn unit(&mut self, item: Option<ItemIndex>) -> Option<Unit<'_>> {
        match item {
            None => Some(Unit {
                status: &mut self.status,
                result: &mut self.result,
                failure: &mut self.failure,
                until: &mut self.until,
                waits_for: &mut self.waits_for,
                attempts: &mut self.attempts,
            }),
            Some(item) => {
                let view = self.item_mut(item)?;
                Some(Unit {
                    status: &mut view.status,
                    result: &mut view.result,
                    failure: &mut view.failure,
                    until: &mut view.until,
                    waits_for: &mut view.waits_for,
                    attempts: &mut view.attempts,
                })
            }
        }
    }

    /// Where a step stands that runs over a list: it ends badly once an item has and none is under way, well once all
    /// have. Done once, at the end, because it looks at every item.
    fn sum_up(&mut self) {
        let Some(items) = self.items.as_ref().filter(|items| !items.is_empty() && self.until.is_none()) else { return };
        let under_way = |view: &ItemView| !view.status.is_terminal() && view.status != Status::Requested;
        let failed = items.iter().find(|view| view.status.is_terminal() && view.status != Status::Succeeded);
        let status = if items.iter().any(under_way) {
            Status::Running
        } else if let Some(failed) = failed {
            if failed.status == Status::Canceled { Status::Canceled } else { Status::Failed }
        } else if items.iter().all(|view| view.status == Status::Succeeded) {
            Status::Succeeded
        } else {
            Status::Running
        };
        if self.status.is_terminal() && !status.is_terminal() {
            return;
        }
        self.failure = failed.filter(|_| status == Status::Failed).and_then(|view| view.failure.clone());
        if status == Status::Succeeded {
            let results = items.iter().map(|view| view.result.clone().unwrap_or(Value::Null));
            self.result = Some(results.collect());
        }
        self.status = status;
    }
}

impl ItemView {
    fn begin(index: usize) -> Self {
        Self {
            item: ItemIndex(u32::try_from(index).unwrap_or(u32::MAX)),
            status: Status::Requested,
            input: Value::Null,
            result: None,
            failure: None,
            until: None,
            waits_for: None,
            attempts: Vec::new(),
        }
    }
}

impl Unit<'_> {
    fn apply(self, entry: &Entry) {
        match &entry.fact {
            Fact::AttemptStarted { attempt, .. } => {
                *self.status = Status::Running;
                *self.until = None;
                // A sub-workflow is found again after a crash under the number of its attempt.
                if self.attempts.last().is_none_or(|last| last.attempt != *attempt) {
                    let (attempt, started_at) = (*attempt, entry.at);
                    self.attempts.push(AttemptView { attempt, status: Status::Running, started_at, finished_at: None });
                }
            }
            Fact::AttemptFinished { attempt, outcome, .. } => self.finish(Some(*attempt), outcome, entry.at),
            Fact::PollEnded { outcome, .. } => {
                let (status, failure) = (outcome.status(), outcome.failure().cloned());
                (*self.status, *self.failure, *self.result) = (status, failure, None);
            }
            Fact::StepDelayed { until, .. } => {
                *self.status = Status::Delayed;
                *self.until = Some(*until);
            }
            Fact::WaitOpened { wait, .. } => {
                *self.status = Status::Pending;
                *self.waits_for = Some(WaitView { wait: Wait::clone(wait), since: entry.at });
            }
            Fact::Answered { by, answer, .. } => {
                let answered = self.waits_for.as_ref().and_then(|view| view.wait.answered(by, answer));
                match answered {
                    Some(outcome) => self.finish(None, &outcome, entry.at),
                    None => {
                        *self.waits_for = None;
                        *self.status = Status::Scheduled;
                    }
                }
            }
            Fact::ChildPaused { paused, .. } => {
                *self.status = if *paused { Status::Paused } else { Status::Running };
            }
            _ => {}
        }
    }

    /// The end of an attempt; of the last one, if none is named.
    fn finish(self, attempt: Option<AttemptNumber>, outcome: &Outcome, at: Timestamp) {
        *self.status = outcome.status();
        *self.failure = outcome.failure().cloned();
        *self.waits_for = None;
        *self.until = None;
        *self.result = match outcome {
            Outcome::Succeeded { result } => Some(result.clone()),
            _ => None,
        };
        let wanted = |view: &&mut AttemptView| attempt.is_none_or(|attempt| view.attempt == attempt);
        if let Some(view) = self.attempts.iter_mut().rev().find(wanted) {
            view.status = outcome.status();
            view.finished_at = Some(at);
        }
    }
}

/// The value with the named top-level keys masked.
#[must_use]
pub fn masked(value: &Value, secret: &[String]) -> Value {
    let mut value = value.clone();
    masked_names(&mut value, secret);
    value
}

/// Masks the named top-level keys.
pub(crate) fn masked_names(value: &mut Value, secret: &[String]) {
    if let Value::Object(map) = value {
        for key in secret {
            if let Some(slot) = map.get_mut(key).filter(|slot| !slot.is_null()) {
                *slot = Value::String(MASK.to_owned());
            }
        }
    }
}
