//! Which components took the compiler past its limits lately: nobody waits for the same end twice.

use std::collections::HashMap;
use std::time::Instant;

use parking_lot::Mutex;
use runner_model::limits::{COMPILE_REFUSED_KEPT, COMPILE_REFUSED_MAX};
use runner_model::{Failure, code};

use super::Sum;

/// Components and why they were refused.
#[derive(Default)]
pub(super) struct Refused(Mutex<HashMap<Sum, (Instant, Failure)>>);

impl Refused {
    pub(super) fn get(&self, sum: &Sum) -> Option<Failure> {
        let mut refused = self.0.lock();
        refused.retain(|_, (since, _)| since.elapsed() < COMPILE_REFUSED_KEPT);
        refused.get(sum).map(|(_, failure)| failure.clone())
    }

    /// Remembers a failure that was dear and would come again. A busy machine says nothing about the component, and what
    /// is malformed is found out at once.
    pub(super) fn put(&self, sum: Sum, failure: &Failure) {
        let dear = [code::HOST_COMPILE_CPU, code::HOST_COMPILE_MEMORY, code::HOST_COMPILE_CRASH];
        if !dear.iter().any(|code| code.id() == failure.code) {
            return;
        }
        let mut refused = self.0.lock();
        if refused.len() >= COMPILE_REFUSED_MAX {
            let oldest = refused.iter().min_by_key(|(_, (since, _))| *since).map(|(sum, _)| *sum);
            oldest.map(|sum| refused.remove(&sum));
        }
        refused.insert(sum, (Instant::now(), failure.clone()));
    }
}
