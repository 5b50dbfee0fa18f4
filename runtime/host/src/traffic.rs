//! What may stand between a request that is allowed and the system behind its connection: a recorder, a cassette that
//! answers in the system's place, or a plan that stops what would change something.
//!
//! It is asked after permissions were checked, so nothing can be recorded, replayed or planned that could not be sent.
//! What it is told of a request holds no credentials: those are added behind it.

use std::sync::Arc;

use crate::cassette::{Player, Recorder};
use crate::mask::Mask;
use crate::plan::Planner;

/// What stands between the requests of a process and the systems. A clone is the same.
#[derive(Debug, Clone)]
pub enum Traffic {
    /// Requests go through, and are written down with what came back.
    Recorded(Arc<Recorder>),
    /// Requests are answered from what was written down.
    Replayed(Arc<Player>),
    /// What reads goes through, what would change something is noted and answered as if it had been done.
    Planned(Arc<Planner>),
}

impl Traffic {
    /// What must not be written down.
    #[must_use]
    pub fn mask(&self) -> &Mask {
        match self {
            Self::Recorded(recorder) => recorder.mask(),
            Self::Replayed(player) => player.mask(),
            Self::Planned(planner) => planner.mask(),
        }
    }

    /// Whether no request reaches a system.
    #[must_use]
    pub const fn is_replayed(&self) -> bool {
        matches!(self, Self::Replayed(_))
    }
}

/// Which attempt a request belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// The action, `pack.name`.
    pub(crate) action: String,
    /// The same for all attempts of a step, and of an item in one that runs over a list.
    pub(crate) key: String,
}

impl Origin {
    /// The item, if the step runs over a list: it follows the execution and the step in the key.
    pub(crate) fn item(&self) -> Option<u32> {
        self.key.split('/').nth(2)?.parse().ok()
    }
}

/// A request on its way out, without credentials.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) origin: Origin,
    /// The connection's name, or the origin of a URL.
    pub(crate) target: String,
    /// The kind of the connection; empty for a URL.
    pub(crate) kind: String,
    pub(crate) method: String,
    /// The path as the system sees it, percent-encoded, without the connection's own.
    pub(crate) path: String,
    /// The query, pair by pair, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Headers, names in lowercase.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_told_by_its_key() {
        let origin = |key: &str| Origin { action: "a.b".to_owned(), key: key.to_owned() };
        assert_eq!(origin("01973bc1-0000-7000-8000-000000000001/4/17").item(), Some(17));
        assert_eq!(origin("01973bc1-0000-7000-8000-000000000001/4").item(), None);
    }
}
