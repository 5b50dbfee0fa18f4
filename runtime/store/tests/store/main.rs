//! The store at its border: one conformance suite for every implementation, and what only a database on a disk promises.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it needs and fails where it is not so"
)]

mod against_model;
mod audit;
mod blobs;
mod conformance;
mod crash;
mod disk_errors;
mod files;
mod full;
mod given;
mod group_commit;
mod happening;
mod many;
mod power_cut;
mod schema;
mod sealed;
mod secrets;
mod two_stores;
mod upkeep;
