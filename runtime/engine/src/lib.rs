//! Pure decisions: what an expression means, what a workflow does next, which rules match, when a schedule is due.
//!
//! The conductor is a fold: `(plan, state, entry) → state'`, and the commands that are outstanding are read from the
//! state. The same entries always lead to the same state, so recovering an execution *is* replaying its journal.
//!
//! **This crate does no input or output, knows no clock and no async runtime**: the time of a decision is the time of
//! the entry it follows from, and a value from outside is asked for ([`Stop::NeedsKv`]) and comes back as an entry.
//! **Only metadata is ever compiled; data is never evaluated**, whatever it contains. Only this crate names rhai and
//! croner.

pub mod conductor;
pub mod expression;
pub mod inspect;
mod path;
pub mod plan;
pub mod rehearsal;
pub mod rule;
pub mod schedule;
pub mod template;
#[cfg(test)]
mod written;

pub use conductor::{Command, InFlight, Mismatch, Passage, RerunError, State, Stop, UnitId};
pub use expression::{EvaluationError, Expression, Frame};
pub use inspect::{Finding, inspect};
pub use plan::{
    Binding, Cleanup, Durability, Join, OnUnknown, Plan, PlanBuilder, Poll, Retry, Target, Task, Transition, With,
};
pub use rehearsal::{Call, Next, Play, PlayError};
pub use rule::{Criterion, EventInfo, Judged, Occasion, OncePlan, Operator, RulePlan, Verdict};
pub use schedule::{Cron, Schedule, ScheduleError};
pub use template::{CompileError, Condition, Place, Template, kind_name};
