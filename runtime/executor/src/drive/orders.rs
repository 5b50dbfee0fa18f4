//! Doing what is asked of an execution.

use runner_engine::UnitId;
use runner_model::{Fact, ItemIndex, RerunTask, Status, TaskName, Wait, WaitKind};
use runner_pack::check_answer;
use runner_store::Leases;
use serde_json::Value;

use super::Drive;
use crate::control::{Control, ControlError};
use crate::error::ExecutorError;
use crate::lease;
use crate::registry::Order;

impl Drive {
    /// Takes an order. What goes wrong with what was asked is told to whoever asked; an error here is one of driving.
    pub(crate) async fn obey(&mut self, order: Order) -> Result<(), ExecutorError> {
        match order {
            Order::Control(control, answer) => {
                let result = match self.control(control).await {
                    Ok(()) => self.settle().await,
                    Err(error) => Err(error),
                };
                match result {
                    // Whether it is recorded is not known; that shows when the journal is read again.
                    Err(ControlError::Executor(error)) if !matches!(error, ExecutorError::Owned { .. }) => {
                        let _ = answer.send(Err(ExecutorError::Interrupted.into()));
                        Err(error)
                    }
                    result => {
                        // Whoever asked may have gone.
                        let _ = answer.send(result);
                        Ok(())
                    }
                }
            }
            Order::ChildEnded(id) => self.child_ended(id).await,
            Order::ChildPaused(id, paused) => self.child_paused(id, paused).await,
            Order::Look => Ok(()),
        }
    }

    /// Records what was asked and what follows from it, so that the answer is true.
    async fn settle(&mut self) -> Result<Status, ControlError> {
        self.decide_all().await?;
        self.flush().await?;
        Ok(self.state.status())
    }

    async fn control(&mut self, control: Control) -> Result<(), ControlError> {
        // What is answered follows from what is on the disk.
        self.flush().await?;
        let (id, status) = (self.id(), self.state.status());
        match control {
            Control::Rerun { by, tasks } => return self.rerun(by, tasks).await,
            _ if status.is_terminal() => return Err(ControlError::Ended { id, status }),
            Control::Pause { by } => {
                if !matches!(status, Status::Running | Status::Pending | Status::Pausing | Status::Paused) {
                    return Err(ControlError::Unfit { id, status, what: "paused" });
                }
                self.ask_children(&Control::Pause { by: by.clone() });
                self.take(Fact::PauseRequested { by }).await?;
            }
            Control::Resume { by } => {
                if !matches!(status, Status::Pausing | Status::Paused) {
                    return Err(ControlError::Unfit { id, status, what: "resumed" });
                }
                self.ask_children(&Control::Resume { by: by.clone() });
                self.children.values_mut().for_each(|child| child.is_paused = false);
                self.take(Fact::ResumeRequested { by }).await?;
                self.tell_parent(false);
            }
            Control::Cancel { by } => self.take(Fact::CancelRequested { by }).await?,
            Control::Respond { by, task, item, answer } => self.respond(by, task, item, answer).await?,
            Control::Event { by, key, payload } => self.event(by, &key, payload).await?,
        }
        Ok(())
    }

    async fn rerun(&mut self, by: String, tasks: Vec<RerunTask>) -> Result<(), ControlError> {
        self.state.check_rerun(&self.plan, &tasks)?;
        self.own_again().await?;
        self.take(Fact::RerunRequested { by, tasks }).await?;
        self.hold_place().await;
        Ok(())
    }

    /// What has ended belongs to nobody: another process might take it up as soon as it is open again.
    async fn own_again(&mut self) -> Result<(), ExecutorError> {
        let options = &self.shared.options;
        let now = options.clock.now();
        let claimed = Leases::claim(&*options.store, self.id(), &options.node, now, lease::until(now)).await?;
        let lease = claimed.ok_or_else(|| ExecutorError::Owned { id: self.id() })?;
        self.token = Some(lease.token);
        Ok(())
    }

    async fn respond(
        &mut self,
        by: String,
        task: Option<TaskName>,
        item: Option<ItemIndex>,
        answer: Value,
    ) -> Result<(), ControlError> {
        let id = self.id();
        let open: Vec<(UnitId, TaskName, Wait)> = self.state.waits(&self.plan);
        let fits = |(unit, name, wait): &&(UnitId, TaskName, Wait)| {
            task.as_ref().is_none_or(|wanted| wanted == name)
                && item.is_none_or(|wanted| unit.item == Some(wanted))
                // An event is no answer, unless somebody says explicitly which task it is for.
                && (task.is_some() || !matches!(wait.kind, WaitKind::Event { .. }))
        };
        let found: Vec<_> = open.iter().filter(fits).collect();
        // A task that runs on several routes is answered step by step, the oldest first.
        let is_one_task = found.iter().all(|(unit, name, _)| Some(name) == task.as_ref() && unit.item == item);
        match (found.first(), found.get(1).filter(|_| !is_one_task)) {
            (Some((unit, _, wait)), None) => {
                check_answer(wait, &answer).map_err(ControlError::Answer)?;
                let (step, item) = (unit.step, unit.item);
                Ok(self.take(Fact::Answered { step, item, by, answer }).await?)
            }
            (None, _) => Err(ControlError::NotWaiting { id, hint: waiting(&open) }),
            (Some(_), Some(_)) => Err(ControlError::Ambiguous { id, hint: waiting(&open) }),
        }
    }

    async fn event(&mut self, by: String, key: &str, payload: Value) -> Result<(), ControlError> {
        let waits = |wait: &Wait| matches!(&wait.kind, WaitKind::Event { key: wanted } if wanted == key);
        let open = self.state.waits(&self.plan);
        let units: Vec<_> = open.iter().filter(|(_, _, wait)| waits(wait)).map(|(unit, _, _)| *unit).collect();
        if units.is_empty() {
            return Err(ControlError::NotWaiting { id: self.id(), hint: waiting(&open) });
        }
        for UnitId { step, item } in units {
            self.take(Fact::Answered { step, item, by: by.clone(), answer: payload.clone() }).await?;
        }
        Ok(())
    }
}

/// What an execution waits for, for a hint.
fn waiting(open: &[(UnitId, TaskName, Wait)]) -> String {
    let name = |(unit, task, wait): &(UnitId, TaskName, Wait)| {
        let item = unit.item.map(|item| format!(" (item {item})")).unwrap_or_default();
        match &wait.kind {
            WaitKind::Inquiry { .. } => format!("the answer to `{task}`{item}"),
            WaitKind::Event { key } => format!("the event `{key}` for `{task}`{item}"),
            WaitKind::Outcome { .. } => format!("what became of `{task}`{item}"),
        }
    };
    match open {
        [] => "it waits for nothing from outside".to_owned(),
        open => format!("it waits for {}", open.iter().map(name).collect::<Vec<_>>().join(", ")),
    }
}
