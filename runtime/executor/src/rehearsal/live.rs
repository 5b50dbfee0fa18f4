//! Steps that really run: guests, with simulators behind their connections, in the simulated time of the rehearsal.

use std::sync::Arc;

use parking_lot::Mutex;
use runner_engine::rehearsal::Call;
use runner_host::{LogLine, Observer, RequestSummary};
use runner_model::{Clock as _, ExecutionId, ManualClock, Outcome, Timestamp};
use runner_pack::{Action, Body, ExpectedRequest, Pack};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::attempt::{bind, refused};
use crate::error::RequestError;
use crate::guests::Guests;

/// What runs the steps of rehearsals with `simulate: true`.
pub struct Simulation {
    /// The time that guests and simulators see: it is set to that of the step that runs.
    pub clock: Arc<ManualClock>,
    /// Gives what runs the actions of one rehearsal. Made anew for each, so that none finds what another left in a
    /// simulated system.
    pub guests: Box<dyn Fn() -> Arc<dyn Guests> + Send + Sync>,
}

/// What runs the steps of one rehearsal.
pub(super) struct Live {
    clock: Arc<ManualClock>,
    guests: Arc<dyn Guests>,
}

/// A request that left a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SentRequest {
    method: String,
    path: String,
    connection: String,
}

impl Simulation {
    pub(super) fn begin(&self) -> Live {
        Live { clock: self.clock.clone(), guests: (self.guests)() }
    }
}

impl Live {
    /// Runs an attempt to its end; gives the requests that it made, too.
    pub(super) async fn run(
        &self,
        execution: ExecutionId,
        call: &Call,
        (pack, action): (&Arc<Pack>, &Arc<Action>),
        now: Timestamp,
    ) -> (Outcome, Vec<SentRequest>) {
        if !action.enabled {
            return (refused(&RequestError::Disabled { action: call.action.clone() }), Vec::new());
        }
        let input = match bind(action, members(&call.input)) {
            Ok(input) if matches!(action.body, Body::Wasm { .. }) => input,
            Ok(_) => return (super::mocks::unmocked(), Vec::new()),
            Err(outcome) => return (outcome, Vec::new()),
        };
        // A sub-workflow beside this one may have been further in time.
        if self.clock.now() != now {
            self.clock.set(now);
        }
        let ear = Arc::new(Ear::default());
        let guest = crate::Call {
            execution,
            unit: call.unit,
            name: None,
            attempt: call.attempt,
            pack: pack.clone(),
            action: action.clone(),
            input,
            timeout: None,
            last_heartbeat: None,
            trace: None,
            cancel: CancellationToken::new(),
            observer: ear.clone(),
            mask: Arc::default(),
        };
        let outcome = self.guests.run(guest).await;
        let sent = std::mem::take(&mut *ear.0.lock());
        (outcome, sent)
    }
}

fn members(input: &Value) -> Map<String, Value> {
    input.as_object().cloned().unwrap_or_default()
}

impl SentRequest {
    pub(super) fn fits(&self, expected: &ExpectedRequest) -> bool {
        let connection = expected.connection.as_ref().is_none_or(|name| name.as_str() == self.connection);
        // What a request carried is not told by the host: an expected body is never found.
        connection && expected.method == self.method && expected.path == self.path && expected.body.is_none()
    }
}

/// Takes down the requests.
#[derive(Default)]
struct Ear(Mutex<Vec<SentRequest>>);

impl Observer for Ear {
    fn log(&self, _: LogLine) {}

    fn heartbeat(&self, _: &str) {}

    fn request(&self, summary: RequestSummary) {
        let RequestSummary { method, path, target: connection, .. } = summary;
        self.0.lock().push(SentRequest { method, path, connection });
    }
}
