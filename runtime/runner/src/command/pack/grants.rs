//! Where grants are: with a daemon, or in the store of the data directory.

use runner_executor::Packs;
use runner_model::{Choice, GrantRecord, GrantReport, PackRef, code};
use runner_store::{Grants as _, SqliteStore};
use serde_json::json;

use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::remote::{Remote, segment};

/// Where they are.
pub(super) enum Ledger {
    /// The daemon that the user names, or that has the data directory: what holds is what it knows.
    Daemon(Remote),
    /// This process; without a store nothing was ever recorded.
    Here(Option<SqliteStore>),
}

impl Ledger {
    /// Opens what there is, and makes nothing.
    pub(super) async fn open(app: &App) -> Result<Self, CliError> {
        match app.daemon() {
            Some(daemon) => Ok(Self::Daemon(daemon)),
            None => Ok(Self::Here(app.existing_store().await?)),
        }
    }

    /// Lets go of what was opened.
    pub(super) async fn close(self) {
        if let Self::Here(Some(store)) = self {
            store.close().await;
        }
    }

    /// What a pack asks for and what it is granted.
    pub(super) async fn report(&self, app: &App, pack: &str) -> Result<GrantReport, CliError> {
        match self {
            Self::Daemon(daemon) => {
                let report = daemon.get(&format!("/api/v1/packs/{}/permissions", segment(pack)), &[]).await;
                match report {
                    Err(error) if error.exit == Exit::NotFound => {
                        super::check_there(daemon, pack).await?;
                        Err(error)
                    }
                    other => other,
                }
            }
            Self::Here(store) => {
                let packs: Packs = app.granted_packs(store.as_ref(), false).await?;
                let report = PackRef::new(pack).ok().and_then(|pack| packs.grant_report(&pack));
                report.ok_or_else(|| super::unknown(app, pack))
            }
        }
    }

    /// Grants what is chosen of what was looked at.
    pub(super) async fn grant(
        &mut self,
        app: &App,
        seen: GrantReport,
        choice: &Choice,
    ) -> Result<GrantReport, CliError> {
        let pack = seen.pack.clone();
        match self {
            Self::Daemon(daemon) => {
                let asked = json!({
                    "rules": choice.rules, "connections": choice.connections, "all": choice.all, "digest": seen.digest,
                });
                daemon.put(&format!("/api/v1/packs/{}/grant", segment(pack.as_str())), &asked).await
            }
            Self::Here(store) => {
                let refused = |error: &runner_model::ChoiceError| {
                    CliError::new(Exit::Usage, code::PACK_GRANT, error.to_string()).maybe_hint(error.hint())
                };
                let granted = choice.of(&seen.asks, &app.configured()).map_err(|error| refused(&error))?;
                let by = app.audited();
                let (actor, at) = (by.actor.clone(), by.at);
                let record =
                    GrantRecord { pack: seen.pack, digest: seen.digest, wish: seen.asks, granted, by: actor, at };
                let opened = match store.take() {
                    Some(store) => store,
                    None => app.store().await?,
                };
                let done = opened.grant(record, by).await;
                *store = Some(opened);
                done?;
                self.report(app, pack.as_str()).await
            }
        }
    }

    /// Takes a grant back; gives it as it was, none if there was none.
    pub(super) async fn revoke(&self, app: &App, pack: &str) -> Result<Option<GrantRecord>, CliError> {
        match self {
            Self::Daemon(daemon) => match daemon.delete(&format!("/api/v1/packs/{}/grant", segment(pack))).await {
                Ok(record) => Ok(Some(record)),
                Err(error) if error.exit == Exit::NotFound => Ok(None),
                Err(error) => Err(error),
            },
            Self::Here(Some(store)) => match PackRef::new(pack) {
                Ok(pack) => Ok(store.revoke_grant(&pack, app.audited()).await?),
                Err(_) => Ok(None),
            },
            Self::Here(None) => Ok(None),
        }
    }
}
