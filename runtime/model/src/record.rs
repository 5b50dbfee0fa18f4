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

    /// Takes the next entry into account. On an error the record is as it was.
    ///
    /// # Errors
    /// As [`Course::apply`].
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalEntry> {
        let mut course = self.course();
        course.apply(entry)?;
        Course { status: self.status, started_at: self.started_at, finished_at: self.finished_at } = course;
        Ok(())
    }

    /// The part of it that entries change.
    #[must_use]
    pub const fn course(&self) -> Course {
        Course { status: self.status, started_at: self.started_at, finished_at: self.finished_at }
    }
}

/// How an execution has gone so far: what entries after the request change of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Its status.
    pub status: Status,
    /// When work on it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Course {
    /// Takes the next entry into account. On an error it is as it was.
    ///
    /// # Errors
    /// The entry cannot follow: a second request, an end that is none, a move that [`Status::may_become`] forbids.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalEntry> {
        let next = self.next(&entry.fact)?;
        if !self.status.may_become(next) {
            return Err(IllegalEntry(format!("{} may not become {next}", self.status)));
        }
        match &entry.fact {
            Fact::Started | Fact::RerunRequested { .. } => {
                self.started_at.get_or_insert(entry.at);
                self.finished_at = None;
            }
            Fact::Finished { .. } => self.finished_at = Some(entry.at),
            _ => {}
        }
        self.status = next;
        Ok(())
    }

    /// The status that a fact leads to.
    fn next(&self, fact: &Fact) -> Result<Status, IllegalEntry> {
        let ended = self.status.is_terminal();
        Ok(match fact {
            Fact::Requested(_) => return Err(IllegalEntry("a request stands only at the beginning".to_owned())),
            Fact::Started => Status::Running,
            Fact::CancelRequested { .. } if !ended => Status::Canceling,
            Fact::PauseRequested { .. } if matches!(self.status, Status::Running | Status::Pending) => Status::Pausing,
            Fact::ResumeRequested { .. } if matches!(self.status, Status::Pausing | Status::Paused) => Status::Running,
            Fact::RerunRequested { .. } if ended => Status::Running,
            Fact::RerunRequested { .. } => {
                return Err(IllegalEntry(format!("a {} execution cannot be run again", self.status)));
            }
            Fact::Rested { status } if matches!(status, Status::Paused | Status::Pending) => *status,
            Fact::Rested { status } => return Err(IllegalEntry(format!("an execution does not rest as {status}"))),
            Fact::Finished { status, .. } if !status.is_terminal() => {
                return Err(IllegalEntry(format!("an execution does not end as {status}")));
            }
            Fact::Finished { status, .. } => *status,
            // A part that goes on takes the whole with it, and what is late goes to its end.
            Fact::ChildPaused { paused: false, .. } if self.status == Status::Paused => Status::Running,
            Fact::DeadlinePassed if matches!(self.status, Status::Pausing | Status::Paused) => Status::Running,
            // What rested because it waited goes on.
            Fact::Answered { .. }
            | Fact::AttemptStarted { .. }
            | Fact::AttemptFinished { .. }
            | Fact::StepScheduled { .. }
            | Fact::DeadlinePassed
                if self.status == Status::Pending =>
            {
                Status::Running
            }
            _ => self.status,
        })
    }
}

/// Why an entry cannot follow those before it: a lowercase sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IllegalEntry(pub String);
