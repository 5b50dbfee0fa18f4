//! What is shown of the audit log, over the API and on the command line. Read back by who asks a daemon.

use runner_store::{AuditEntry, AuditHead, AuditVerdict, OTHER_HEAD, shown_digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An entry of the audit log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryView {
    /// Its place in the log, counted from 1
    pub sequence: u64,
    /// When
    #[schema(format = DateTime)]
    pub at: String,
    /// Who
    pub actor: String,
    /// How they came in: `cli`, `api` or `daemon`
    pub origin: String,
    /// Where from
    #[schema(required = true)]
    pub address: Option<String>,
    /// What was done
    #[schema(example = "secret.rotate")]
    pub action: String,
    /// To what
    pub subject: String,
    /// What else there is to say
    pub details: Value,
    /// SHA-256 over the entry and the hash of the one before it
    pub hash: String,
}

impl From<AuditEntry> for EntryView {
    fn from(entry: AuditEntry) -> Self {
        let details = entry.details();
        Self {
            sequence: entry.sequence,
            at: entry.at.to_string(),
            actor: entry.actor,
            origin: entry.origin,
            address: entry.address,
            action: entry.action,
            subject: entry.subject,
            details,
            hash: shown_digest(&entry.hash),
        }
    }
}

/// The end of the audit log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditHead)]
pub struct HeadView {
    /// How many entries there are
    pub sequence: u64,
    /// The hash of the last: noted elsewhere, it shows later whether anything up to here was changed
    pub hash: String,
}

impl From<AuditHead> for HeadView {
    fn from(head: AuditHead) -> Self {
        Self { sequence: head.sequence, hash: shown_digest(&head.hash) }
    }
}

/// What a look at the whole log finds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditVerdict)]
pub struct VerdictView {
    /// Whether it is as it was written
    pub whole: bool,
    /// How many entries there are; in a broken log, the first that is wrong
    pub sequence: u64,
    /// The hash of the last entry; null if the log is broken
    #[schema(required = true)]
    pub hash: Option<String>,
    /// What is wrong
    #[schema(required = true)]
    pub reason: Option<String>,
}

impl From<AuditVerdict> for VerdictView {
    fn from(verdict: AuditVerdict) -> Self {
        match verdict {
            AuditVerdict::Whole { head } => {
                Self { whole: true, sequence: head.sequence, hash: Some(shown_digest(&head.hash)), reason: None }
            }
            AuditVerdict::Broken { sequence, reason } => {
                Self { whole: false, sequence, hash: None, reason: Some(reason.to_owned()) }
            }
            AuditVerdict::OtherHead { head } => Self {
                whole: false,
                sequence: head.sequence,
                hash: Some(shown_digest(&head.hash)),
                reason: Some(OTHER_HEAD.to_owned()),
            },
        }
    }
}
