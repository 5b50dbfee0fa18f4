//! Cassettes: what went over the connections in one run, as JSON lines, and the same given back without any system.
//!
//! The first line says what it is, each further one is one exchange, written when it ended: what a process left that was
//! killed can be read up to its last whole line. **No secret is written**: see [`crate::mask`]; credentials are added by
//! the host behind the place where a request is written down.

mod exchange;
mod play;
mod record;

pub use play::Player;
pub use record::Recorder;

use exchange::{Answer, Exchange, Head, Request, Response};
