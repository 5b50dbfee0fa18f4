//! Runs of the workflows, as journals.

#![allow(dead_code, reason = "each of those who draw uses a part")]

use runner_model::{
    AttemptNumber, Entry, ExecutionId, ExecutionView, Fact, Failure, ItemIndex, Origin, Outcome, Purpose, Requested,
    RouteId, Status, StepId, TaskName, Timestamp, code,
};
use serde_json::{Value, json};

/// A journal that is being written: each entry a second after the one before.
pub(crate) struct Journal {
    entries: Vec<Entry>,
    now: i64,
    steps: u32,
}

impl Journal {
    pub(crate) fn begin() -> Self {
        let mut journal = Self { entries: Vec::new(), now: 1_795_257_960_000, steps: 0 };
        journal.add(Fact::Requested(Box::new(Requested {
            action: "core.any".parse().unwrap(),
            pack_version: "1.0.0".into(),
            pack_digest: "00".into(),
            parameters: json!({}),
            secret: vec![],
            secret_output: Vec::new(),
            sealed: false,
            origin: Origin::Cli,
            depth: 0,
            simulate: false,
            trace_parent: None,
        })));
        journal.add(Fact::Started);
        journal
    }

    pub(crate) fn add(&mut self, fact: Fact) {
        self.entries.push(Entry::new(Timestamp::from_millis(self.now), fact));
    }

    pub(crate) fn pass(&mut self, millis: i64) {
        self.now += millis;
    }

    /// Decides on a step.
    pub(crate) fn schedule(&mut self, task: &str, route: u32, purpose: Purpose, items: Option<usize>) -> StepId {
        let step = StepId(self.steps);
        self.steps += 1;
        self.add(Fact::StepScheduled {
            step,
            task: TaskName::new(task).unwrap(),
            route: RouteId(route),
            purpose,
            action: "core.noop".parse().unwrap(),
            input: json!({}),
            secret: vec![],
            items: items.map(|count| vec![Value::Null; count]),
            keeps: None,
            until: None,
        });
        step
    }

    pub(crate) fn attempt(&mut self, step: StepId, item: Option<u32>, attempt: u32, end: Option<bool>) {
        let (item, attempt) = (item.map(ItemIndex), AttemptNumber(attempt));
        if let Some(item) = item {
            let action = "core.noop".parse().unwrap();
            self.add(Fact::ItemScheduled { step, item, action, input: json!({}), secret: vec![] });
        }
        self.add(Fact::AttemptStarted { step, item, attempt });
        if let Some(well) = end {
            self.pass(1_300);
            let failure = || Failure::new(code::HOST_TIMEOUT, "it did not work");
            let outcome =
                if well { Outcome::Succeeded { result: json!({}) } } else { Outcome::Failed { failure: failure() } };
            self.add(Fact::AttemptFinished { step, item, attempt, outcome });
        }
    }

    /// A step that ends at its first attempt.
    pub(crate) fn run(&mut self, task: &str, route: u32, well: bool) -> StepId {
        let step = self.schedule(task, route, Purpose::Task, None);
        self.attempt(step, None, 1, Some(well));
        step
    }

    pub(crate) fn skip(&mut self, task: &str) {
        let step = StepId(self.steps);
        self.steps += 1;
        self.add(Fact::StepSkipped { step, task: TaskName::new(task).unwrap(), route: RouteId(0) });
    }

    pub(crate) fn finish(&mut self, status: Status) {
        self.add(Fact::Finished { status, result: Value::Null, errors: vec![] });
    }

    pub(crate) fn view(&self) -> ExecutionView {
        let id: ExecutionId = "019aa5b0-0000-7000-8000-000000000001".parse().unwrap();
        ExecutionView::fold(id, &self.entries).unwrap()
    }
}

/// The provisioning fails while it creates volumes; what was created is deleted again.
pub(crate) fn failed_provisioning() -> ExecutionView {
    let mut journal = Journal::begin();
    journal.run("check_request", 0, true);
    journal.run("ask_approval", 0, true);
    let svm = journal.schedule("create_svm", 0, Purpose::Task, None);
    journal.skip("create_network");
    journal.attempt(svm, None, 1, Some(false));
    journal.attempt(svm, None, 2, Some(true));
    let volumes = journal.schedule("create_volumes", 0, Purpose::Task, Some(5));
    for item in 0..3 {
        journal.attempt(volumes, Some(item), 1, Some(true));
    }
    journal.attempt(volumes, Some(3), 1, Some(false));
    journal.run("notify_failure", 0, true);
    let undo = journal.schedule("create_svm", 0, Purpose::Compensate { of: svm, item: None }, None);
    journal.attempt(undo, None, 1, Some(true));
    journal.finish(Status::Failed);
    journal.view()
}

/// Two routes, of which one is still at work.
pub(crate) fn split() -> ExecutionView {
    let mut journal = Journal::begin();
    journal.run("start", 0, true);
    let (left, right) =
        (journal.schedule("left", 0, Purpose::Task, None), journal.schedule("right", 0, Purpose::Task, None));
    journal.attempt(left, None, 1, Some(true));
    journal.run("notify", 0, true);
    journal.attempt(right, None, 1, Some(true));
    let second = journal.schedule("notify", 1, Purpose::Task, None);
    journal.run("archive", 0, true);
    journal.attempt(second, None, 1, None);
    journal.view()
}
