//! Steps that run over lists: how many of their items have ended.

use std::collections::HashMap;

use runner_model::{ExecutionId, StepId};

/// How often the items of a step are looked for: its first ones may begin in the same commit as the step.
const ASKED_MAX: u8 = 3;

type Key = (ExecutionId, StepId);

#[derive(Debug, Default)]
pub(super) struct Lists(HashMap<Key, List>);

#[derive(Debug, Default)]
struct List {
    items: Option<usize>,
    ended: usize,
    asked: u8,
}

impl Lists {
    /// The step, if its items are to be looked for.
    pub(super) fn uncounted(&mut self, key: Key) -> Option<Key> {
        let list = self.0.entry(key).or_default();
        if list.items.is_some() || list.asked == ASKED_MAX {
            return None;
        }
        list.asked += 1;
        Some(key)
    }

    pub(super) fn counted(&mut self, key: Key, items: usize) {
        self.0.entry(key).or_default().items = Some(items);
    }

    /// An item has ended.
    pub(super) fn ended(&mut self, key: Key) {
        self.0.entry(key).or_default().ended += 1;
    }

    /// An item that had ended is tried again.
    pub(super) fn again(&mut self, key: Key) {
        let list = self.0.entry(key).or_default();
        list.ended = list.ended.saturating_sub(1);
    }

    /// `3 of 10`.
    pub(super) fn far(&self, key: Key) -> String {
        match self.0.get(&key) {
            Some(List { items: Some(items), ended, .. }) => format!("{ended} of {items}"),
            Some(List { ended, .. }) => format!("{ended} done"),
            None => String::new(),
        }
    }
}
