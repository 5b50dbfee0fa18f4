//! Whether something secret may come up in an execution: decided before it is recorded, from what is written.
//!
//! It errs on the safe side: an action whose name is computed may be any.

use std::collections::HashSet;
use std::sync::Arc;

use runner_engine::Plan;
use runner_engine::template::Template;
use runner_model::ActionRef;
use serde_json::Value;

use super::Library;
use crate::{Action, Body, Pack};

impl Library {
    /// Whether an execution of this action may hold something secret: a parameter or a result of it, or of an action that
    /// its tasks call, however deep, or a value of the configuration of its pack. `pack` is the version that it runs in.
    #[must_use]
    pub fn may_hold_secrets(&self, pack: &Pack, action: &Action) -> bool {
        self.looks_secret(pack, action, &mut HashSet::new())
    }

    fn looks_secret(&self, pack: &Pack, action: &Action, seen: &mut HashSet<ActionRef>) -> bool {
        if action.has_secrets() || pack.secret_config().next().is_some() {
            return true;
        }
        let Body::Workflow(plan) = &action.body else { return false };
        if !seen.insert(action.reference.clone()) {
            return false;
        }
        called(plan).any(|name| self.is_secret_call(pack, name, seen))
    }

    fn is_secret_call(&self, pack: &Pack, name: &Template, seen: &mut HashSet<ActionRef>) -> bool {
        let name = name.as_literal().and_then(Value::as_str);
        let Some(reference) = name.and_then(|name| name.parse::<ActionRef>().ok()) else { return true };
        if reference.pack() == pack.reference().as_str() {
            let own = pack.actions.get(reference.name()).cloned();
            return own.is_some_and(|action| self.looks_secret(pack, &action, seen));
        }
        let found = self.action(&reference).map(|(pack, action)| (Arc::clone(pack), Arc::clone(action)));
        found.is_some_and(|(pack, action)| self.looks_secret(&pack, &action, seen))
    }
}

/// What a workflow calls, as written.
fn called(plan: &Plan) -> impl Iterator<Item = &Template> {
    let tasks = plan.tasks().values().flat_map(|task| {
        let cleanups = task.on_cancel.iter().chain(&task.compensate).map(|cleanup| &cleanup.action);
        task.action.iter().chain(cleanups)
    });
    tasks.chain(plan.on_cancel().map(|cleanup| &cleanup.action))
}
