//! From an occurrence to an execution: events are recorded, examined by rules, and made into executions.
//!
//! - **An event is durable before it is acknowledged, and with it everything it leads to**: which rules matched, with
//!   which parameters, the ids that their executions will have, and how far whoever emitted it has come. One commit.
//! - **Exactly one execution a rule and event.** Its id follows from the two, so that what is done again after a crash
//!   makes no second one.
//! - **An instant, a delivery, an end is one event**: it has a key, and the store knows it again.
//! - **What is in memory is bounded**: what is not dispatched yet is read from the store, a page at a time.
//! - **This crate knows no HTTP, no signatures, no files and no SQL.** Who delivers has checked who it is; what a rule
//!   asks is the engine's, what an execution does the executor's.

mod dispatch;
mod endpoint;
mod ends;
mod error;
mod examine;
mod intake;
mod overlap;
mod resend;
mod schedule;
mod sensor;
mod shared;
mod sleep;
mod state;
mod table;
mod tally;
mod triggers;

pub use error::TriggerError;
pub use sensor::HostSensors;
pub use state::{Counts, Delivered, Delivery, Emitted, Endpoint, RuleState, ScheduleState, SensorState};
pub use triggers::{Sensors, Triggers, TriggersOptions};
