//! The product as a user has it: the binary, from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else fails, and that is what it is for"
)]

mod architecture;
mod cli;
mod conformance;
mod control;
mod crash;
mod daemon;
mod graph;
mod killed;
mod kit;
mod security;
mod sockets;
mod storage;
