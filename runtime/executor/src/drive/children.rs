//! Steps that call workflows: each is an execution of its own, with an id that follows from the step, so that it is found
//! again after a crash. It lives beside its parent, not within it; the parent hears of its end.

use runner_host::TraceParent;
use runner_model::{
    ExecutionId, ExecutionView, Fact, Failure, JournalMask, Origin, Outcome, Status, Version, code, limits,
};
use runner_store::{Catalogue, Journal, StoreError};
use serde_json::Value;

use super::{Child, Drive, Due};
use crate::ExecutionRequest;
use crate::attempt;
use crate::begin::BeginError;
use crate::control::Control;
use crate::error::ExecutorError;
use crate::guests::unit_key;
use crate::registry::Order;

impl Drive {
    /// Begins the execution of a step that calls a workflow, or finds it again.
    pub(super) async fn begin_child(&mut self, due: Due) -> Result<(), ExecutorError> {
        let (unit, attempt) = (due.unit, due.attempt);
        if self.herald.depth + 1 > limits::WORKFLOW_DEPTH_MAX {
            let message = format!("workflows are nested deeper than {}", limits::WORKFLOW_DEPTH_MAX);
            let failure =
                Failure::new(code::EXEC_DEPTH, message).with_hint("does a workflow call itself without an end?");
            return self.finish(unit, attempt, Outcome::Failed { failure }).await;
        }
        let Value::Object(parameters) = Value::clone(&due.input) else {
            let message = format!("the input of `{}` is not a map", due.action);
            let failure = Failure::new(code::PARAM_INVALID, message);
            return self.finish(unit, attempt, Outcome::Failed { failure }).await;
        };
        let id = self.id().child(unit.step, unit.item, attempt);
        let origin = Origin::Step { execution: self.id(), step: unit.step };
        let trace = TraceParent::of_attempt(self.trace(), self.id(), &unit_key(self.id(), unit), attempt);
        let trace_parent = Some(trace.to_string());
        let sealed = self.is_sealed();
        let secrets = if sealed { self.herald.mask.secrets() } else { Vec::new() };
        let request =
            ExecutionRequest { trace_parent, sealed, secrets, ..ExecutionRequest::new(due.action, parameters, origin) };
        // Known before it begins: it may end before this returns.
        self.children.insert(id, Child { unit, attempt, deadline: due.deadline, is_late: false, is_paused: false });
        let begun = Box::pin(self.shared.begin(request, id, self.herald.child(id), Some(&self.pack))).await;
        match begun {
            Ok(()) => Ok(()),
            Err(BeginError::Executor(ExecutorError::Store(StoreError::Exists))) => self.find_child(id).await,
            Err(BeginError::Request(error)) => {
                self.children.remove(&id);
                self.finish(unit, attempt, attempt::refused(&error)).await
            }
            Err(BeginError::Executor(error)) => Err(error),
        }
    }

    /// Looks where a child stands that was begun before.
    pub(super) async fn find_child(&mut self, id: ExecutionId) -> Result<(), ExecutorError> {
        let record = Catalogue::get(&*self.shared.options.store, id).await?;
        if record.status.is_terminal() {
            return self.child_ended(id).await;
        }
        if self.shared.registry.has(id) {
            return Ok(());
        }
        match Box::pin(self.shared.take_up(id, None)).await {
            Ok(()) => {
                self.adopts.remove(&id);
                Ok(())
            }
            // Its owner may be lost as well; looked at again until its lease is over.
            Err(ExecutorError::Owned { .. }) => {
                self.adopts.insert(id);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn adopt_again(&mut self) -> Result<(), ExecutorError> {
        for id in self.adopts.clone() {
            self.find_child(id).await?;
        }
        Ok(())
    }

    pub(super) async fn child_ended(&mut self, id: ExecutionId) -> Result<(), ExecutorError> {
        self.adopts.remove(&id);
        let Some(child) = self.children.get(&id).copied() else { return Ok(()) };
        let entries = Journal::read(&*self.shared.options.store, id, Version(0)).await?;
        let view = ExecutionView::fold_unmasked(id, &entries);
        if view.as_ref().is_some_and(|view| !view.record.status.is_terminal()) {
            // It was run again as soon as it had ended: it ends once more. Another process does not tell that here.
            if !self.shared.registry.has(id) {
                self.adopts.insert(id);
            }
            return Ok(());
        }
        self.children.remove(&id);
        // What it came to know as secret may be in what it returns.
        if self.is_sealed() {
            self.learn(JournalMask::of(&entries).mask().secrets()).await?;
        }
        let outcome = match view {
            Some(view) if child.is_late && view.record.status == Status::Canceled => {
                let message = "the workflow did not end within the task's timeout";
                Outcome::Timeout { failure: Failure::new(code::HOST_TIMEOUT, message) }
            }
            Some(view) => attempt::of_workflow(view),
            None => {
                let message = format!("the journal of the execution {id} cannot be read");
                Outcome::Abandoned { failure: Failure::new(code::EXEC_JOURNAL, message) }
            }
        };
        self.finish(child.unit, child.attempt, outcome).await
    }

    pub(super) async fn child_paused(&mut self, id: ExecutionId, paused: bool) -> Result<(), ExecutorError> {
        let Some(child) = self.children.get_mut(&id) else { return Ok(()) };
        if std::mem::replace(&mut child.is_paused, paused) == paused {
            return Ok(());
        }
        let (step, item) = (child.unit.step, child.unit.item);
        self.take(Fact::ChildPaused { step, item, paused }).await
    }

    /// Tells the execution of which a step started this one that it is paused, or goes on.
    pub(super) fn tell_parent(&self, paused: bool) {
        if let Some(parent) = self.parent() {
            self.shared.order(parent, Order::ChildPaused(self.id(), paused));
        }
    }

    /// Asks something of a child, without waiting for it.
    pub(super) fn ask_child(&self, id: ExecutionId, control: Control) {
        let (sender, _) = tokio::sync::oneshot::channel();
        self.shared.order(id, Order::Control(control, sender));
    }

    pub(super) fn ask_children(&self, control: &Control) {
        for id in self.children.keys() {
            self.ask_child(*id, control.clone());
        }
    }

    /// Cancels children whose time is over.
    pub(super) fn stop_late_children(&mut self) {
        let now = self.shared.options.clock.now();
        let late = |child: &Child| !child.is_late && child.deadline.is_some_and(|deadline| deadline <= now);
        let late: Vec<_> = self.children.iter().filter(|(_, child)| late(child)).map(|(id, _)| *id).collect();
        for id in late {
            self.children.entry(id).and_modify(|child| child.is_late = true);
            self.ask_child(id, Control::Cancel { by: "the task's timeout".to_owned() });
        }
    }
}
