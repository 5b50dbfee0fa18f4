//! Actions that only pretend: they take time, say how far they are, succeed or fail; and see what was asked of them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use runner_executor::{Call, Guests};
use runner_model::{Fact, Failure, Outcome, Version, code};
use runner_store::Journal;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::chance::Chance;
use super::node::Life;
use super::store::short;
use super::world::{Seen, World};

pub(crate) struct SimulatedGuests {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
}

/// What a guest is going to do.
struct Part {
    takes: Duration,
    beats: Option<Duration>,
    /// What it answers at the end; none is a failure.
    answer: Option<Value>,
}

impl Part {
    fn draw(chance: &mut Chance) -> Self {
        let takes = match chance.below(20) {
            0..=15 => chance.between(1, 500),
            16..=18 => chance.between(500, 5_000),
            _ => chance.between(5_000, 40_000),
        };
        let beats = chance.hits(5_000).then(|| Duration::from_millis(chance.between(200, 2_500)));
        let (n, mark) = (chance.below(4), chance.next());
        let answer = chance.hits(8_000).then(|| json!({"n": n, "mark": mark.to_string()}));
        Self { takes: Duration::from_millis(takes), beats, answer }
    }
}

impl Part {
    /// One that a test has chosen: it succeeds, and takes as long as it says, in this process.
    fn sure(tag: &str, process: usize) -> Option<Self> {
        let takes = match tag {
            "sure" => 10,
            "slow" => 1_000_000,
            "early" => [100, 5_000][process % 2],
            "late" => [5_000, 100][process % 2],
            _ => return None,
        };
        Some(Self { takes: Duration::from_millis(takes), beats: None, answer: Some(json!({"n": 1, "mark": tag})) })
    }
}

#[async_trait]
impl Guests for SimulatedGuests {
    async fn run(&self, call: Call) -> Outcome {
        self.life.goes_on().await;
        let part = match call.input.get("tag").and_then(Value::as_str).and_then(|tag| Part::sure(tag, self.life.number))
        {
            Some(part) => part,
            None => self.world.draw(Part::draw),
        };
        let _running = self.world.runs(self.life.number, &call);
        let place = self.begins(&call).await;
        let timeout = call.timeout.unwrap_or(Duration::from_secs(3600));
        let outcome = tokio::select! {
            biased;
            () = call.cancel.cancelled() => Outcome::Canceled,
            outcome = self.play(&call, &part) => outcome,
            () = tokio::time::sleep(timeout) => {
                Outcome::Timeout { failure: Failure::new(code::HOST_TIMEOUT, "it took too long") }
            }
        };
        self.life.goes_on().await;
        self.world.say(|| format!("node {} guest {} ends: {}", self.life.number, name(&call), outcome.status()));
        if let (Outcome::Succeeded { result }, Some(seen)) =
            (&outcome, self.world.calls.lock().get_mut(&(call.execution, call.unit)).and_then(|all| all.get_mut(place)))
        {
            seen.answer = Some(result.clone());
        }
        outcome
    }
}

impl SimulatedGuests {
    /// Notes the call; its intent must be on the disk, unless it may run twice and its workflow is relaxed.
    async fn begins(&self, call: &Call) -> usize {
        let node = self.life.number;
        self.world.say(|| format!("node {node} guest {} begins {}", name(call), call.action.reference));
        let entries = self.world.disk.read(call.execution, Version(0)).await.unwrap();
        let wanted = |fact: &Fact| match fact {
            Fact::AttemptStarted { step, item, attempt } => {
                (*step, *item, *attempt) == (call.unit.step, call.unit.item, call.attempt)
            }
            _ => false,
        };
        let ahead = call.name.is_some() && call.action.may_run_ahead(&Value::Object(call.input.clone()));
        if !ahead && !entries.iter().any(|entry| wanted(&entry.fact)) {
            self.world.accuse(format!("{} began without its intent on the disk", name(call)));
        }
        if let Some(progress) = &call.last_heartbeat
            && !self.world.calls.lock().contains_key(&(call.execution, call.unit))
        {
            self.world.accuse(format!("{} is told the progress {progress} of nobody", name(call)));
        }
        let seen = Seen {
            action: call.action.reference.clone(),
            attempt: call.attempt,
            key: call.idempotency_key(),
            ahead,
            answer: None,
        };
        let mut calls = self.world.calls.lock();
        let all = calls.entry((call.execution, call.unit)).or_default();
        all.push(seen);
        all.len() - 1
    }

    async fn play(&self, call: &Call, part: &Part) -> Outcome {
        let end = Instant::now() + part.takes;
        let mut beat = 0;
        while let Some(pause) = part.beats.filter(|pause| Instant::now() + *pause < end) {
            tokio::time::sleep(pause).await;
            self.life.goes_on().await;
            beat += 1;
            call.observer.heartbeat(&json!({"attempt": call.attempt, "beat": beat}).to_string());
        }
        tokio::time::sleep_until(end).await;
        match &part.answer {
            Some(result) => Outcome::Succeeded { result: result.clone() },
            None => Outcome::Failed { failure: Failure::new(code::HOST_OTHER, "the part says so") },
        }
    }
}

fn name(call: &Call) -> String {
    format!("{}/{:?}/{}", short(call.execution), call.unit, call.attempt)
}
