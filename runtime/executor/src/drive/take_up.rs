//! Going on where a journal ends.

use std::sync::Arc;

use runner_engine::InFlight;
use runner_model::{Failure, Outcome, code};
use runner_store::{Catalogue, StoreError};

use super::decide::is_workflow;
use super::{Child, Drive, Due};
use crate::error::ExecutorError;

impl Drive {
    /// What a process left under way: a sub-workflow is found again; another try, of which nothing is known, is made
    /// again if the action allows that, and given up otherwise.
    pub(crate) async fn take_up(&mut self) -> Result<(), ExecutorError> {
        self.hold_place().await;
        for in_flight in self.state.in_flight(&self.plan) {
            let found = self.action(&in_flight.action).map(|(_, action)| action);
            match found {
                Some(action) if is_workflow(&action) => self.look_for_child(in_flight).await?,
                Some(action) if action.is_idempotent_with(&in_flight.input) => {
                    self.again.insert(in_flight.unit, in_flight);
                }
                _ => self.give_up(in_flight).await?,
            }
        }
        Ok(())
    }

    async fn look_for_child(&mut self, in_flight: InFlight) -> Result<(), ExecutorError> {
        let InFlight { unit, attempt, deadline, is_paused, .. } = in_flight;
        let id = self.id().child(unit.step, unit.item, attempt);
        match Catalogue::get(&*self.shared.options.store, id).await {
            Ok(_) => {
                self.children.insert(id, Child { unit, attempt, deadline, is_late: false, is_paused });
                self.find_child(id).await
            }
            // It never began, so it begins now.
            Err(StoreError::NotFound) => {
                self.due.push(due(in_flight));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn give_up(&mut self, in_flight: InFlight) -> Result<(), ExecutorError> {
        let message = format!("the process ended while `{}` ran: what it did is unknown", in_flight.action);
        let failure = Failure::new(code::EXEC_UNKNOWN_OUTCOME, message).with_hint(
            "look at the system it worked on; an action that may be run twice says so with `idempotent: true`",
        );
        self.finish(in_flight.unit, in_flight.attempt, Outcome::Abandoned { failure }).await
    }
}

pub(super) fn due(in_flight: InFlight) -> Due {
    let InFlight { unit, task, attempt, action, input, deadline, heartbeat_ms, progress, .. } = in_flight;
    Due { unit, attempt, task, action, input: Arc::clone(&input), deadline, heartbeat_ms, progress, place: None }
}
