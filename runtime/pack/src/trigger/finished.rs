//! `core.execution_finished`: an execution has ended.

use std::fmt;

use runner_model::{ActionRef, PackRef, Status, code};

use super::Trigger;
use super::need::Need;
use crate::diagnostic::{Document, Mistake};
use crate::fields::{Fields, Foreign};
use crate::suggest;

/// Actions that a rule is about: one, or all of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionPattern {
    /// `pack.name`.
    One(ActionRef),
    /// `pack.*`.
    Pack(PackRef),
}

impl ActionPattern {
    /// Whether the action is one of them.
    #[must_use]
    pub fn matches(&self, action: &ActionRef) -> bool {
        match self {
            Self::One(one) => one == action,
            Self::Pack(pack) => pack.as_str() == action.pack(),
        }
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(action) => action.fmt(f),
            Self::Pack(pack) => write!(f, "{pack}.*"),
        }
    }
}

const FOREIGN: Foreign = Foreign {
    later: &[],
    instead: &[
        ("status", "write `statuses: [failed]`"),
        ("emit_when", "write `statuses: [failed]`"),
        ("actions", "write `action: pack.name`, `action: pack.*`, or one rule for each"),
        ("ref", "write `action`"),
        ("workflow", "write `action`: a workflow is one"),
    ],
};

/// Reads the parameters.
pub(super) fn read(file: &Document<'_>, mut fields: Fields<'_>, needs: &mut Vec<Need>) -> Trigger {
    let place = fields.place_of("action");
    let mut action = None;
    if let Some(word) = fields.text("action") {
        match pattern(word) {
            Ok(pattern) => {
                needs.push(Need::finished(file, place, pattern.clone()));
                action = Some(pattern);
            }
            Err(message) => {
                let hint = "write `action: pack.name`, or `action: pack.*` for all of a pack";
                file.add(Mistake::new(code::PACK_BAD_VALUE, place, message).hint(hint));
            }
        }
    }
    let statuses = statuses(file, &mut fields);
    fields.finish(&FOREIGN);
    Trigger::ExecutionFinished { action, statuses }
}

fn pattern(word: &str) -> Result<ActionPattern, String> {
    if let Some(pack) = word.strip_suffix(".*") {
        return PackRef::new(pack).map(ActionPattern::Pack).map_err(|error| error.to_string());
    }
    word.parse().map(ActionPattern::One).map_err(|error: runner_model::NameError| error.to_string())
}

/// Those that an execution can end with.
fn ends() -> impl Iterator<Item = Status> {
    Status::ALL.into_iter().filter(|status| status.is_terminal() && *status != Status::Skipped)
}

fn statuses(file: &Document<'_>, fields: &mut Fields<'_>) -> Vec<Status> {
    let mut statuses = Vec::new();
    for (word, span) in fields.texts("statuses") {
        match ends().find(|status| status.as_str() == word) {
            Some(status) if statuses.contains(&status) => {}
            Some(status) => statuses.push(status),
            None => {
                let message = format!("no execution ends as `{word}`");
                let hint = suggest::hint(word, ends().map(Status::as_str), "they end as");
                file.add(Mistake::new(code::PACK_BAD_VALUE, span, message).maybe_hint(hint));
            }
        }
    }
    statuses
}
