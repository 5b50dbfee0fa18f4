//! Where the log is: with a daemon, or in the store of the data directory.

use runner_model::{Timestamp, limits};
use runner_server::api::{AuditEntryView, AuditHeadView, AuditVerdictView};
use runner_store::{Audit as _, AuditFilter, AuditFrom, Digest, SqliteStore, shown_digest, verify_audit};
use serde::Deserialize;

use crate::app::App;
use crate::error::CliError;
use crate::remote::{Query, Remote};

/// Where it is.
pub(super) enum Place {
    Daemon(Remote),
    Here(SqliteStore),
}

/// A page, as a daemon gives it.
#[derive(Deserialize)]
struct Page {
    items: Vec<AuditEntryView>,
}

/// Which entries.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) since: Option<Timestamp>,
    pub(super) actor: Option<String>,
    pub(super) action: Option<String>,
    pub(super) subject: Option<String>,
}

impl Wanted {
    fn filter(&self) -> AuditFilter {
        AuditFilter {
            since: self.since,
            actor: self.actor.clone(),
            action: self.action.clone(),
            subject: self.subject.clone(),
        }
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        let since = self.since.map(|since| since.to_string());
        let all = [("since", since), ("actor", self.actor.clone()), ("action", self.action.clone())];
        let all = all.into_iter().chain([("subject", self.subject.clone())]);
        all.filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

impl Place {
    /// That of the daemon that the user names, or that has the data directory.
    pub(super) async fn open(app: &App) -> Result<Self, CliError> {
        match app.daemon() {
            Some(daemon) => Ok(Self::Daemon(daemon)),
            None => Ok(Self::Here(app.store().await?)),
        }
    }

    /// Lets go of what was opened.
    pub(super) async fn close(self) {
        if let Self::Here(store) = self {
            store.close().await;
        }
    }

    /// The newest, the newest first.
    pub(super) async fn newest(&self, wanted: &Wanted, limit: usize) -> Result<Vec<AuditEntryView>, CliError> {
        match self {
            Self::Daemon(daemon) => daemon.list("/api/v1/audit", &wanted.query(), limit).await,
            Self::Here(store) => {
                let entries = store.audit(&wanted.filter(), AuditFrom::Before(None), limit).await?;
                Ok(entries.into_iter().map(AuditEntryView::from).collect())
            }
        }
    }

    /// Those after an entry, the oldest first.
    pub(super) async fn after(&self, wanted: &Wanted, after: u64) -> Result<Vec<AuditEntryView>, CliError> {
        match self {
            Self::Daemon(daemon) => {
                let mut query = wanted.query();
                query.push(("after", after.to_string()));
                query.push(("limit", limits::AUDIT_PAGE.to_string()));
                let query: Query<'_> = &query;
                let page: Page = daemon.get("/api/v1/audit", query).await?;
                Ok(page.items)
            }
            Self::Here(store) => {
                let entries = store.audit(&wanted.filter(), AuditFrom::After(after), limits::AUDIT_PAGE).await?;
                Ok(entries.into_iter().map(AuditEntryView::from).collect())
            }
        }
    }

    /// The end.
    pub(super) async fn head(&self) -> Result<AuditHeadView, CliError> {
        match self {
            Self::Daemon(daemon) => daemon.get("/api/v1/audit/head", &[]).await,
            Self::Here(store) => Ok(store.audit_head().await?.into()),
        }
    }

    /// Looks at the whole of it.
    pub(super) async fn verify(&self, head: Option<Digest>) -> Result<AuditVerdictView, CliError> {
        match self {
            Self::Daemon(daemon) => {
                let head = head.map(|head| ("head", shown_digest(&head)));
                daemon.get("/api/v1/audit/verify", head.as_slice()).await
            }
            Self::Here(store) => Ok(verify_audit(store, head).await?.into()),
        }
    }
}
