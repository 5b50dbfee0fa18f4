//! An execution in the catalogue: one line of a list.

use serde::{Deserialize, Serialize};

use crate::{ActionRef, Entry, ExecutionId, Fact, Origin, Status, Timestamp};

/// What a list of executions shows of each. A projection of the journal, kept beside it so that lists need not read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// Its identity.
    pub id: ExecutionId,
    /// What it runs.
    pub action: ActionRef,
    /// Where it stands.
    pub status: Status,
    /// Where the request came from.
    pub origin: Origin,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When work on it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

impl ExecutionRecord {
    /// The record that a journal's first entry makes; none if that entry is not a request.
    #[must_use]
    pub fn begin(id: ExecutionId, first: &Entry) -> Option<Self> {
        let Fact::Requested(requested) = &first.fact else { return None };
        Some(Self {
            id,
            action: requested.action.clone(),
            status: Status::Requested,
            origin: requested.origin.clone(),
            created_at: first.at,
            started_at: None,
            finished_at: None,
        })
    }

    /// Takes the next entry into account.
    ///
    /// # Panics
    /// If the entry would move the status in a way that [`Status::may_become`] forbids: such a journal is corrupt or
    /// its writer wrong, and going on would only spread it.
    pub fn apply(&mut self, entry: &Entry) {
        let next = match &entry.fact {
            Fact::Started => {
                self.started_at.get_or_insert(entry.at);
                self.finished_at = None;
                Status::Running
            }
            Fact::CancelRequested { .. } if !self.status.is_terminal() => Status::Canceling,
            Fact::Finished { status, .. } => {
                self.finished_at = Some(entry.at);
                *status
            }
            Fact::Requested(_)
            | Fact::ValuesRead { .. }
            | Fact::StepScheduled { .. }
            | Fact::AttemptStarted { .. }
            | Fact::AttemptFinished { .. }
            | Fact::CancelRequested { .. } => self.status,
        };
        assert!(self.status.may_become(next), "execution {}: {} may not become {next}", self.id, self.status);
        self.status = next;
    }
}
