//! What can be done beyond the six verbs, and what must hold of bodies.

pub mod cluster_peer;
pub mod expiry;
pub mod export_rule;
mod generic;
mod job;
mod pairing;
mod snapmirror;
mod volume;

use runner_sdk::prelude::{Result, Value};

use crate::call::Call;
use crate::field::Field;

/// An action of its own.
#[derive(Debug)]
pub struct Special {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its parameters, without `connection`.
    pub fields: &'static [Field],
    /// Whether it talks to one cluster, that of `connection`.
    pub connected: bool,
    /// What it gives.
    pub output: fn() -> Value,
    /// Whether doing it twice is no more than doing it once.
    pub idempotent: bool,
    /// Seconds that an attempt may take.
    pub timeout: u32,
    /// Does it.
    pub run: fn(&Call) -> Result<Value>,
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Special> {
    generic::ALL.iter().chain(job::ALL).chain(volume::ALL).chain(snapmirror::ALL).chain(pairing::ALL)
}
