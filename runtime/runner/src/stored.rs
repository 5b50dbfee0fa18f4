//! Secrets of the store, opened for whatever is configured to use them: each time that is logged first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use runner_host::{ConnectionConfig, ConnectionSource};
use runner_model::{Clock as _, ConnectionName, Failure, NodeId, Secret, SecretName, SystemClock};
use runner_store::{AuditAction, AuditOrigin, Audited, Deed, KeySource, Store, StoreError, Vault};
use serde_json::json;

use crate::config::{Connection, Environment, Sources};

/// The secrets of a store. A clone is the same.
#[derive(Clone)]
pub(crate) struct StoredSecrets {
    vault: Vault<Arc<dyn Store>>,
    store: Arc<dyn Store>,
    node: NodeId,
}

/// A connection, as users of secrets are called.
pub(crate) fn connection_user(name: &ConnectionName) -> String {
    format!("the connection `{name}`")
}

/// The secret of webhooks with this name, as users of secrets are called.
pub(crate) fn webhook_user(name: &str) -> String {
    format!("the webhook secret `{name}`")
}

impl StoredSecrets {
    /// Those of this store, for the process with this name.
    pub(crate) fn new(store: Arc<dyn Store>, keys: KeySource, node: &NodeId) -> Self {
        Self { vault: Vault::new(store.clone(), keys), store, node: node.clone() }
    }

    /// Opens secrets for a user of them. What cannot be logged is not given.
    pub(crate) async fn open(
        &self,
        names: &BTreeSet<SecretName>,
        user: &str,
    ) -> Result<BTreeMap<SecretName, Secret>, StoreError> {
        let (mut opened, mut versions) = (BTreeMap::new(), BTreeMap::new());
        for name in names {
            let found = self.vault.open(name).await?;
            versions.insert(name.clone(), found.version);
            opened.insert(name.clone(), found.value);
        }
        let deed = Deed::new(AuditAction::SecretUse, user, json!({ "secrets": versions, "pid": std::process::id() }));
        let origin = AuditOrigin::Daemon { node: self.node.to_string() };
        self.store.log(Audited { at: SystemClock.now(), actor: "runner".to_owned(), origin }, deed).await?;
        Ok(opened)
    }

    /// The settings of a connection, with its secrets as they are when it is used.
    pub(crate) fn of_connection(
        &self,
        connection: Connection,
        environment: Environment,
    ) -> impl ConnectionSource + use<> {
        OfConnection { secrets: self.clone(), connection, environment }
    }
}

struct OfConnection {
    secrets: StoredSecrets,
    connection: Connection,
    environment: Environment,
}

#[async_trait]
impl ConnectionSource for OfConnection {
    async fn fetch(&self) -> Result<ConnectionConfig, Failure> {
        let names = self.connection.settings.stored_secrets();
        let user = connection_user(self.connection.name());
        let opened = self.secrets.open(&names, &user).await.map_err(|error| {
            tracing::warn!(connection = %self.connection.name(), code = %error.code(), %error, "a connection has no secret");
            Failure::new(error.code(), error.to_string()).with_hint(error.hint())
        })?;
        self.connection.resolve(&Sources::with(self.environment, &opened)).map_err(|error| {
            let first = error.mistakes.into_iter().next();
            let (message, hint) = first.map(|mistake| (mistake.message, mistake.hint)).unwrap_or_default();
            let failure = Failure::new(runner_model::code::CONF_SECRET, message);
            match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        })
    }
}
