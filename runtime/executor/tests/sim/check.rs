//! What must hold after every simulation: the invariants I1 to I5, read off the journals and what the guests saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runner_engine::{Plan, State};
use runner_executor::{Packs, UnitId};
use runner_model::{Entry, ExecutionId, ExecutionRecord, ExecutionView, Fact, Outcome, Status, Version};
use runner_pack::Body;
use runner_store::{Journal, WaitFilter, Waits};

use super::client::{Client, all_executions};
use super::run::Cluster;
use super::store::short;
use super::world::{Seen, World};

pub(crate) async fn all(world: &Arc<World>, packs: &Packs, client: &Client, cluster: &Cluster) {
    let all = all_executions(world).await;
    for id in client.acknowledged.lock().iter() {
        if !all.iter().any(|record| record.id == *id) {
            world.accuse(format!("I1: {} was acknowledged and is lost", short(*id)));
        }
    }
    let mut journals = BTreeMap::new();
    for record in &all {
        journals.insert(record.id, world.disk.read(record.id, Version(0)).await.unwrap());
    }
    for record in &all {
        journal(world, packs, record, &journals);
    }
    orders(world, client, &journals);
    idempotency_keys(world);
    let left = world.disk.waits(&WaitFilter::default(), 10).await.unwrap();
    if !left.is_empty() && all.iter().all(|record| record.status.is_terminal()) {
        world.accuse(format!("waits are open of executions that have ended: {left:?}"));
    }
    if let Some(node) = cluster.last().filter(|node| !node.life.is_dead()) {
        let count = node.executor.count();
        if count != (0, 0) && all.iter().all(|record| record.status.is_terminal()) {
            world.accuse(format!("I9: node {} still has {count:?} executions", node.life.number));
        }
    }
}

type Journals = BTreeMap<ExecutionId, Vec<Entry>>;

fn journal(world: &Arc<World>, packs: &Packs, record: &ExecutionRecord, journals: &Journals) {
    let (id, entries) = (record.id, &journals[&record.id]);
    if !record.status.is_terminal() {
        world.accuse(format!("I2: {} ({}) has not ended: it is {}", short(id), record.action, record.status));
    }
    let Some(view) = ExecutionView::fold(id, entries) else {
        return world.accuse(format!("I3: the journal of {} does not fold", short(id)));
    };
    if view.record != *record {
        world.accuse(format!("I3: the catalogue says {record:?}, the journal {:?}", view.record));
    }
    if entries.windows(2).any(|pair| pair[0].at > pair[1].at) {
        world.accuse(format!("I3: time goes back in {}", short(id)));
    }
    replays(world, packs, record, entries);
    ends(world, id, entries);
    units(world, id, entries, journals);
}

/// Each attempt has one end; but what becomes of one that is unknown may be decided later.
fn ends(world: &Arc<World>, id: ExecutionId, entries: &[Entry]) {
    let mut ended = BTreeSet::new();
    for entry in entries {
        let Fact::AttemptFinished { step, item, attempt, outcome } = &entry.fact else { continue };
        let is_known = !matches!(outcome, Outcome::Abandoned { .. });
        if is_known && !ended.insert((*step, *item, *attempt)) {
            world.accuse(format!("I3: attempt {attempt} of {step} in {} ended twice", short(id)));
        }
    }
}

fn replays(world: &Arc<World>, packs: &Packs, record: &ExecutionRecord, entries: &[Entry]) {
    let id = record.id;
    let library = packs.library();
    let (_, action) = library.action(&record.action).unwrap();
    let plan = match &action.body {
        Body::Workflow(plan) => plan.clone(),
        _ => Arc::new(Plan::single(record.action.as_str())),
    };
    let config = Arc::new(library.action(&record.action).unwrap().0.config.clone());
    match State::replay(&plan, id, entries, config) {
        Ok(state) if state.status() == record.status => {}
        Ok(state) => world.accuse(format!("I3: {} replays to {}", short(id), state.status())),
        Err(error) => world.accuse(format!("I3: {} does not replay: {error:?}", short(id))),
    }
}

/// Everything that happened to one unit of an execution.
fn units(world: &Arc<World>, id: ExecutionId, entries: &[Entry], journals: &Journals) {
    let mut units: BTreeMap<UnitId, Vec<&Fact>> = BTreeMap::new();
    let mut reruns = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Fact::RerunRequested { .. } = entry.fact {
            reruns.push(place);
        }
        if let Some(step) = entry.fact.step() {
            units.entry(UnitId { step, item: entry.fact.item() }).or_default().push(&entry.fact);
        }
    }
    let calls = world.calls.lock().clone();
    for (unit, facts) in units {
        let nothing = Vec::new();
        let seen = calls.get(&(id, unit)).unwrap_or(&nothing);
        results(world, id, unit, &facts, seen);
        at_most_once(world, id, unit, &facts, seen, !reruns.is_empty());
        children(world, id, unit, &facts, journals);
    }
}

/// What is recorded as a result is what a guest answered.
fn results(world: &Arc<World>, id: ExecutionId, unit: UnitId, facts: &[&Fact], seen: &[Seen]) {
    for fact in facts {
        let Fact::AttemptFinished { attempt, outcome: Outcome::Succeeded { result }, .. } = fact else { continue };
        let answers: Vec<_> = seen.iter().filter(|seen| seen.attempt == *attempt).collect();
        if !answers.is_empty() && !answers.iter().any(|seen| seen.answer.as_ref() == Some(result)) {
            world.accuse(format!("I3: {}/{unit:?} has a result that nobody gave: {result}", short(id)));
        }
    }
}

/// I4: an action that is not idempotent is called once an attempt, and again only if how the last call ended is known,
/// or the workflow says that it may be.
fn at_most_once(world: &Arc<World>, id: ExecutionId, unit: UnitId, facts: &[&Fact], seen: &[Seen], rerun: bool) {
    let called = !seen.is_empty();
    // One that ran ahead and was lost may have had the number of another.
    let seen: Vec<_> = seen.iter().filter(|call| !call.ahead).collect();
    let mut attempts = BTreeSet::new();
    for call in &seen {
        if !attempts.insert(call.attempt) {
            world.accuse(format!("I4: attempt {} of {}/{unit:?} was called twice", call.attempt, short(id)));
        }
    }
    let may_repeat = |call: &Seen| !matches!(call.action.name(), "once");
    let first = seen.first().map(|call| call.attempt);
    for call in seen.iter().filter(|call| Some(call.attempt) != first && !may_repeat(call)) {
        let before = facts.iter().rev().find_map(|fact| match fact {
            Fact::AttemptFinished { attempt, outcome, .. } if *attempt < call.attempt => Some(outcome.status()),
            _ => None,
        });
        let is_known = before.is_some_and(|status| status != Status::Abandoned);
        if !is_known && !rerun {
            world.accuse(format!(
                "I4: {}/{unit:?} was called again (attempt {}) though the last outcome is {before:?}",
                short(id),
                call.attempt
            ));
        }
    }
    if !called
        && let Some(Fact::AttemptFinished { outcome: Outcome::Succeeded { result }, .. }) = facts.last()
        && result.get("mark").is_some()
    {
        world.accuse(format!("I4: {}/{unit:?} succeeded and was never called", short(id)));
    }
}

/// What a step says of the execution that it started is what became of that.
fn children(world: &Arc<World>, id: ExecutionId, unit: UnitId, facts: &[&Fact], journals: &Journals) {
    for fact in facts {
        let Fact::AttemptFinished { attempt, outcome, .. } = fact else { continue };
        let child = id.child(unit.step, unit.item, *attempt);
        let Some(entries) = journals.get(&child) else { continue };
        let ends: Vec<_> = entries
            .iter()
            .filter_map(|entry| match &entry.fact {
                Fact::Finished { status, .. } => Some(*status),
                _ => None,
            })
            .collect();
        let said = outcome.status();
        // One that was cancelled for being late is a timeout for its parent.
        let fits = |end: &Status| *end == said || (*end == Status::Canceled && said == Status::Timeout);
        if !ends.iter().any(fits) {
            world.accuse(format!(
                "I3: {}/{unit:?} is {said}, its execution {} ended as {ends:?}",
                short(id),
                short(child)
            ));
        }
    }
}

/// What was acknowledged stands in the journal, and nothing stands there more often than it was sent.
fn orders(world: &Arc<World>, client: &Client, journals: &Journals) {
    for (mark, (id, sent, acknowledged)) in client.asked.lock().iter() {
        let by = |fact: &Fact| match fact {
            Fact::PauseRequested { by }
            | Fact::ResumeRequested { by }
            | Fact::CancelRequested { by }
            | Fact::RerunRequested { by, .. }
            | Fact::Answered { by, .. } => by == mark,
            _ => false,
        };
        let is_event = |fact: &Fact| matches!(fact, Fact::Answered { .. });
        let found: Vec<_> = journals[id].iter().filter(|entry| by(&entry.fact)).collect();
        let several = found.iter().any(|entry| is_event(&entry.fact));
        if found.len() < *acknowledged || (found.len() > *sent && !several) {
            world.accuse(format!(
                "I1: {mark} was sent {sent} times to {}, acknowledged {acknowledged} times, and is recorded {} times",
                short(*id),
                found.len()
            ));
        }
    }
}

/// The idempotency key is the same for all attempts of a unit, and of no other.
fn idempotency_keys(world: &Arc<World>) {
    let calls = world.calls.lock().clone();
    let mut keys = BTreeSet::new();
    let mut named = BTreeMap::new();
    for seen in calls.values().flatten().filter(|seen| seen.ahead) {
        let before = named.entry(&seen.key).or_insert(&seen.action);
        if *before != &seen.action {
            world.accuse(format!("I4: {} is the key of {before} and of {}", seen.key, seen.action));
        }
    }
    for (place, seen) in &calls {
        let seen: Vec<_> = seen.iter().filter(|seen| !seen.ahead).collect();
        let own: BTreeSet<_> = seen.iter().map(|seen| seen.key.as_str()).collect();
        if own.len() > 1 || !own.iter().all(|key| keys.insert((*key).to_owned())) {
            world.accuse(format!("I4: the idempotency keys of {place:?} are {own:?}"));
        }
    }
}
