//! The open waits of the model.

use async_trait::async_trait;
use runner_model::ExecutionId;

use super::{MemoryStore, State};
use crate::waits::Change;
use crate::{OpenWait, StoreError, WaitFilter, Waits};

impl State {
    pub(super) fn change_waits(&mut self, id: ExecutionId, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Open(open) => {
                    self.waits.insert((id, open.step, open.item), *open);
                }
                Change::Close(step, item) => {
                    self.waits.remove(&(id, step, item));
                }
                Change::CloseAll => self.waits.retain(|(execution, ..), _| *execution != id),
            }
        }
    }
}

#[async_trait]
impl Waits for MemoryStore {
    async fn waits(&self, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, StoreError> {
        let state = self.0.lock();
        Ok(state.waits.values().filter(|open| filter.admits(open)).take(limit).cloned().collect())
    }
}
