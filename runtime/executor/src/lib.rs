//! Drives executions: the engine decides, the host acts, the store remembers.
//!
//! - **Nothing is done that is not on the disk first**: an intent is committed before its attempt begins, an outcome
//!   before what follows from it.
//! - **A step costs one commit**: the outcome of one step and the intent of the next ride in the same append.
//! - **What only waits costs no task and next to no memory**: it is parked, and read again when its time has come or
//!   something comes for it ([`registry`]).
//! - **This crate decides nothing**: what follows from an outcome is the conductor's, what a guest may do the host's.

mod admission;
mod alarm;
mod attempt;
mod begin;
mod catalogue;
mod control;
mod drain;
mod drive;
mod error;
mod execution;
mod executor;
mod gate;
mod guests;
mod kv;
mod lease;
mod measure;
mod pack;
mod places;
mod poll;
mod progress;
mod registry;
pub mod rehearsal;
mod whole;

pub use admission::Load;
pub use catalogue::{Grants, NotGranted, Packs, PacksOptions, PruneError, simulated_names};
pub use control::{Control, ControlError};
pub use drain::Drained;
pub use error::{ExecutorError, RequestError};
pub use execution::{Execution, ExecutionRequest};
pub use executor::{Executor, ExecutorOptions, Wanted};
pub use gate::Delayed;
pub use guests::{Call, Guests, HostGuests, stored, unit_key};
pub use poll::{HostPolls, Poll};
pub use progress::{Heard, Listener, Progress, ProgressEvent};
pub use runner_engine::UnitId;
pub use runner_host::TraceParent;
pub use whole::{Defect, Whole};
