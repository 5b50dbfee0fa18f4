//! Who uses secrets of the store in a daemon: connections, which are made anew when one changes, and the signatures of
//! webhooks, whose secrets are opened once and again then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use runner_host::Connections;
use runner_model::{ConnectionName, SecretName};
use runner_server::SecretUsers;
use runner_store::SqliteStore;
use tracing::warn;

use crate::app::App;
use crate::config::WebhookSecrets;
use crate::process::Process;
use crate::stored::{StoredSecrets, connection_user, webhook_user};

/// Who uses what.
pub(super) struct Users {
    connections: BTreeMap<ConnectionName, BTreeSet<SecretName>>,
    made: Connections,
    webhooks: Arc<WebhookSecrets>,
    secrets: StoredSecrets,
}

impl Users {
    /// Those that the configuration names.
    pub(super) fn new(app: &App, store: Arc<SqliteStore>, process: &Process) -> Self {
        let of = |(name, connection): (&ConnectionName, &crate::config::Connection)| {
            (name.clone(), connection.settings.stored_secrets())
        };
        Self {
            connections: app.config.connections.iter().map(of).collect(),
            made: process.executor.packs().connections().clone(),
            webhooks: app.config.daemon.webhooks.clone(),
            secrets: app.stored_secrets(store, process.node()),
        }
    }

    /// Opens the secrets of webhooks: deliveries are checked with them without asking the store.
    pub(super) async fn open_webhooks(&self) {
        for (name, secrets) in self.webhooks.stored_secrets() {
            self.open(name, &secrets).await;
        }
    }

    async fn open(&self, webhook: &str, names: &BTreeSet<SecretName>) {
        // Each by itself: while one is changed for another, either may be missing.
        for name in names {
            let one = BTreeSet::from([name.clone()]);
            let opened = self.secrets.open(&one, &webhook_user(webhook)).await.unwrap_or_else(|error| {
                warn!(webhook, secret = %name, code = %error.code(), %error, "deliveries cannot be checked with it");
                BTreeMap::new()
            });
            self.webhooks.refresh(&one, opened);
        }
    }
}

#[async_trait]
impl SecretUsers for Users {
    fn of(&self, name: &SecretName) -> Vec<String> {
        let connections = self.connections.iter().filter(|(_, names)| names.contains(name));
        let webhooks = self.webhooks.stored_secrets().filter(|(_, names)| names.contains(name));
        connections.map(|(user, _)| connection_user(user)).chain(webhooks.map(|(user, _)| webhook_user(user))).collect()
    }

    async fn changed(&self, name: &SecretName) {
        for (connection, _) in self.connections.iter().filter(|(_, names)| names.contains(name)) {
            self.made.changed(connection.as_str());
        }
        let one = BTreeSet::from([name.clone()]);
        let users: Vec<_> = self.webhooks.stored_secrets().filter(|(_, names)| names.contains(name)).collect();
        for (webhook, _) in users {
            self.open(webhook, &one).await;
        }
    }
}
