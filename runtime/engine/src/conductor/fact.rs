//! A command as the entry that records it.

use runner_model::{Fact, Outcome};
use serde_json::Value;

use super::command::Command;

impl Command {
    /// The fact that records it. What must not be shown of an input is for the caller to add; an
    /// [`Command::Interrupt`] becomes this fact once what runs has stopped.
    #[must_use]
    pub fn fact(&self) -> Fact {
        match self.clone() {
            Self::StartStep { step, task, route, purpose, action, input, items, keeps, until } => Fact::StepScheduled {
                step,
                task,
                route,
                purpose,
                action,
                input: Value::clone(&input),
                secret: Vec::new(),
                items: items.map(|items| Vec::clone(&items)),
                keeps,
                until,
            },
            Self::SkipStep { step, task, route } => Fact::StepSkipped { step, task, route },
            Self::StartItem { step, item, action, input } => {
                Fact::ItemScheduled { step, item, action, input: Value::clone(&input), secret: Vec::new() }
            }
            Self::BeginAttempt { unit, attempt, .. } => {
                Fact::AttemptStarted { step: unit.step, item: unit.item, attempt }
            }
            Self::DelayStep { unit, attempt, until, reason } => {
                Fact::StepDelayed { step: unit.step, item: unit.item, attempt, until, reason }
            }
            Self::EndPoll { unit, outcome } => Fact::PollEnded { step: unit.step, item: unit.item, outcome: *outcome },
            Self::OpenWait { unit, wait } => Fact::WaitOpened { step: unit.step, item: unit.item, wait },
            Self::ExpireWait { unit, attempt, outcome } => {
                Fact::AttemptFinished { step: unit.step, item: unit.item, attempt, outcome }
            }
            Self::Interrupt { unit, attempt } => {
                Fact::AttemptFinished { step: unit.step, item: unit.item, attempt, outcome: Outcome::Canceled }
            }
            Self::PassDeadline => Fact::DeadlinePassed,
            Self::Rest { status } => Fact::Rested { status },
            Self::Finish { status, result, errors } => Fact::Finished { status, result, errors },
        }
    }
}
