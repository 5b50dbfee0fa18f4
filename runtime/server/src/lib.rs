//! Everything that listens. So far: one simulated system on a socket, for clients that are not runner.
//!
//! **No SQL and no WebAssembly here**: what a request leads to is behind the handles of other crates.

mod certificate;
mod simulate;

pub use certificate::{Certificate, CertificateError};
pub use simulate::{Options, Running, ServeError, serve};
