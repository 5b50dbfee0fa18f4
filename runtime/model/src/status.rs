//! The statuses of executions and steps, in StackStorm's words, and the one table of legal moves.

use serde::{Deserialize, Serialize};

/// Where an execution or a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Recorded, not yet looked at.
    Requested,
    /// Accepted, waiting for its turn.
    Scheduled,
    /// Waiting for a time or for a policy's leave.
    Delayed,
    /// At work.
    Running,
    /// Waiting for an answer from outside.
    Pending,
    /// Asked to pause; what runs is finishing.
    Pausing,
    /// At rest until resumed.
    Paused,
    /// Asked to go on after a pause.
    Resuming,
    /// A step whose attempt failed and that will be tried again.
    Retrying,
    /// Asked to stop; what runs is being interrupted.
    Canceling,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Ended at a deadline.
    Timeout,
    /// Stopped on request.
    Canceled,
    /// The outcome is unknown after a crash.
    Abandoned,
    /// A step whose condition was false.
    Skipped,
}

impl Status {
    /// Every status, in the order of life.
    pub const ALL: [Self; 16] = [
        Self::Requested,
        Self::Scheduled,
        Self::Delayed,
        Self::Running,
        Self::Pending,
        Self::Pausing,
        Self::Paused,
        Self::Resuming,
        Self::Retrying,
        Self::Canceling,
        Self::Succeeded,
        Self::Failed,
        Self::Timeout,
        Self::Canceled,
        Self::Abandoned,
        Self::Skipped,
    ];

    /// The word, as written in files and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Scheduled => "scheduled",
            Self::Delayed => "delayed",
            Self::Running => "running",
            Self::Pending => "pending",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Resuming => "resuming",
            Self::Retrying => "retrying",
            Self::Canceling => "canceling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Abandoned => "abandoned",
            Self::Skipped => "skipped",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more will happen (but for a rerun, which is a new phase).
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Timeout | Self::Canceled | Self::Abandoned | Self::Skipped
        )
    }

    /// Whether it ended otherwise than well: what `failed()` and the default retry condition mean.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Timeout | Self::Abandoned)
    }

    /// Whether `self` may become `next`: the one table of legal moves. A status may always stay.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use Status::{
            Abandoned, Canceled, Canceling, Delayed, Failed, Paused, Pausing, Pending, Requested, Resuming, Retrying,
            Running, Scheduled, Skipped, Succeeded, Timeout,
        };
        if self == next {
            return true;
        }
        let legal: &[Self] = match self {
            Requested => &[Scheduled, Delayed, Running, Pending, Canceling, Canceled, Failed, Skipped],
            Scheduled => &[Delayed, Running, Pending, Pausing, Paused, Canceling, Canceled, Failed, Timeout],
            Delayed => &[Scheduled, Running, Pausing, Paused, Canceling, Canceled, Failed, Timeout],
            Running => &[
                Delayed, Pending, Pausing, Paused, Retrying, Canceling, Succeeded, Failed, Timeout, Canceled, Abandoned,
            ],
            Pending => &[
                Scheduled, Delayed, Running, Pausing, Paused, Canceling, Succeeded, Failed, Timeout, Canceled,
                Abandoned,
            ],
            Pausing => &[Paused, Resuming, Running, Canceling, Succeeded, Failed, Timeout, Canceled, Abandoned],
            Paused => &[Resuming, Running, Canceling, Canceled, Failed, Timeout],
            Resuming => &[Running, Pausing, Paused, Pending, Canceling, Canceled, Failed, Timeout],
            Retrying => &[Delayed, Running, Pausing, Paused, Canceling, Canceled, Failed, Timeout, Abandoned],
            Canceling => &[Canceled, Failed, Timeout, Abandoned, Succeeded],
            // A rerun opens an ended execution again.
            Succeeded | Failed | Timeout | Canceled | Abandoned => &[Running],
            Skipped => &[],
        };
        legal.contains(&next)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_written_and_read_as_its_word() {
        for status in Status::ALL {
            assert_eq!(Status::from_word(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn an_end_is_left_only_by_a_rerun() {
        for status in Status::ALL.into_iter().filter(|s| s.is_terminal()) {
            for next in Status::ALL.into_iter().filter(|next| *next != status) {
                assert_eq!(status.may_become(next), next == Status::Running && status != Status::Skipped);
            }
        }
    }

    #[test]
    fn every_waiting_status_can_be_cancelled_and_reached() {
        for status in Status::ALL.into_iter().filter(|s| !s.is_terminal() && *s != Status::Canceling) {
            assert!(status.may_become(Status::Canceling), "{status} cannot be cancelled");
        }
        for status in Status::ALL.into_iter().filter(|s| *s != Status::Requested) {
            assert!(Status::ALL.into_iter().any(|from| from != status && from.may_become(status)), "{status}");
        }
    }
}
