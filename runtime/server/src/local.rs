//! Processes that share a data directory find one another here, in its directory `nodes`.
//!
//! Each holds a lock of the operating system on `<node>.lock` for as long as it lives, however it ends: **who gets the
//! lock of another knows that the other is dead**. It listens beside it, on the Unix socket `<node>.sock`; where there
//! is none, or the path is too long for one, on a port of the loopback, with a secret that stands in `<node>.port`.
//! The directory belongs to one user, and so does everything that is said through it.

mod office;
mod seat;
mod stream;

pub use office::Office;
pub use seat::{Dead, Nodes, Seat};
pub(crate) use stream::{Listener, Stream, connect};
