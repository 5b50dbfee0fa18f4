//! Drives executions: the engine decides, the host acts, the store remembers.
//!
//! - **Nothing is done that is not on the disk first**: an intent is committed before its attempt begins, an outcome
//!   before what follows from it.
//! - **A step costs one commit**: the outcome of one step and the intent of the next ride in the same append.
//! - **This crate decides nothing**: what follows from an outcome is the conductor's, what a guest may do the host's.

mod attempt;
mod catalogue;
mod drive;
mod error;
mod execution;
mod executor;
mod kv;
mod lease;
mod pack;
mod progress;

pub use catalogue::{Grants, Packs, PacksOptions};
pub use error::{ExecutorError, RequestError};
pub use execution::{Execution, ExecutionRequest};
pub use executor::{Executor, ExecutorOptions};
pub use progress::{Progress, ProgressEvent};
