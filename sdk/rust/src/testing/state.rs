//! What the fake host knows, and the thread that it belongs to.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::run::{LogLine, Run, Sent};
use crate::context::Attempt;
use crate::simulator::Boxed;
use crate::{Result, http};

thread_local! {
    /// The hosts that are in force on this thread, the innermost last.
    static HOSTS: RefCell<Vec<State>> = const { RefCell::new(Vec::new()) };
}

pub(super) struct State {
    pub(super) config: Value,
    /// Values, and when they expire.
    pub(super) kv: BTreeMap<String, (Value, Option<u64>)>,
    pub(super) routes: Vec<Route>,
    pub(super) simulators: BTreeMap<String, Boxed>,
    pub(super) attempt: Attempt,
    pub(super) last_heartbeat: Option<Value>,
    pub(super) canceled: bool,
    pub(super) now_ms: u64,
    pub(super) random: u64,
    pub(super) sent: Vec<Sent>,
    pub(super) logs: Vec<LogLine>,
    pub(super) heartbeats: Vec<Value>,
}

/// A request that is expected.
pub(super) struct Route {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) path: String,
    pub(super) answers: VecDeque<Answer>,
}

#[derive(Clone)]
pub(super) struct Answer(pub(super) Result<http::Response, http::Error>);

impl Default for State {
    fn default() -> Self {
        let now_ms = 1_795_257_960_000;
        Self {
            config: json!({}),
            kv: BTreeMap::new(),
            routes: Vec::new(),
            simulators: BTreeMap::new(),
            attempt: Attempt {
                execution_id: "01973bc1-0000-7000-8000-000000000001".to_owned(),
                action: "test.action".to_owned(),
                number: 1,
                idempotency_key: "01973bc1-0000-7000-8000-000000000001/1".to_owned(),
                deadline_ms: now_ms + 60_000,
                trace_parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            },
            last_heartbeat: None,
            canceled: false,
            now_ms,
            random: 1,
            sent: Vec::new(),
            logs: Vec::new(),
            heartbeats: Vec::new(),
        }
    }
}

impl State {
    pub(super) fn into_run(self, result: Result<Value>) -> Run {
        Run {
            result,
            requests: self.sent,
            logs: self.logs,
            heartbeats: self.heartbeats,
            kv: self.kv.into_iter().map(|(key, (value, _))| (key, value)).collect(),
        }
    }
}

/// Takes the innermost host away again, also when the function panics.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        HOSTS.with_borrow_mut(Vec::pop);
    }
}

/// Runs a function with a host in force; gives back what the function returned, and the host.
pub(super) fn with_state<T>(state: State, function: impl FnOnce() -> T) -> (T, State) {
    HOSTS.with_borrow_mut(|hosts| hosts.push(state));
    let leave = Leave;
    let result = function();
    std::mem::forget(leave);
    (result, HOSTS.with_borrow_mut(Vec::pop).unwrap_or_default())
}

/// Looks at the host in force. Outside of any, there is one for the moment: empty, and forgotten at once.
pub(super) fn host<T>(look: impl FnOnce(&mut State) -> T) -> T {
    HOSTS.with_borrow_mut(|hosts| match hosts.last_mut() {
        Some(state) => look(state),
        None => look(&mut State::default()),
    })
}
