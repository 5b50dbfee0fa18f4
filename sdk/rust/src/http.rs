//! HTTP requests, made by the host.
//!
//! A request goes through a **connection**, which the operator configured: the host adds its base URL, its credentials and
//! its TLS settings. A pack sees none of them. What leaves is what the pack's `permissions` ask for and the operator granted.
//!
//! ```no_run
//! use runner_sdk::prelude::*;
//!
//! # fn f(name: String) -> Result<()> {
//! let volume: Value = http::get("array", path!("/v1/volumes/{name}")).query("fields", "size").send()?.ok()?.json()?;
//! http::patch("array", path!("/v1/volumes/{name}")).json(&json!({"size": 42})).send()?.ok()?;
//! # Ok(())
//! # }
//! ```

mod error;
mod path;
mod request;
mod response;

pub use error::{Error, ErrorKind};
pub use path::Path;
pub use request::{Effect, Request, Target};
pub use response::Response;

/// A `GET` through a connection.
pub fn get(connection: impl Into<String>, path: impl Into<Path>) -> Request {
    Request::new("GET", connection, path)
}

/// A `HEAD` through a connection.
pub fn head(connection: impl Into<String>, path: impl Into<Path>) -> Request {
    Request::new("HEAD", connection, path)
}

/// A `POST` through a connection.
pub fn post(connection: impl Into<String>, path: impl Into<Path>) -> Request {
    Request::new("POST", connection, path)
}

/// A `PUT` through a connection.
pub fn put(connection: impl Into<String>, path: impl Into<Path>) -> Request {
    Request::new("PUT", connection, path)
}

/// A `PATCH` through a connection.
pub fn patch(connection: impl Into<String>, path: impl Into<Path>) -> Request {
    Request::new("PATCH", connection, path)
}

/// A `DELETE` through a connection.
pub fn delete(connection: impl Into<String>, path: impl Into<Path>) -> Request {
    Request::new("DELETE", connection, path)
}
