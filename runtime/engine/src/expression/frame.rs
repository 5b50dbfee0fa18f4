//! What an expression can see: handed to rhai's functions through the thread that evaluates.
//!
//! Rhai's functions are registered once for the process, so they cannot hold what differs from one evaluation to the
//! next. Evaluation is synchronous and does not leave its thread: the frame is put there before and taken away after.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use runner_model::{ActionRef, ExecutionId, Status, TaskName, Timestamp, limits};
use serde_json::{Map, Value};

use crate::rule::EventInfo;

/// What an expression can see. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The moment of the decision: what `now()` gives.
    pub now: Timestamp,
    /// Context variables.
    pub variables: Arc<Map<String, Value>>,
    /// The step that just completed; none outside `next` and `retry`.
    pub current: Option<TaskResult>,
    /// The item, in a task that runs over a list.
    pub item: Option<Arc<Value>>,
    /// The last step of each task.
    pub tasks: Arc<Tasks>,
    /// The execution.
    pub execution: Option<Arc<ExecutionInfo>>,
    /// The pack's configuration.
    pub config: Arc<Value>,
    /// Key-value data that has been read for this decision.
    pub kv: Arc<BTreeMap<String, Value>>,
    /// The event and what it brought, in rules.
    pub event: Option<Arc<Happened>>,
}

/// An event and what it brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// The event.
    pub about: EventInfo,
    /// What it brought.
    pub payload: Arc<Value>,
}

/// The last step of each task.
pub type Tasks = BTreeMap<TaskName, TaskResult>;

/// A step that completed, or that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Where it stands.
    pub status: Status,
    /// What it returned; for a failure, what is known of it.
    pub result: Arc<Value>,
}

/// The execution, as expressions see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionInfo {
    /// Its id.
    pub id: ExecutionId,
    /// What it runs.
    pub action: ActionRef,
}

struct Current {
    frame: Frame,
    /// When the evaluation began, for its limit only.
    began: Instant,
    /// The key that was asked for and has not been read.
    needed: Option<String>,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// The frame is in place until this is dropped.
pub(super) struct Entered {
    /// Not to be sent to another thread.
    _here: std::marker::PhantomData<*const ()>,
}

pub(super) fn enter(frame: Frame) -> Entered {
    CURRENT.set(Some(Current { frame, began: Instant::now(), needed: None }));
    Entered { _here: std::marker::PhantomData }
}

impl Entered {
    /// Takes the frame away; gives the key that was asked for in vain.
    pub(super) fn leave(self) -> Option<String> {
        CURRENT.take().and_then(|current| current.needed)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// Looks at the frame of the evaluation that is under way.
pub(super) fn with<T: Default>(look: impl FnOnce(&Frame) -> T) -> T {
    CURRENT.with_borrow(|current| current.as_ref().map(|current| look(&current.frame)).unwrap_or_default())
}

/// Notes that a key is needed.
pub(super) fn need(key: &str) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            current.needed.get_or_insert_with(|| key.to_owned());
        }
    });
}

/// Whether the evaluation has used up its time.
pub(super) fn spent_too_long() -> bool {
    CURRENT.with_borrow(|current| {
        current.as_ref().is_some_and(|current| current.began.elapsed() > limits::EXPRESSION_TIME_MAX)
    })
}
