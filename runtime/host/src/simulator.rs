//! Simulated systems: one instance of a component, in a task of its own that lives as long as a handle to it. It may stand
//! behind several connections, so that the systems it simulates can see each other. Requests come one after the other,
//! whoever sends them, and whoever gives up waiting does not disturb the instance.

use std::sync::Arc;
use std::time::Duration;

use runner_model::limits::{SIMULATOR_CALL, SIMULATOR_QUEUE_MAX};
use runner_model::{Clock, ConnectionName, Failure, code};
use tokio::sync::{OnceCell, mpsc, oneshot};
use tracing::{debug, info, trace, warn};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Store};

use crate::bindings::plugin::{clock, log};
use crate::bindings::simulator as world;
use crate::component::{Component, Ready, World};
use crate::egress::HttpResponse;
use crate::escape::one_line;
use crate::guest::{Limiter, now_ms, set_pace};
use crate::host::Shared;
use crate::stop::{self, Phase};

/// A request to a simulated system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path, percent-encoded, without the query.
    pub path: String,
    /// The query, pair by pair, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

/// What becomes of it. Whoever asked lets the time pass and then answers, or closes the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorReply {
    /// Time that passes before the ending.
    pub delay: Duration,
    /// What then happens.
    pub ending: SimulatorEnding,
}

/// What becomes of a request to a simulated system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimulatorEnding {
    /// It is answered.
    Response(HttpResponse),
    /// The connection is closed without an answer.
    Dropped,
}

/// A simulated system, as it is reached by one connection. A clone is the same system.
#[derive(Clone)]
pub struct Simulator {
    world: Arc<Simulated>,
    connection: ConnectionName,
}

/// The one instance behind all handles to it.
struct Simulated {
    shared: Arc<Shared>,
    component: Component,
    queue: OnceCell<mpsc::Sender<Job>>,
}

struct Job {
    connection: ConnectionName,
    request: SimulatorRequest,
    reply: oneshot::Sender<Result<SimulatorReply, Failure>>,
}

impl Simulator {
    pub(crate) fn new(shared: Arc<Shared>, component: Component, connection: ConnectionName) -> Self {
        Self { world: Arc::new(Simulated { shared, component, queue: OnceCell::new() }), connection }
    }

    /// The same instance, reached by another connection: what one of them changes, the other finds changed.
    #[must_use]
    pub fn behind(&self, connection: ConnectionName) -> Self {
        Self { world: Arc::clone(&self.world), connection }
    }

    /// The connection that it stands behind.
    #[must_use]
    pub const fn connection(&self) -> &ConnectionName {
        &self.connection
    }

    /// Lets the simulated system handle a request.
    ///
    /// # Errors
    /// A simulator that cannot be started or has failed. One that has failed stays so: its state is lost, and going on
    /// with another would only hide that.
    pub async fn handle(&self, request: SimulatorRequest) -> Result<SimulatorReply, Failure> {
        let queue = self.world.queue.get_or_try_init(|| self.world.start()).await?;
        let (reply, answer) = oneshot::channel();
        let gone = || broken("the simulator has ended");
        queue.send(Job { connection: self.connection.clone(), request, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Simulated {
    async fn start(&self) -> Result<mpsc::Sender<Job>, Failure> {
        let Ready::Simulator(pre) = &self.component.ready else {
            return Err(self.component.wrong_world(World::Simulator));
        };
        let places = Arc::clone(&self.shared.simulator_places);
        let Ok(place) = places.try_acquire_owned() else {
            return Err(broken("as many simulators run already as are allowed"));
        };
        let mut store =
            SimulatorGuest::new(&self.shared).into_store(pre.engine(), self.shared.limits.guest.host_call_bytes_max);
        let made = in_time(&self.shared, Phase::Start, pre.instantiate_async(&mut store)).await;
        let instance = made.map_err(|reason| broken(&reason))?;
        let (sender, jobs) = mpsc::channel(SIMULATOR_QUEUE_MAX);
        let shared = Arc::clone(&self.shared);
        // Ends with the last handle, which holds the only sender: nobody need wait for it.
        tokio::spawn(async move {
            let _place = place;
            Box::pin(serve(&shared, store, instance, jobs)).await;
        });
        Ok(sender)
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// Handles jobs until no handle is left or the instance fails; then says to each further one why it failed.
async fn serve(
    shared: &Shared,
    mut store: Store<SimulatorGuest>,
    instance: world::Simulator,
    mut jobs: mpsc::Receiver<Job>,
) {
    let failed = loop {
        let Some(job) = jobs.recv().await else { return };
        let request = job.request.into_wit(&job.connection);
        store.data_mut().connection = Some(job.connection);
        let result = in_time(shared, Phase::Call, instance.call_handle(&mut store, &request)).await;
        let failure = result.as_ref().err().map(|reason| broken(reason));
        // Nobody waits any more: the state has changed all the same.
        let _ = job.reply.send(result.map(Into::into).map_err(|reason| broken(&reason)));
        if let Some(failure) = failure {
            break failure;
        }
    };
    warn!(connection = store.data().name(), error = %failed, "the simulator failed");
    drop(store);
    while let Some(job) = jobs.recv().await {
        let _ = job.reply.send(Err(failed.clone()));
    }
}

/// Runs a call of a simulator in the time it has. Gives the reason if it fails.
async fn in_time<T>(
    shared: &Shared,
    phase: Phase,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, String> {
    let _running = shared.ticker.guest();
    match tokio::time::timeout(SIMULATOR_CALL, call).await {
        Ok(result) => result.map_err(|error| stop::failure(&error, phase, &shared.limits.guest).to_string()),
        Err(_) => Err(format!("it did not answer within {SIMULATOR_CALL:?}")),
    }
}

fn broken(reason: &str) -> Failure {
    Failure::new(code::NET_SIMULATOR, format!("the simulator failed: {reason}"))
}

impl SimulatorRequest {
    fn into_wit(self, connection: &ConnectionName) -> world::Request {
        world::Request {
            connection: connection.to_string(),
            method: self.method,
            path: self.path,
            query: self.query,
            headers: self.headers,
            body: self.body,
        }
    }
}

impl From<world::Reply> for SimulatorReply {
    fn from(reply: world::Reply) -> Self {
        Self {
            delay: Duration::from_millis(u64::from(reply.delay_ms)),
            ending: match reply.ending {
                world::Ending::Response(world::Response { status, headers, body }) => {
                    SimulatorEnding::Response(HttpResponse { status, headers, body })
                }
                world::Ending::Dropped => SimulatorEnding::Dropped,
            },
        }
    }
}

/// The state of a simulator's store: it has a log and a clock, and nothing else.
pub(crate) struct SimulatorGuest {
    /// The one that the request in hand came by.
    connection: Option<ConnectionName>,
    clock: Arc<dyn Clock>,
    limiter: Limiter,
    line_bytes_max: usize,
}

impl SimulatorGuest {
    fn new(shared: &Shared) -> Self {
        let limits = &shared.limits.guest;
        Self {
            connection: None,
            clock: Arc::clone(&shared.clock),
            limiter: Limiter::new(limits),
            line_bytes_max: limits.log_line_bytes_max,
        }
    }

    fn name(&self) -> &str {
        self.connection.as_ref().map_or("", ConnectionName::as_str)
    }

    fn into_store(self, engine: &Engine, call_bytes_max: usize) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|guest| &mut guest.limiter);
        set_pace(&mut store, call_bytes_max, |_| Ok(()));
        store
    }
}

/// A linker with everything that simulators may import.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<SimulatorGuest>> {
    let mut linker = Linker::new(engine);
    world::Simulator::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

impl clock::Host for SimulatorGuest {
    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(now_ms(&*self.clock))
    }
}

impl log::Host for SimulatorGuest {
    fn emit(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let connection = self.name();
        let message = one_line(&message, self.line_bytes_max);
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fields = one_line(&fields.join(" "), self.line_bytes_max);
        match level {
            log::Level::Trace => trace!(connection, message, fields, "simulator"),
            log::Level::Debug => debug!(connection, message, fields, "simulator"),
            log::Level::Info => info!(connection, message, fields, "simulator"),
            log::Level::Warn | log::Level::Error => warn!(connection, message, fields, "simulator"),
        }
        Ok(())
    }
}
