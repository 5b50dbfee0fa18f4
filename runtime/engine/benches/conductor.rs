//! What the conductor costs: a transition in a workflow of 200 tasks, an item of long lists, the replay of many
//! executions. `cargo bench -p runner-engine`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "it measures")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use runner_engine::{Binding, Command, Condition, Plan, PlanBuilder, State, Target, Task, Template, Transition, With};
use runner_model::{Entry, ExecutionId, ExecutionView, Fact, Origin, Outcome, Requested, TaskName, Timestamp};
use serde_json::{Value, json};

fn main() {
    transitions();
    for items in [1_000, 2_000, 5_000, 10_000] {
        list(items);
    }
    replay();
}

/// A journal as it is made: everything that is decided is recorded at once, attempts end in the order of their start.
struct Run {
    plan: Plan,
    state: State,
    entries: Vec<Entry>,
    running: VecDeque<Fact>,
}

impl Run {
    fn start(plan: Plan) -> Self {
        let requested = Requested {
            action: "bench.workflow".parse().unwrap(),
            pack_version: "1.0.0".into(),
            pack_digest: String::new(),
            parameters: json!({"region": "eu", "size": 10}),
            secret: vec![],
            secret_output: Vec::new(),
            sealed: false,
            origin: Origin::Cli,
            depth: 0,
            simulate: false,
            trace_parent: None,
        };
        let state = State::new(ExecutionId::from_bytes([7; 16]), &requested, Arc::default());
        let first = Entry::new(Timestamp::from_millis(0), Fact::Requested(Box::new(requested)));
        let mut run = Self { plan, state, entries: vec![first], running: VecDeque::new() };
        run.record(Fact::Started);
        run
    }

    fn record(&mut self, fact: Fact) {
        let entry = Entry::new(Timestamp::from_millis(0), fact);
        self.state.apply(&self.plan, &entry).unwrap();
        self.entries.push(entry);
    }

    fn carry_out(&mut self) -> bool {
        let commands = self.state.outstanding(&self.plan);
        for command in &commands {
            if let Command::BeginAttempt { unit, attempt, .. } = command {
                let outcome = Outcome::Succeeded { result: json!({"id": unit.step.0, "state": "up"}) };
                let (step, item, attempt) = (unit.step, unit.item, *attempt);
                self.running.push_back(Fact::AttemptFinished { step, item, attempt, outcome });
            }
            if self.state.still(command) {
                self.record(command.fact());
            }
        }
        !commands.is_empty()
    }

    fn ended(mut self) -> Self {
        loop {
            while self.carry_out() {}
            match self.running.pop_front() {
                Some(fact) => self.record(fact),
                None => return self,
            }
        }
    }
}

fn name(number: usize) -> TaskName {
    TaskName::new(&format!("task_{number:03}")).unwrap()
}

/// Ten branches of twenty tasks, each of which publishes something.
fn wide() -> Plan {
    let when = Condition::compile(&json!("<% succeeded() && result().state == \"up\" %>")).unwrap();
    let publish = |number: usize| Binding {
        name: format!("v{}", number % 20),
        value: Template::compile(&json!("<% result().id %>")).unwrap(),
    };
    let task = |number: usize| Task {
        action: Some(Template::literal(json!("bench.act"))),
        input: Template::compile(&json!({"region": "<% ctx().region %>", "n": number})).unwrap(),
        next: (number % 20 < 19)
            .then(|| Transition {
                when: Some(when.clone()),
                publish: vec![publish(number)],
                targets: vec![Target::Task(name(number + 1))],
            })
            .into_iter()
            .collect(),
        ..Task::default()
    };
    PlanBuilder { tasks: (0..200).map(|number| (name(number), task(number))).collect(), ..Default::default() }.build()
}

fn transitions() {
    let mut best = f64::MAX;
    for _ in 0..20 {
        let run = Run::start(wide());
        let began = Instant::now();
        let run = run.ended();
        best = best.min(began.elapsed().as_secs_f64() / 200.0);
        assert!(run.state.status().is_terminal());
    }
    println!("a step of 200 tasks, from its outcome to what follows: {:.1} us", best * 1e6);
}

fn list(items: usize) {
    let task = Task {
        action: Some(Template::literal(json!("bench.act"))),
        input: Template::compile(&json!({"name": "<% item() %>"})).unwrap(),
        with: Some(With {
            items: Template::literal((0..items).map(|item| format!("volume_{item}")).collect::<Value>()),
            names: vec![],
            concurrency: Some(Template::literal(json!(100))),
        }),
        ..Task::default()
    };
    let plan = PlanBuilder { tasks: [(name(0), task)].into_iter().collect(), ..Default::default() }.build();
    let run = Run::start(plan);
    let began = Instant::now();
    let run = run.ended();
    let live = began.elapsed();
    assert!(run.state.status().is_terminal());
    let (id, count) = (ExecutionId::from_bytes([7; 16]), items as f64);
    let began = Instant::now();
    State::replay(&run.plan, id, &run.entries, Arc::default()).unwrap();
    let replayed = began.elapsed();
    let began = Instant::now();
    assert!(ExecutionView::fold(id, &run.entries).is_some());
    let folded = began.elapsed();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / count;
    println!(
        "{items:>6} items, 100 at a time: {:.1} us an item, {:.1} us to replay, {:.1} us to show",
        each(live),
        each(replayed),
        each(folded)
    );
}

/// 10,000 executions that stand in their middle, ten entries each.
fn replay() {
    let mut run = Run::start(wide());
    while run.carry_out() {}
    for _ in 0..10 {
        let fact = run.running.pop_front().unwrap();
        run.record(fact);
    }
    let entries = &run.entries[..10];
    let began = Instant::now();
    let states: Vec<_> = (0..10_000)
        .map(|_| State::replay(&run.plan, ExecutionId::from_bytes([7; 16]), entries, Arc::default()).unwrap())
        .collect();
    println!(
        "{} executions of {} entries replayed in {:.2} s",
        states.len(),
        entries.len(),
        began.elapsed().as_secs_f64()
    );
}
