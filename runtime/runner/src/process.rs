//! This process as one of those that drive executions: others see that it lives, and can ask it.

use std::sync::Arc;

use runner_executor::Executor;
use runner_host::Host;
use runner_model::{NodeId, SystemEntropy, code};
use runner_server::Api;
use runner_server::control::{Serving, serve};
use runner_server::local::{Nodes, Office, Seat};
use runner_store::{Leases as _, SqliteStore};
use tracing::{debug, warn};

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::phase;

/// What a process works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Executions that it begins.
    New,
    /// Also executions that others began.
    Open,
}

/// An executor with its place among the processes of the data directory.
pub(crate) struct Process {
    /// Drives.
    pub(crate) executor: Executor,
    /// Runs its guests.
    pub(crate) host: Host,
    store: Arc<SqliteStore>,
    node: NodeId,
    takes: Takes,
    seat: Option<Seat>,
    serving: Option<Serving>,
}

impl Process {
    /// Takes the place, frees what dead processes owned, and listens.
    pub(crate) async fn start(
        app: &mut App,
        store: &Arc<SqliteStore>,
        simulate: bool,
        takes: Takes,
    ) -> Result<Self, CliError> {
        let (node, nodes) = (App::node(), app.nodes());
        // The place comes before the first lease: who owns something and has no place would be taken for dead.
        let seat = nodes.join(&node);
        let seat = seat.inspect_err(|error| warn!(%error, "other processes cannot see this one")).ok();
        free_dead(&nodes, store).await;
        phase::reached("place taken");
        let host = app.host()?;
        app.learn_grants(&**store).await?;
        let executor = app.executor(store.clone(), host.clone(), node.clone(), simulate)?;
        let serving = match &seat {
            Some(seat) => {
                let serving = serve(executor.clone(), seat, &SystemEntropy).await;
                serving.inspect_err(|error| warn!(%error, "other processes cannot ask this one")).ok()
            }
            None => None,
        };
        phase::reached("executor ready");
        Ok(Self { executor, host, store: store.clone(), node, takes, seat, serving })
    }

    /// Its name.
    pub(crate) const fn node(&self) -> &NodeId {
        &self.node
    }

    /// Lets other processes of this user ask for everything that the API offers.
    pub(crate) fn offer(&self, api: &Api) {
        if let Some(serving) = &self.serving {
            serving.offer(api);
        }
    }

    /// Makes this process the daemon of the data directory.
    pub(crate) fn take_office(&self, app: &App) -> Result<Office, CliError> {
        let dir = app.config.data.display();
        let refused = |message: String| CliError::new(Exit::Usage, code::CLI_DAEMON, message);
        let Some(seat) = &self.seat else {
            return Err(refused(format!("other processes would not see a daemon in `{dir}`")));
        };
        match app.nodes().take_office(seat) {
            Ok(Some(office)) => Ok(office),
            Ok(None) => Err(refused(format!("another daemon has the data directory `{dir}`"))
                .hint("end it first, or name another directory with `--data DIR`")),
            Err(error) => Err(refused(format!("no daemon can be in `{dir}`")).caused_by(&error)),
        }
    }

    /// Stops. What has not ended is left as its journal says, and free for others at once.
    pub(crate) async fn end(self) {
        self.executor.shutdown().await;
        if let Some(serving) = self.serving {
            serving.stop().await;
        }
        // What it began and brought to its end is nobody's any more; that costs no commit.
        if self.takes == Takes::Open || self.executor.count() != (0, 0) {
            let freed = self.store.expire(&self.node).await;
            freed.unwrap_or_else(|error| debug!(%error, "what is open is free when the lease is over"));
        }
        // Only now: who finds no place finds nothing owned either.
        drop(self.seat);
    }
}

/// Frees what processes owned that ended without saying so, and removes what they left.
pub(crate) async fn free_dead(nodes: &Nodes, store: &SqliteStore) {
    for dead in nodes.dead() {
        match store.expire(dead.node()).await {
            Ok(()) => dead.bury(),
            // Found again by the next process.
            Err(error) => debug!(node = %dead.node(), %error, "what a dead process owned is not freed"),
        }
    }
}
