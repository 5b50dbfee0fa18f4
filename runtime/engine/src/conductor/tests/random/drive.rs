//! Driving a workflow at random.

use std::sync::Arc;

use runner_model::{
    AttemptNumber, Entry, ExecutionId, ExecutionView, Fact, Failure, OnExpiry, Origin, Outcome, Requested, RerunTask,
    Status, Timestamp, Wait, WaitKind, code,
};
use serde_json::{Value, json};

use super::check;
use super::workflow::Choices;
use crate::conductor::step::{UnitId, UnitState, step_id};
use crate::conductor::{Command, State, Stop};
use crate::plan::Plan;

/// Steps after which an execution is brought to its end: ways that part again and again are many.
const STEPS_MANY: usize = 120;
/// What happens at the most until an execution has ended that nobody disturbs.
const ENDS_WITHIN: usize = 20_000;

#[derive(Debug)]
pub(super) struct Drive {
    plan: Plan,
    entries: Vec<Entry>,
    state: State,
    /// What the journal alone gives, read back from what was written.
    shadow: State,
    /// What was shown when nothing was left to record.
    shown: Option<ExecutionView>,
    now: Timestamp,
    reruns: usize,
    /// Whether what is shown is looked at after every entry: it costs a fold of them all.
    looks: bool,
}

impl Drive {
    pub(super) fn start(plan: Plan, looks: bool) -> Self {
        let requested = Requested {
            action: "test.workflow".parse().unwrap(),
            pack_version: "1.0.0".into(),
            pack_digest: String::new(),
            parameters: json!({"name": "x"}),
            secret: vec![],
            secret_output: Vec::new(),
            sealed: false,
            origin: Origin::Cli,
            depth: 0,
            simulate: false,
            trace_parent: None,
        };
        let state = State::new(ExecutionId::from_bytes([7; 16]), &requested, Arc::default());
        let now = Timestamp::from_millis(0);
        let entries = vec![Entry::new(now, Fact::Requested(Box::new(requested)))];
        let shadow = state.clone();
        let mut drive = Self { plan, entries, state, shadow, shown: None, now, reruns: 0, looks };
        drive.record(Fact::Started);
        drive
    }

    pub(super) fn is_large(&self) -> bool {
        self.state.steps.len() > STEPS_MANY
    }

    /// Something happens.
    pub(super) fn act(&mut self, choices: &mut Choices<'_>) {
        self.now = self.now.plus_ms(i64::try_from(choices.of(&[0_usize, 1, 700])).unwrap());
        if self.state.status.is_terminal() {
            return self.rerun(choices);
        }
        match choices.below(24) {
            0..=5 => self.carry_out(usize::MAX),
            6 => self.carry_out(1 + choices.below(3)),
            7..=12 => self.finish_one(choices),
            13 => self.open_wait(choices),
            14 | 15 => self.answer(choices),
            16 => self.record(Fact::PauseRequested { by: "me".into() }),
            17 | 18 => self.resume(),
            19 if choices.once_in(4) => self.record(Fact::CancelRequested { by: "me".into() }),
            19 | 20 => self.pass_time(),
            21 => self.pause_child(choices),
            22 => self.crash(choices),
            _ => self.progress(choices),
        }
    }

    /// Nothing more disturbs it: it ends.
    pub(super) fn end(mut self) {
        for turn in 0..ENDS_WITHIN {
            if self.state.status.is_terminal() {
                break;
            }
            if turn == ENDS_WITHIN / 2 || (self.is_large() && turn == 0) {
                self.record(Fact::CancelRequested { by: "me".into() });
            }
            self.carry_out(usize::MAX);
            let units = self.units(|state| matches!(state, UnitState::Running | UnitState::Paused));
            let waiting = self.units(|state| matches!(state, UnitState::Waiting(_)));
            if let Some(unit) = units.first() {
                self.finish(*unit, Outcome::Succeeded { result: json!(1) });
            } else if let Some(UnitId { step, item }) = waiting.first().copied() {
                self.record(Fact::Answered { step, item, by: "me".into(), answer: json!({"outcome": "failed"}) });
            } else if matches!(self.state.status, Status::Paused | Status::Pausing) {
                self.resume();
            } else {
                self.pass_time();
            }
        }
        assert!(self.state.status.is_terminal(), "it does not end: {:#?}", self.state);
        let id = self.state.execution.id;
        let replayed = State::replay(&self.plan, id, &self.entries, self.state.config.clone()).unwrap();
        assert_eq!(replayed, self.state);
        self.look();
    }

    /// Applies a fact, with the keys that it needs, and looks at what it leads to.
    fn record(&mut self, fact: Fact) {
        let entry = Entry::new(self.now, fact);
        loop {
            let before = self.plan.reads_kv.then(|| self.state.clone());
            match self.state.apply(&self.plan, &entry) {
                Ok(()) => break,
                Err(Stop::NeedsKv { key }) => {
                    assert_eq!(before.as_ref(), Some(&self.state), "what could not be decided changed nothing");
                    let kv = [(key, json!(self.entries.len().is_multiple_of(2)))].into_iter().collect();
                    let read = Entry::new(self.now, Fact::ValuesRead { kv });
                    self.state.apply(&self.plan, &read).unwrap();
                    self.write(&read);
                }
                Err(Stop::Mismatch(mismatch)) => panic!("{mismatch}: {entry:?}"),
            }
        }
        self.write(&entry);
        assert_eq!(self.shadow, self.state);
        check::counters(&self.state);
        check::has_a_way_on(&self.plan, &self.state);
        self.look_if_settled();
    }

    fn look_if_settled(&mut self) {
        if self.looks && self.state.to_record.is_empty() {
            self.look();
        } else {
            // What happened in between was not seen: there is no single move to check.
            self.shown = None;
        }
    }

    /// What is written is what is read.
    fn write(&mut self, entry: &Entry) {
        let written = serde_json::to_string(entry).unwrap();
        let read: Entry = serde_json::from_str(&written).unwrap();
        self.shadow.apply(&self.plan, &read).unwrap();
        self.entries.push(read);
    }

    /// What a reader sees between two commits.
    fn look(&mut self) {
        let view = ExecutionView::fold(self.state.execution.id, &self.entries).unwrap();
        check::view(&self.state, &view, &self.entries);
        if let Some(before) = self.shown.as_ref().filter(|_| self.looks) {
            check::moves(before, &view);
        }
        self.shown = Some(view);
    }

    /// Records what is decided and due, up to so many commands at a time.
    fn carry_out(&mut self, most: usize) {
        loop {
            let due = self.state.due(&self.plan, self.now);
            let commands = self.state.outstanding(&self.plan).into_iter().chain(due);
            // What runs ends when it ends.
            let running = |command: &Command| match command {
                Command::Interrupt { unit, .. } => self.state.running_attempt(*unit).is_some(),
                _ => false,
            };
            let commands: Vec<_> = commands.filter(|command| !running(command)).take(most).collect();
            let mut recorded = false;
            for command in &commands {
                if self.state.still(command) {
                    self.record(command.fact());
                    recorded = true;
                }
            }
            if !recorded || most < usize::MAX {
                return;
            }
        }
    }

    fn units(&self, wanted: impl Fn(&UnitState) -> bool) -> Vec<UnitId> {
        let open = self.state.open.iter().map(|number| (*number, &self.state.steps[*number]));
        let of_step = |(number, step): (usize, &crate::conductor::step::Step)| {
            let units = step.open_units().into_iter().filter(|(_, unit)| wanted(&unit.state));
            units.map(move |(item, _)| UnitId { step: step_id(number), item }).collect::<Vec<_>>()
        };
        open.flat_map(of_step).collect()
    }

    fn finish(&mut self, unit: UnitId, outcome: Outcome) {
        let UnitId { step, item } = unit;
        let found = self.state.unit(unit).unwrap();
        let (attempt, is_paused) = (found.attempt, found.state == UnitState::Paused);
        if is_paused {
            self.child_goes_on(unit);
        }
        self.record(Fact::AttemptFinished { step, item, attempt, outcome });
    }

    fn finish_one(&mut self, choices: &mut Choices<'_>) {
        let running = self.units(|state| matches!(state, UnitState::Running | UnitState::Paused));
        if running.is_empty() {
            return self.carry_out(usize::MAX);
        }
        let unit = choices.of(&running);
        let is_interrupted = self.state.interrupts.contains(&unit);
        let outcome = if is_interrupted && choices.once_in(2) { Outcome::Canceled } else { outcome(choices) };
        self.finish(unit, outcome);
    }

    fn open_wait(&mut self, choices: &mut Choices<'_>) {
        let running = self.units(|state| *state == UnitState::Running);
        if running.is_empty() {
            return;
        }
        let UnitId { step, item } = choices.of(&running);
        let expires_at = choices.of(&[None, Some(5000)]).map(|wait| self.now.plus_ms(wait));
        let on_expiry = choices.of(&[OnExpiry::Timeout, OnExpiry::Fail, OnExpiry::Answer(json!(1))]);
        let wait = Wait { kind: WaitKind::Event { key: "k".into() }, expires_at, on_expiry };
        self.record(Fact::WaitOpened { step, item, wait: Box::new(wait) });
    }

    fn answer(&mut self, choices: &mut Choices<'_>) {
        let waiting = self.units(|state| matches!(state, UnitState::Waiting(_)));
        if waiting.is_empty() {
            return;
        }
        let UnitId { step, item } = choices.of(&waiting);
        let answer = choices.of(&[json!({"outcome": "succeeded"}), json!({"outcome": "retry"}), json!(1)]);
        self.record(Fact::Answered { step, item, by: "me".into(), answer });
    }

    fn pass_time(&mut self) {
        if let Some(due) = self.state.next_due() {
            self.now = self.now.max(due);
        }
        self.carry_out(usize::MAX);
    }

    fn pause_child(&mut self, choices: &mut Choices<'_>) {
        let units = self.units(|state| matches!(state, UnitState::Running | UnitState::Paused));
        if units.is_empty() {
            return;
        }
        let unit = choices.of(&units);
        if choices.once_in(2) {
            return self.child_goes_on(unit);
        }
        self.record(Fact::ChildPaused { step: unit.step, item: unit.item, paused: true });
    }

    /// What rested because a part of it was paused goes on with that part, which is said once more for readers.
    fn child_goes_on(&mut self, UnitId { step, item }: UnitId) {
        let (looks, rested) = (self.looks, self.state.status == Status::Paused);
        self.looks = looks && !rested;
        self.record(Fact::ChildPaused { step, item, paused: false });
        if rested {
            self.resume();
        }
        self.looks = looks;
        self.look_if_settled();
    }

    /// All parts go on with the whole, which is said of each for readers.
    fn resume(&mut self) {
        let looks = std::mem::replace(&mut self.looks, false);
        let paused = self.units(|state| *state == UnitState::Paused);
        self.record(Fact::ResumeRequested { by: "me".into() });
        for UnitId { step, item } in paused {
            if self.state.running_attempt(UnitId { step, item }).is_some() {
                self.record(Fact::ChildPaused { step, item, paused: false });
            }
        }
        self.looks = looks;
        self.look_if_settled();
    }

    fn progress(&mut self, choices: &mut Choices<'_>) {
        let running = self.units(|state| *state == UnitState::Running);
        if running.is_empty() {
            return;
        }
        let unit = choices.of(&running);
        let attempt = self.state.unit(unit).unwrap().attempt;
        let UnitId { step, item } = unit;
        self.record(Fact::AttemptProgressed { step, item, attempt, progress: "half".into() });
    }

    /// The process is killed, and another goes on from the journal.
    fn crash(&mut self, choices: &mut Choices<'_>) {
        let id = self.state.execution.id;
        self.state = State::replay(&self.plan, id, &self.entries, self.state.config.clone()).unwrap();
        for in_flight in self.state.in_flight(&self.plan) {
            let UnitId { step, item } = in_flight.unit;
            if self.state.running_attempt(in_flight.unit).is_none() {
                continue;
            }
            match choices.below(4) {
                0 => {
                    let failure = Failure::new(code::EXEC_UNKNOWN_OUTCOME, "unknown");
                    self.finish(in_flight.unit, Outcome::Abandoned { failure });
                }
                1 => {
                    let attempt: AttemptNumber = in_flight.attempt.next();
                    self.record(Fact::AttemptStarted { step, item, attempt });
                }
                2 => self.record(Fact::AttemptStarted { step, item, attempt: in_flight.attempt }),
                _ => {}
            }
        }
    }

    fn rerun(&mut self, choices: &mut Choices<'_>) {
        if self.reruns > 2 {
            return;
        }
        let ran: Vec<_> = self.state.steps.iter().filter(|step| step.purpose.is_task()).collect();
        let mut tasks = Vec::new();
        if !ran.is_empty() {
            for _ in 0..choices.below(3) {
                let step = choices.of(&ran);
                let task = self.plan.tasks.get_index(step.task).unwrap().0.clone();
                let route = choices.once_in(2).then_some(step.route);
                tasks.push(RerunTask { task, route, reset_items: choices.once_in(2) });
            }
        }
        if self.state.check_rerun(&self.plan, &tasks).is_ok() {
            self.reruns += 1;
            self.record(Fact::RerunRequested { by: "me".into(), tasks });
        }
    }
}

fn outcome(choices: &mut Choices<'_>) -> Outcome {
    let failure = |code: &str| Failure { code: code.to_owned(), ..Failure::new(code::HOST_TRAP, "no") };
    match choices.below(12) {
        0..=3 => Outcome::Succeeded { result: json!(1) },
        4 => Outcome::Succeeded { result: Value::Null },
        5 => Outcome::Succeeded { result: json!(0) },
        6 => Outcome::Succeeded { result: json!(2) },
        7 => Outcome::Failed { failure: failure("a") },
        8 => Outcome::Failed { failure: failure("b") },
        9 => Outcome::Timeout { failure: failure("t") },
        10 if choices.once_in(4) => Outcome::Canceled,
        _ => Outcome::Abandoned { failure: failure("u") },
    }
}
