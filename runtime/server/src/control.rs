//! What other processes of the same user can ask of this one: pause, cancel, answer an execution that it drives, hear
//! how it goes. HTTP/1.1 and JSON on the local socket ([`crate::local`]).
//!
//! | | |
//! |---|---|
//! | `GET /node` | which process this is, and how many executions it has |
//! | `POST /executions/{id}/control` | a [`Control`](runner_executor::Control); answered with [`Stands`] or a [`Problem`] |
//! | `GET /executions/{id}/delayed` | each [`Turn`] that something of it waits for, because of policies |
//! | `GET /executions/{id}/progress` | what happens from now on, a [`Line`] of JSON each, until it has ended |
//! | `/api/v1/…` | the REST API, if the process has one ([`crate::api`]); no key is needed here |

mod client;
mod line;
mod routes;
mod serve;
mod wire;

pub use client::{Client, ClientError, Lines};
pub use line::{Line, Said};
pub use routes::routes;
pub use serve::{Serving, serve};
pub use wire::{Node, Problem, Stands, Turn};
