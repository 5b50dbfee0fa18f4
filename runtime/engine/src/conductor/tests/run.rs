//! A workflow as JSON, driven by hand: outcomes as said, time that moves only when nothing else can.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use runner_model::{
    ActionRef, AttemptNumber, Entry, ExecutionId, Fact, Failure, Origin, Outcome, Requested, Status, StepId, Timestamp,
    code,
};
use serde_json::{Value, json};

use super::super::*;
use crate::plan::{Plan, Target};
pub(in super::super) use crate::written::plan;

/// An attempt that has begun.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Begun {
    pub(in super::super) unit: UnitId,
    pub(in super::super) task: String,
    pub(in super::super) attempt: AttemptNumber,
    pub(in super::super) action: ActionRef,
    pub(in super::super) input: Value,
}

/// A run in which steps complete in the order of their start.
pub(in super::super) struct Run {
    pub(in super::super) plan: Plan,
    pub(in super::super) entries: Vec<Entry>,
    pub(in super::super) state: State,
    pub(in super::super) kv: BTreeMap<String, Value>,
    pub(in super::super) now: i64,
    /// Whether each entry is followed by a replay of the whole journal.
    pub(in super::super) replays: bool,
    shadow: State,
    end: Option<Command>,
}

impl Run {
    pub(in super::super) fn start(plan: Plan, parameters: Value) -> Self {
        let requested = Requested {
            action: "test.workflow".parse().unwrap(),
            pack_version: "1.0.0".into(),
            pack_digest: String::new(),
            parameters,
            secret: vec![],
            secret_output: Vec::new(),
            sealed: false,
            origin: Origin::Cli,
            depth: 0,
            simulate: false,
            trace_parent: None,
        };
        let id = ExecutionId::from_bytes([7; 16]);
        let state = State::new(id, &requested, Arc::new(json!({"region": "eu"})));
        let first = Entry::new(Timestamp::from_millis(0), Fact::Requested(Box::new(requested)));
        let (shadow, kv) = (state.clone(), BTreeMap::new());
        let mut run = Self { plan, entries: vec![first], state, kv, now: 0, replays: true, shadow, end: None };
        run.record(Fact::Started);
        run
    }

    /// Applies a fact, fetching the keys it needs, and checks that the journal alone gives the same state.
    pub(in super::super) fn record(&mut self, fact: Fact) {
        let entry = Entry::new(Timestamp::from_millis(self.now), fact);
        loop {
            match self.state.apply(&self.plan, &entry) {
                Ok(()) => break,
                Err(Stop::NeedsKv { key }) => {
                    let value = self.kv.get(&key).cloned().unwrap_or(Value::Null);
                    let read = Entry::new(entry.at, Fact::ValuesRead { kv: [(key, value)].into_iter().collect() });
                    self.state.apply(&self.plan, &read).unwrap();
                    self.write(read);
                }
                Err(Stop::Mismatch(mismatch)) => panic!("{mismatch}"),
            }
        }
        self.write(entry);
        assert_eq!(self.shadow, self.state);
        if self.replays {
            let id = self.state.execution.id;
            let replayed = State::replay(&self.plan, id, &self.entries, self.state.config.clone()).unwrap();
            assert_eq!(replayed, self.state);
        }
    }

    /// What is written is what is read.
    fn write(&mut self, entry: Entry) {
        let written = serde_json::to_string(&entry).unwrap();
        self.shadow.apply(&self.plan, &serde_json::from_str(&written).unwrap()).unwrap();
        self.entries.push(entry);
    }

    /// Records everything that is decided; gives the attempts that begin.
    pub(in super::super) fn record_starts(&mut self) -> Vec<Begun> {
        let mut begun = Vec::new();
        loop {
            let due = self.state.due(&self.plan, Timestamp::from_millis(self.now));
            let mut commands = self.state.outstanding(&self.plan);
            commands.extend(due);
            commands.retain(|command| !matches!(command, Command::Finish { .. }));
            let mut recorded = false;
            for command in commands {
                if self.state.still(&command) {
                    recorded |= self.carry_out(&command, &mut begun);
                }
            }
            if !recorded {
                return begun;
            }
        }
    }

    fn carry_out(&mut self, command: &Command, begun: &mut Vec<Begun>) -> bool {
        match command {
            Command::Finish { .. } => return false,
            Command::Interrupt { unit, .. } if self.state.running_attempt(*unit).is_some() => return false,
            Command::BeginAttempt { unit, task, attempt, action, input, .. } => {
                let (task, input) = (task.to_string(), Value::clone(input));
                begun.push(Begun { unit: *unit, task, attempt: *attempt, action: action.clone(), input });
            }
            _ => {}
        }
        self.record(command.fact());
        true
    }

    pub(in super::super) fn finish_unit(&mut self, begun: &Begun, outcome: Outcome) {
        let (UnitId { step, item }, attempt) = (begun.unit, begun.attempt);
        self.record(Fact::AttemptFinished { step, item, attempt, outcome });
    }

    /// Ends the first attempt of a step.
    pub(in super::super) fn finish_step(&mut self, step: StepId, outcome: Outcome) {
        self.record(Fact::AttemptFinished { step, item: None, attempt: AttemptNumber::FIRST, outcome });
    }

    pub(in super::super) fn finish(&mut self) {
        self.record_starts();
        let outstanding = self.state.outstanding(&self.plan);
        let [Command::Finish { status, result, errors }] = outstanding.as_slice() else {
            panic!("not finished: {outstanding:?}")
        };
        self.end = Some(outstanding[0].clone());
        self.record(Fact::Finished { status: *status, result: result.clone(), errors: errors.clone() });
        assert!(self.state.outstanding(&self.plan).is_empty());
        assert!(self.state.in_flight(&self.plan).is_empty());
    }

    /// Goes on until nothing is left to do, also by waiting.
    pub(in super::super) fn go_on(&mut self, answer: &dyn Fn(&Begun) -> Outcome) {
        let mut running = VecDeque::from(self.record_starts());
        loop {
            match running.pop_front() {
                Some(begun) => {
                    let outcome = answer(&begun);
                    self.finish_unit(&begun, outcome);
                }
                None => match self.state.next_due() {
                    Some(due) => self.now = self.now.max(due.as_millis()),
                    None => return,
                },
            }
            running.extend(self.record_starts());
        }
    }

    pub(in super::super) fn run_to_end(mut self, answer: &dyn Fn(&Begun) -> Outcome) -> Ended {
        self.go_on(answer);
        self.finish();
        self.into_ended()
    }

    pub(in super::super) fn into_ended(self) -> Ended {
        let label = |passage: Passage| match passage.route.0 {
            0 => passage.name,
            route => format!("{}__r{route}", passage.name),
        };
        let is_step = |passage: &Passage| !Target::COMMANDS.contains(&passage.name.as_str());
        let passages = self.state.passages(&self.plan).into_iter();
        let order = passages.filter(is_step).map(label).collect::<Vec<_>>().join(" ");
        match self.end {
            Some(Command::Finish { status, result, errors }) => {
                let errors = errors.iter().map(|e| format!("{} {}", e.code, e.message)).collect();
                Ended { order, status, output: result, errors, at: self.now }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Debug)]
pub(in super::super) struct Ended {
    pub(in super::super) order: String,
    pub(in super::super) status: Status,
    pub(in super::super) output: Value,
    pub(in super::super) errors: Vec<String>,
    /// When, in milliseconds.
    pub(in super::super) at: i64,
}

pub(in super::super) fn ok(result: Value) -> Outcome {
    Outcome::Succeeded { result }
}

pub(in super::super) fn failed(message: &str) -> Outcome {
    Outcome::Failed { failure: Failure::new(code::HOST_TRAP, message) }
}

/// Tasks succeed with the name of the task, those listed fail.
pub(in super::super) fn run(workflow: &Value, parameters: Value, failing: &[&str]) -> Ended {
    Run::start(plan(workflow), parameters).run_to_end(&|begun| {
        let task = begun.task.as_str();
        if failing.contains(&task) { failed(task) } else { ok(json!(task)) }
    })
}
