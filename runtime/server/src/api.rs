//! The REST API: what can be asked of this process over HTTP, who may ask it, and the document that says so.
//!
//! - **Every route has an access rule**: it is registered with one ([`route::Routes::add`]) or not at all, and the rule
//!   stands in the document.
//! - **Every refusal is a problem** ([`problem::ApiProblem`], RFC 9457) with a stable code; bad input is never a 5xx.
//! - **Nothing is acknowledged that is not committed**: handlers answer after the executor or the store has.
//! - **A key sees its packs only**: what belongs to others is left out of lists, and is not there otherwise.
//!
//! No decision is made here: what a request leads to is the executor's, the triggers' or the store's.

pub(crate) mod access;
mod actions;
mod audit;
pub(crate) mod body;
pub(crate) mod context;
mod document;
mod elsewhere;
mod entrance;
pub(crate) mod envelope;
pub(crate) mod events;
mod executions;
mod health;
mod idempotency;
mod inquiries;
mod keys;
mod linger;
mod live;
mod packs;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod route;
mod rules;
mod schedules;
pub(crate) mod schema;
mod secrets;
pub(crate) mod sensors;
mod triggers;
mod waits;
pub(crate) mod webhook;

use std::sync::Arc;

use axum::Router;
use runner_executor::{Executor, Packs};
use runner_model::{Clock, Entropy, NodeId, Secret};
use runner_store::{KeySource, Store};
use runner_triggers::Triggers;
use serde_json::Value;

use crate::local::Nodes;
pub use access::USER_HEADER;
pub use audit::{EntryView as AuditEntryView, HeadView as AuditHeadView, VerdictView as AuditVerdictView};
use context::Context;
pub use entrance::Entrance;
use route::Routes;
pub use secrets::{SecretUsers, SecretView};

/// Who may ask without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// Everybody who reaches the socket, until the first key is made: for a socket on the loopback.
    Open,
    /// Nobody.
    Keys,
}

/// What the API is made of.
pub struct ApiOptions {
    /// Runs what is asked for.
    pub executor: Executor,
    /// Remembers.
    pub store: Arc<dyn Store>,
    /// What there is to run.
    pub packs: Arc<Packs>,
    /// What comes from outside.
    pub triggers: Triggers,
    /// The name of this process.
    pub node: NodeId,
    /// The processes that share the data directory, with what they drive; none if this is the only one.
    pub nodes: Option<Nodes>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// Who may ask without a key.
    pub access: AccessMode,
    /// Names by which this process may be addressed without a key, besides those of the loopback.
    pub hosts: Vec<String>,
    /// The secrets with a name, for the signatures of webhooks: the present one first.
    pub webhook_secrets: Arc<dyn Fn(&str) -> Vec<Secret> + Send + Sync>,
    /// The keys that seal secrets.
    pub keys: KeySource,
    /// Who is configured to use them.
    pub secret_users: Arc<dyn SecretUsers>,
    /// What `/metrics` answers, as Prometheus reads it.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The body of a request, in bytes, at the most. Webhooks have limits of their own.
    pub body_bytes_max: usize,
    /// The version of the program.
    pub version: &'static str,
}

/// The REST API of a process. A clone is the same API.
#[derive(Clone)]
pub struct Api {
    context: Arc<Context>,
    router: Router,
}

impl Api {
    /// The API with these options; to be called within a tokio runtime. What it keeps for those who follow executions
    /// ends with it.
    #[must_use]
    pub fn new(options: ApiOptions) -> Self {
        let (unguarded, document) = routes().finish();
        let context = Arc::new(Context::new(options, document));
        let router = envelope::wrap(unguarded, &context);
        Self { context, router }
    }

    /// Answers requests, each by way of its route.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Answers requests that come in on a port.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        Entrance::new(self.router()).with_deliveries_to(self)
    }

    /// Answers requests of the user of this process, who needs no key: for the local socket.
    pub(crate) fn local_router(&self) -> Router {
        self.router.clone().layer(axum::Extension(access::Local))
    }

    /// The OpenAPI document as it is now, with a path for every action.
    #[must_use]
    pub fn openapi(&self) -> Value {
        document::whole(&self.context)
    }

    /// Says that this process is ready: what it takes up from before is taken up. Until then `/readyz` says no.
    pub fn ready(&self) {
        self.context.ready();
    }

    /// Takes nothing new from here on: the process stops. What only looks is still answered; streams end.
    pub fn drain(&self) {
        self.context.drain();
    }
}

/// Every route.
fn routes() -> Routes {
    Routes::default()
        .and(health::routes())
        .and(executions::routes())
        .and(live::routes())
        .and(actions::routes())
        .and(packs::routes())
        .and(inquiries::routes())
        .and(waits::routes())
        .and(keys::routes())
        .and(secrets::routes())
        .and(audit::routes())
        .and(events::routes())
        .and(rules::routes())
        .and(schedules::routes())
        .and(sensors::routes())
        .and(triggers::routes())
        .and(webhook::routes())
}
