//! `durability` of a workflow: which of its steps may begin before what led to them is on the disk, and who says so of the
//! others.

use runner_engine::Durability;
use runner_model::code;
use serde_json::Value;

use crate::action::{Action, Body};
use crate::diagnostic::{Document, Mistake};
use crate::fields::Fields;
use crate::idempotent::Idempotent;
use crate::source::Span;
use crate::suggest;

impl Action {
    /// Whether a step that calls it with this input may begin before that is on the disk: a crash may lose that it did, and it
    /// runs again.
    #[must_use]
    pub fn may_run_ahead(&self, input: &Value) -> bool {
        matches!(self.body, Body::Wasm { .. }) && self.is_idempotent_with(input)
    }
}

/// Why steps of a relaxed workflow that call an action wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    NotIdempotent,
    Workflow,
}

impl Hold {
    /// None for one that does not wait, or waits for something else anyway.
    pub(crate) const fn of(action: &Action) -> Option<Self> {
        match action.body {
            Body::Workflow(_) => Some(Self::Workflow),
            Body::Wasm { .. } if matches!(action.idempotent, Idempotent::Never) => Some(Self::NotIdempotent),
            _ => None,
        }
    }

    /// What is said of a task that calls such an action.
    pub(crate) fn mistake(self, place: Span, action: &str) -> Mistake {
        let (why, hint) = match self {
            Self::NotIdempotent => (
                "is not idempotent",
                "if it may run twice, write `idempotent: true` in its file; otherwise this is as it should be",
            ),
            Self::Workflow => ("is a workflow", "its own steps are as its own `durability` says"),
        };
        let message = format!("this step waits for the disk although the workflow is relaxed: `{action}` {why}");
        Mistake::new(code::FLOW_HELD, place, message).hint(hint).warning()
    }
}

/// The key of a workflow's file.
pub(crate) fn read(file: &Document<'_>, fields: &mut Fields<'_>) -> Durability {
    let place = fields.place_of("durability");
    let Some(text) = fields.text("durability") else { return Durability::default() };
    let known = Durability::WRITTEN.iter().find(|(name, _)| *name == text);
    let refuse = || {
        let message = format!("`durability` cannot be `{text}`");
        let hint = suggest::hint(text, Durability::WRITTEN.map(|(name, _)| name), "it is one of");
        file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).maybe_hint(hint));
        Durability::default()
    };
    known.map_or_else(refuse, |(_, durability)| *durability)
}
