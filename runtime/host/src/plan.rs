//! Plans: what a run would change, without changing it.
//!
//! What reads goes to the system. What would change something is noted and answered as if it had been done, and from then
//! on reads find it done: a thing that was planned is found where its answer said it would be, and by its name in its
//! collection; one that was planned to be deleted is not found. **No request with an effect reaches a real system**; a
//! simulator, whose state ends with the process, may do what is planned, so that its answers are those of a run.

mod change;
mod kv;
mod overlay;
mod query;
mod stand_in;

use parking_lot::Mutex;
use runner_model::PackRef;
use serde_json::Value;

pub use change::{Change, ChangeKind, Difference};
pub use kv::PlannedKv;

use crate::egress::{Effect, HttpResponse};
use crate::mask::Mask;
use crate::traffic::Ask;
use overlay::{Found, Overlay};

/// Notes what would be changed, and answers for it.
#[derive(Default)]
pub struct Planner {
    mask: Mask,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    changes: Vec<Change>,
    overlay: Overlay,
}

impl std::fmt::Debug for Planner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner").field("changes", &self.state.lock().changes.len()).finish_non_exhaustive()
    }
}

/// What is to be done with a request that reads.
pub(crate) enum Reading {
    /// It is answered here.
    Answered(HttpResponse),
    /// The system is asked, and [`Planner::completed`] adds what is planned.
    Asked,
}

impl Planner {
    /// What is not shown.
    #[must_use]
    pub const fn mask(&self) -> &Mask {
        &self.mask
    }

    /// What would be changed, in order. Without secrets.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.state.lock().changes.iter().map(|change| change.masked(&self.mask)).collect()
    }

    /// What a request does. Only a POST may say of itself that it reads: searches are sent so.
    pub(crate) fn reads(ask: &Ask, effect: Effect) -> bool {
        effect == Effect::Read && matches!(ask.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "POST")
    }

    /// Answers a request that reads, if it is about something that is planned.
    pub(crate) fn reading(&self, ask: &Ask) -> Reading {
        if ask.method == "POST" {
            return Reading::Asked;
        }
        match self.state.lock().overlay.find(ask) {
            Found::Object(object) => Reading::Answered(stand_in::json(200, &object, ask.method == "HEAD")),
            Found::Deleted => Reading::Answered(stand_in::gone(&ask.path)),
            Found::Listed(list) => Reading::Answered(stand_in::json(200, &list, ask.method == "HEAD")),
            Found::Unknown => Reading::Asked,
        }
    }

    /// What the system answered to a request that reads, with what is planned.
    pub(crate) fn completed(&self, ask: &Ask, response: HttpResponse) -> HttpResponse {
        let is_list = ask.method == "GET" && (200..300).contains(&response.status);
        if !is_list {
            return response;
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(&response.body) else { return response };
        if !self.state.lock().overlay.complete(ask, &mut value) {
            return response;
        }
        HttpResponse { body: value.to_string().into_bytes(), ..response }
    }

    /// What is known of the thing that a request would change without asking the system; the outer none is "ask it".
    pub(crate) fn before(&self, ask: &Ask) -> Option<Option<Value>> {
        match self.state.lock().overlay.find(ask) {
            Found::Object(object) => Some(Some(object)),
            Found::Deleted => Some(None),
            Found::Listed(_) | Found::Unknown => None,
        }
    }

    /// Notes a request that would change something; gives the answer that lets its sender go on. `before` is the thing as it is now, if it can be read.
    pub(crate) fn stopped(&self, ask: &Ask, effect: Effect, before: Option<Value>) -> HttpResponse {
        let mut state = self.state.lock();
        let number = state.changes.len();
        let (change, answer) = stand_in::of(ask, effect, before, number, &mut state.overlay);
        if let Some(body) = &change.body {
            // What stands under the key of a secret is one wherever else it appears.
            self.mask.json(body);
        }
        state.changes.push(change);
        answer
    }

    /// Notes a change of key-value data.
    fn kv(&self, pack: &PackRef, key: &str, before: Option<Value>, after: Option<Value>) {
        if before != after {
            self.state.lock().changes.push(Change::of_kv(pack, key, before, after));
        }
    }
}

#[cfg(test)]
mod tests;
