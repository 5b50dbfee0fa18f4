//! Everything that listens: one simulated system on a socket, for clients that are not runner; and, for other processes
//! of the same user, the control of the executions that this process drives.
//!
//! **No SQL and no WebAssembly here**: what a request leads to is behind the handles of other crates.

mod certificate;
pub mod control;
pub mod local;
mod simulate;

pub use certificate::{Certificate, CertificateError};
pub use simulate::{Options, Running, ServeError, serve};
