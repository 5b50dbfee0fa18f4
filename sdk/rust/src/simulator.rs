//! Simulators: components that stand in for the systems behind connections.
//!
//! One instance lives as long as the process, so its state is simply kept. Where it stands behind several connections
//! (`simulated_as` in `pack.yaml`), [`Request::connection`] says which of the simulated systems is meant. It can reach nothing
//! but `log` and `clock`.
//!
//! ```
//! use runner_sdk::prelude::*;
//! use runner_sdk::simulator::{Reply, Request, Router};
//!
//! #[derive(Default)]
//! struct Lamp {
//!     on: bool,
//! }
//!
//! fn lamp() -> Router<Lamp> {
//!     Router::new(Lamp::default())
//!         .before(|_, request| (!request.has_basic_auth()).then(|| Reply::status(401)))
//!         .get("/rooms/{room}", |lamp, request| Reply::json(200, &json!({ "room": request.param("room"), "on": lamp.on })))
//!         .put("/rooms/{room}", |lamp, _| {
//!             lamp.on = true;
//!             Reply::status(204).delay_ms(20)
//!         })
//! }
//!
//! runner_sdk::export_simulator!(lamp);
//! # fn main() {}
//! ```

mod reply;
mod request;
mod router;

pub use reply::{Ending, Reply};
pub use request::Request;
pub use router::Router;

/// Something that answers requests.
pub trait Simulator {
    /// Answers one request. Requests come one after the other.
    fn handle(&mut self, request: &Request) -> Reply;
}

impl<F: FnMut(&Request) -> Reply> Simulator for F {
    fn handle(&mut self, request: &Request) -> Reply {
        self(request)
    }
}

/// A simulator of whatever type.
#[doc(hidden)]
pub type Boxed = Box<dyn Simulator>;

#[doc(hidden)]
pub fn boxed(simulator: impl Simulator + 'static) -> Boxed {
    Box::new(simulator)
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub fn from_wit(request: crate::bindings::simulator::Request) -> Request {
    Request {
        connection: request.connection,
        query: request.query,
        headers: request.headers,
        body: request.body,
        ..Request::new(request.method, request.path)
    }
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub fn to_wit(reply: Reply) -> crate::bindings::simulator::Reply {
    use crate::bindings::simulator as wit;
    let ending = match reply.ending {
        Ending::Dropped => wit::Ending::Dropped,
        Ending::Response { status, headers, body } => wit::Ending::Response(wit::Response { status, headers, body }),
    };
    wit::Reply { delay_ms: reply.delay_ms, ending }
}
