//! Everything that listens: the REST API on a port; for other processes of the same user, the control of the executions
//! that this process drives; and one simulated system on a socket, for clients that are not runner.
//!
//! **No SQL and no WebAssembly here**: what a request leads to is behind the handles of other crates.

pub mod api;
mod certificate;
pub mod control;
mod key;
mod listen;
pub mod local;
mod simulate;
pub mod webhook;

pub use api::{AccessMode, Api, ApiOptions, Entrance, SecretUsers, USER_HEADER};
pub use certificate::{Certificate, CertificateError};
pub use key::{KEY_PREFIX, key_digest, new_key};
pub use listen::{HttpOptions, serve_http};
pub use simulate::{Options, Running, ServeError, serve};
