//! What comes in from outside, over real sockets: deliveries, events, rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else fails, and that is what it is for"
)]

mod delivery;
mod events;
mod kit;
mod refusal;
mod reply;
mod rules;
mod socket;
mod ways;
