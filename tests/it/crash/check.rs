//! The invariants I1 to I5, read off what the product shows and what the server was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use runner_model::{Entry, ExecutionView, Fact, ItemIndex, Outcome, Status, StepId};

use super::pack::RELAXED;
use super::server::{Asked, Log, Server};
use crate::kit::Place;

/// What the test knows by itself.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) acknowledged: Vec<String>,
    pub(crate) kills: Vec<Instant>,
    /// Executions that were checked, and how they ended.
    ended: BTreeMap<String, Status>,
}

impl History {
    /// Checks what was asked for together, with the executions that their steps started.
    pub(crate) fn check(&mut self, place: &Place, server: &Server, batch: &[String]) {
        let log = server.log();
        for id in batch {
            self.check_one(place, &log, id);
        }
    }

    /// I1: what was acknowledged is there, and has ended.
    pub(crate) fn check_all(&self, place: &Place) {
        let run = place.run(&["--json", "execution", "list", "--all", "--limit", "100000"]);
        let listed = run.json();
        let listed: BTreeMap<_, _> =
            listed.as_array().unwrap().iter().map(|one| (one["id"].as_str().unwrap(), &one["status"])).collect();
        for id in &self.acknowledged {
            assert!(listed.contains_key(id.as_str()), "I1: {id} was acknowledged and is lost");
        }
        for (id, status) in listed {
            let status = Status::from_word(status.as_str().unwrap()).unwrap();
            assert_eq!(self.ended.get(id), Some(&status), "I3: the catalogue and the journal differ about {id}");
            assert!(status.is_terminal(), "I2: {id} has not ended: it is {status}");
        }
    }

    fn check_one(&mut self, place: &Place, log: &Log, id: &str) {
        let run = place.run(&["--json", "execution", "journal", id]);
        assert_eq!(run.code, Some(0), "I1: {id} was acknowledged: {}", run.seen());
        let entries: Vec<Entry> = serde_json::from_str(&run.stdout).unwrap();
        // I3: only legal moves, and a view that everybody agrees on.
        let view = ExecutionView::fold(id.parse().unwrap(), &entries).unwrap_or_else(|| panic!("I3: {}", run.seen()));
        assert!(view.record.status.is_terminal(), "I2: {id} has not ended: it is {}", view.record.status);
        one_result_a_unit(id, &entries);
        let abandoned = self.units(place, log, id, &entries);
        // Nothing fails but what nobody knows the outcome of.
        let wanted = if abandoned { Status::Failed } else { Status::Succeeded };
        let tolerates = ["parent", "joined", RELAXED].contains(&view.record.action.name());
        assert!(view.record.status == wanted || (abandoned && tolerates), "{}", run.seen());
        self.ended.insert(id.to_owned(), view.record.status);
    }

    /// I4, for every step and item; says whether the outcome of one is unknown.
    fn units(&mut self, place: &Place, log: &Log, id: &str, entries: &[Entry]) -> bool {
        let is_relaxed = is_relaxed(entries);
        let mut tasks = BTreeMap::new();
        let mut attempts: BTreeMap<(StepId, Option<ItemIndex>), (usize, Option<&Outcome>)> = BTreeMap::new();
        for entry in entries {
            let Some(step) = entry.fact.step() else { continue };
            let key = (step, entry.fact.item());
            match &entry.fact {
                Fact::StepScheduled { task, action, .. } => drop(tasks.insert(step, (task.clone(), action.clone()))),
                Fact::AttemptStarted { .. } => attempts.entry(key).or_default().0 += 1,
                Fact::AttemptFinished { outcome, .. } => attempts.entry(key).or_default().1 = Some(outcome),
                _ => {}
            }
        }
        let mut abandoned = false;
        for ((step, item), (attempts, outcome)) in attempts {
            let (task, action) = &tasks[&step];
            let key = match item {
                None if is_relaxed => format!("{id}/{task}"),
                None => format!("{id}/{step}"),
                Some(item) => format!("{id}/{step}/{item}"),
            };
            abandoned |= matches!(outcome, Some(Outcome::Abandoned { .. }));
            match action.name() {
                "line" => {
                    let child = runner_model::AttemptNumber::FIRST;
                    let child = id.parse::<runner_model::ExecutionId>().unwrap().child(step, None, child);
                    self.check_one(place, log, &child.to_string());
                    abandoned |= self.ended[&child.to_string()] != Status::Succeeded;
                }
                name => {
                    // That a step began which may do so again can be lost.
                    let attempts = if is_relaxed && name == "again" { usize::MAX } else { attempts };
                    self.unit(&key, name, attempts, outcome, log.get(&key).map_or(&[], Vec::as_slice));
                }
            }
        }
        abandoned
    }

    fn unit(&self, key: &str, action: &str, attempts: usize, outcome: Option<&Outcome>, asked: &[Asked]) {
        let told = format!("{key}, {attempts} attempts, {outcome:?}: {asked:?}");
        let paths: BTreeSet<_> = asked.iter().map(|asked| asked.path.as_str()).collect();
        assert!(paths.len() <= 1, "I4: one key for several steps: {told}");
        assert!(asked.len() <= attempts, "I4: asked more often than intended: {told}");
        let succeeded = matches!(outcome, Some(Outcome::Succeeded { .. }));
        assert!(!succeeded || asked.iter().any(|asked| asked.status == 200), "I4: succeeded and never asked: {told}");
        for pair in asked.windows(2) {
            // A refusal that was heard is a known outcome; after a kill it may not have been.
            let was_killed = self.kills.iter().any(|kill| pair[0].at <= *kill && *kill <= pair[1].at);
            assert!(pair[0].status != 200 || was_killed, "I4: asked twice without a crash: {told}");
            assert!(pair[0].status != 200 || action != "once", "I4: asked twice, and must not: {told}");
        }
    }

    /// What was seen, in a sentence.
    pub(crate) fn sum(&self, server: &Server) -> String {
        let log = server.log();
        let (requests, keys) = (log.values().map(Vec::len).sum::<usize>(), log.len());
        let succeeded = self.ended.values().filter(|status| **status == Status::Succeeded).count();
        let repeated =
            log.values().filter(|asked| asked.iter().filter(|asked| asked.status == 200).count() > 1).count();
        format!(
            "{} executions, {succeeded} succeeded, the others by an unknown outcome; {requests} requests for {keys} steps, \
             {repeated} idempotent ones asked for again",
            self.ended.len()
        )
    }
}

fn is_relaxed(entries: &[Entry]) -> bool {
    let requested = entries.iter().find_map(|entry| match &entry.fact {
        Fact::Requested(requested) => Some(requested),
        _ => None,
    });
    requested.is_some_and(|requested| requested.action.name() == RELAXED)
}

/// I3, I5: each attempt has one outcome, and none that was given up has another.
fn one_result_a_unit(id: &str, entries: &[Entry]) {
    let mut ended = BTreeSet::new();
    for entry in entries {
        if let Fact::AttemptFinished { step, item, attempt, .. } = &entry.fact {
            assert!(ended.insert((*step, *item, *attempt)), "I3: attempt {attempt} of {id}/{step} ended twice");
        }
    }
    let ends = entries.iter().filter(|entry| matches!(entry.fact, Fact::Finished { .. })).count();
    assert_eq!(ends, 1, "I3: {id} ended {ends} times");
}
