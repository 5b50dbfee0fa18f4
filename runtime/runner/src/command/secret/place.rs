//! Where the secrets are: with a daemon, or in the store of the data directory.

use std::sync::Arc;

use runner_model::{Secret, SecretName};
use runner_server::api::SecretView;
use runner_store::{Audited, MustBe, Secrets as _, SqliteStore, StoreError, Vault};
use serde::Deserialize;
use serde_json::{Value, json};

use super::in_use;
use crate::app::App;
use crate::command::asked::ALL;
use crate::error::CliError;
use crate::remote::{Remote, segment};

/// Where they are.
pub(super) enum Place {
    Daemon(Remote),
    Here { store: Arc<SqliteStore>, vault: Vault<Arc<SqliteStore>>, by: Audited },
}

/// What a daemon says.
#[derive(Deserialize)]
struct Resealed {
    secrets: usize,
}

fn at(name: &SecretName) -> String {
    format!("/api/v1/secrets/{}", segment(name.as_str()))
}

impl Place {
    /// Those of the daemon that the user names, or that has the data directory; without one the store is made if need be.
    pub(super) async fn open(app: &App) -> Result<Self, CliError> {
        if let Some(daemon) = app.daemon() {
            return Ok(Self::Daemon(daemon));
        }
        let store = Arc::new(app.store().await?);
        Ok(Self::Here { vault: app.vault(store.clone()), store, by: app.audited() })
    }

    /// Lets go of what was opened.
    pub(super) async fn close(self) {
        if let Self::Here { store, .. } = self {
            store.close().await;
        }
    }

    /// Refuses what could not be given a value.
    pub(super) async fn check(&self, name: &SecretName, must: MustBe) -> Result<(), CliError> {
        match self {
            Self::Here { store, .. } if must == MustBe::There && store.sealed_secret(name).await?.is_none() => {
                Err(StoreError::NoSecret(name.clone()).into())
            }
            _ => Ok(()),
        }
    }

    /// Gives one a value.
    pub(super) async fn put(
        &self,
        name: &SecretName,
        value: &Secret,
        description: Option<String>,
        must: MustBe,
    ) -> Result<SecretView, CliError> {
        match self {
            Self::Daemon(daemon) => {
                let must_exist = must == MustBe::There;
                let body = json!({ "value": value.expose(), "description": description, "must_exist": must_exist });
                daemon.put(&at(name), &body).await
            }
            Self::Here { vault, by, .. } => {
                let record = vault.put(name, value, description, must, by.clone()).await?;
                Ok(SecretView::of(record, Vec::new()))
            }
        }
    }

    /// Seals all with the current key.
    pub(super) async fn reseal(&self) -> Result<usize, CliError> {
        match self {
            Self::Daemon(daemon) => {
                let Resealed { secrets } = daemon.post("/api/v1/keyring/reseal", &json!({})).await?;
                Ok(secrets)
            }
            Self::Here { vault, by, .. } => Ok(vault.reseal(by).await?),
        }
    }

    /// All of them, by name.
    pub(super) async fn all(&self, app: &App) -> Result<Vec<SecretView>, CliError> {
        match self {
            Self::Daemon(daemon) => daemon.list("/api/v1/secrets", &[], ALL).await,
            Self::Here { store, .. } => {
                let all = store.secrets().await?.into_iter();
                Ok(all.map(|record| SecretView::of(record.clone(), app.config.users_of(&record.name))).collect())
            }
        }
    }

    /// Removes one, unless it is used.
    pub(super) async fn delete(&self, app: &App, name: &SecretName, force: bool) -> Result<(), CliError> {
        match self {
            Self::Daemon(daemon) => {
                let force = if force { "?force=true" } else { "" };
                let _: Value = daemon.delete(&format!("{}{force}", at(name))).await?;
            }
            Self::Here { store, by, .. } => {
                let users = app.config.users_of(name);
                if !users.is_empty() && !force && store.sealed_secret(name).await?.is_some() {
                    return Err(in_use(name, &users));
                }
                if !store.delete_secret(name, by.clone()).await? {
                    return Err(StoreError::NoSecret(name.clone()).into());
                }
            }
        }
        Ok(())
    }
}
