//! Where the keys are: with a daemon, or in the store of the data directory.

use runner_model::{ApiKey, KeyId, PackRef, Role, SystemClock, SystemEntropy, Timestamp};
use runner_server::new_key;
use runner_store::{Access as _, Audited, SqliteStore};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::command::asked::ALL;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::{Remote, segment};

/// Where they are.
pub(super) enum Keys {
    Daemon(Remote),
    Here(SqliteStore, Audited),
}

/// A key with its secret.
#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) secret: String,
    #[serde(flatten)]
    pub(super) key: ApiKey,
}

impl Keys {
    /// Those of the daemon that the user names, or that has the data directory; without one the store is made if need be.
    pub(super) async fn open(app: &App) -> Result<Self, CliError> {
        match app.daemon() {
            Some(daemon) => Ok(Self::Daemon(daemon)),
            None => Ok(Self::Here(app.store().await?, app.audited())),
        }
    }

    /// Lets go of what was opened.
    pub(super) async fn close(self) {
        if let Self::Here(store, _) = self {
            store.close().await;
        }
    }

    /// All of them, the oldest first.
    pub(super) async fn all(&self) -> Result<Vec<ApiKey>, CliError> {
        match self {
            Self::Daemon(daemon) => daemon.list("/api/v1/keys", &[], ALL).await,
            Self::Here(store, _) => Ok(store.keys_of_api().await?),
        }
    }

    /// Makes one.
    pub(super) async fn make(
        &self,
        name: String,
        role: Role,
        packs: Option<Vec<PackRef>>,
        expires_at: Option<Timestamp>,
    ) -> Result<Made, CliError> {
        match self {
            Self::Daemon(daemon) => {
                let asked = json!({ "name": name, "role": role, "packs": packs, "expires_at": expires_at });
                daemon.post("/api/v1/keys", &asked).await
            }
            Self::Here(store, by) => {
                let (secret, key, digest) = new_key(&SystemEntropy, &SystemClock, name, role, packs, expires_at);
                store.add_key(key.clone(), digest, by.clone()).await?;
                Ok(Made { secret, key })
            }
        }
    }

    /// Takes one back; gives it as it is then, none if there is no such key.
    pub(super) async fn revoke(&self, id: KeyId) -> Result<Option<ApiKey>, CliError> {
        match self {
            Self::Daemon(daemon) => match daemon.delete(&format!("/api/v1/keys/{}", segment(&id.to_string()))).await {
                Ok(key) => Ok(Some(key)),
                Err(error) if error.exit == Exit::NotFound => Ok(None),
                Err(error) => Err(error),
            },
            Self::Here(store, by) => Ok(store.revoke_key(id, by.clone()).await?),
        }
    }
}
