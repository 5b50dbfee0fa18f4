//! What the steps of a relaxed workflow are called in their idempotency keys.
//!
//! A crash may lose that steps began, and what is lost runs again, perhaps in another order: then a step's number is
//! another's. So a key is made of what the step is in the workflow, which stays: its task, the way that leads to it where a
//! task is reached on several, and how many steps of that task on that way were before it. **A step that runs again has the
//! key that it had, and no other step has it.**

use std::collections::BTreeMap;

use runner_engine::{Plan, State};
use runner_model::{Entry, Fact, Purpose, RouteId, StepId};

/// The names of the steps of one execution; of none, unless its workflow is relaxed.
#[derive(Default)]
pub(super) struct Names {
    of: BTreeMap<StepId, String>,
    /// How many steps of a task there are on a way.
    counts: BTreeMap<String, u32>,
}

impl Names {
    /// Takes an entry into account that the state has taken. Undoing and cleaning up happen by number: they wait for the
    /// disk.
    pub(super) fn learn(&mut self, plan: &Plan, state: &State, entry: &Entry) {
        let Fact::StepScheduled { step, task, route, purpose: Purpose::Task, .. } = &entry.fact else { return };
        if !plan.is_relaxed() {
            return;
        }
        let way = match route {
            RouteId(0) => task.to_string(),
            // As long as the workflow is nested, and a key may not be long.
            route => format!("{task}@{:016x}", fingerprint(state.way(plan, *route))),
        };
        let count = self.counts.entry(way.clone()).or_default();
        *count += 1;
        self.of.insert(*step, if *count == 1 { way } else { format!("{way}.{count}") });
    }

    /// The name of a step; none if its number is its name.
    pub(super) fn of(&self, step: StepId) -> Option<&str> {
        self.of.get(&step).map(String::as_str)
    }
}

/// A short name of texts that stays the same: FNV-1a (Fowler, Noll, Vo), 64 bits.
fn fingerprint(texts: impl Iterator<Item = String>) -> u64 {
    let bytes = texts.flat_map(|text| text.into_bytes().into_iter().chain([b'/']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
