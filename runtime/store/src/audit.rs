//! Who changed what, and who used a secret: a log that only grows, whose entries hold on to one another.
//!
//! - **An entry is written in the transaction of what it tells**: one that cannot be written keeps the change from being
//!   made. What is no change of the store (an order to an execution, the files of a pack) is logged before it is done.
//! - **Each entry holds the hash of the one before it**, so one that is changed, removed, moved or put in is found
//!   ([`verify`]). Whoever can write to the database can make the whole chain anew: against that helps a head that was
//!   noted elsewhere.
//! - Details hold no secret; journals of executions are not logged here.

mod chain;

use async_trait::async_trait;
use runner_model::{Timestamp, limits};
use serde_json::Value;

use crate::{Digest, StoreError};
pub use chain::{AuditEntry, AuditHead, AuditVerdict, OTHER_HEAD, read_digest, shown_digest, verify};

/// Who changes something, how they came in, and when. Every call that is logged asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// When.
    pub at: Timestamp,
    /// Who: a key's name, or the system's word for the user, which proves nothing.
    pub actor: String,
    /// How they came in.
    pub origin: AuditOrigin,
}

/// How somebody came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditOrigin {
    /// A command, in this process.
    Cli,
    /// The API, with the address that the request came from; none over the local socket.
    Api {
        /// The address.
        address: Option<String>,
    },
    /// Nobody: a process by itself, named as it names itself.
    Daemon {
        /// Its name.
        node: String,
    },
}

impl AuditOrigin {
    /// The word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Api { .. } => "api",
            Self::Daemon { .. } => "daemon",
        }
    }

    /// Where from.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Cli => None,
            Self::Api { address } => address.as_deref(),
            Self::Daemon { node } => Some(node),
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What is logged: one word for each, never used for anything else.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)*
        }

        impl AuditAction {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// An API key was made.
    KeyCreate = "key.create";
    /// An API key was taken back.
    KeyRevoke = "key.revoke";
    /// A rule was switched on, off, or back to its file.
    RuleSwitch = "rule.switch";
    /// A secret was put in.
    SecretSet = "secret.set";
    /// A secret got another value.
    SecretRotate = "secret.rotate";
    /// A secret was removed.
    SecretDelete = "secret.delete";
    /// A secret was sealed with another key; its value is the same.
    SecretReseal = "secret.reseal";
    /// Secrets were opened for a connection or a webhook.
    SecretUse = "secret.use";
    /// A pack was granted something.
    PackGrant = "pack.grant";
    /// A grant was taken back.
    PackRevoke = "pack.revoke";
    /// A pack was put in.
    PackInstall = "pack.install";
    /// A pack was removed.
    PackRemove = "pack.remove";
    /// Somebody asked for the end of an execution.
    ExecutionCancel = "execution.cancel";
    /// Somebody asked for a pause of an execution.
    ExecutionPause = "execution.pause";
    /// Somebody asked an execution to go on.
    ExecutionResume = "execution.resume";
    /// Somebody answered an execution.
    ExecutionRespond = "execution.respond";
    /// Somebody asked for parts of an execution to be run again.
    ExecutionRerun = "execution.rerun";
    /// An event was sent by hand.
    EventSend = "event.send";
    /// An event was sent once more.
    EventResend = "event.resend";
}

/// Something that is logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// What was done.
    pub action: AuditAction,
    /// To what: a name or an id.
    pub subject: String,
    /// What else there is to say: an object without secrets, at most [`limits::AUDIT_DETAILS_BYTES_MAX`].
    pub details: Value,
}

impl Deed {
    /// A deed with these details.
    pub fn new(action: AuditAction, subject: impl Into<String>, details: Value) -> Self {
        Self { action, subject: subject.into(), details }
    }

    /// The details as they are written. Longer ones are not, but their length: a deed is not refused for its details.
    fn written(&self) -> String {
        let text = self.details.to_string();
        if text.len() > limits::AUDIT_DETAILS_BYTES_MAX {
            return serde_json::json!({ "left_out_bytes": text.len() }).to_string();
        }
        text
    }
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// By this actor.
    pub actor: Option<String>,
    /// With this action, or with one that begins so and goes on with a dot: `secret`.
    pub action: Option<String>,
    /// Of this subject.
    pub subject: Option<String>,
}

impl AuditFilter {
    pub(crate) fn admits(&self, entry: &AuditEntry) -> bool {
        let is_of = |wanted: &String| {
            entry.action.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.since.is_none_or(|since| entry.at >= since)
            && self.actor.as_ref().is_none_or(|actor| entry.actor == *actor)
            && self.action.as_ref().is_none_or(is_of)
            && self.subject.as_ref().is_none_or(|subject| entry.subject == *subject)
    }
}

/// Where to begin, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFrom {
    /// After this entry, the oldest first; 0 is before the first.
    After(u64),
    /// Before this entry, the newest first; none is after the last.
    Before(Option<u64>),
}

/// The log.
#[async_trait]
pub trait Audit {
    /// Logs something that is no change of the store: before it is done. Committed when this returns; whoever gets an
    /// error must not do it.
    async fn log(&self, by: Audited, deed: Deed) -> Result<AuditHead, StoreError>;

    /// Entries that the filter admits.
    async fn audit(&self, filter: &AuditFilter, from: AuditFrom, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// The last entry's place and hash, as they are noted beside the log.
    async fn audit_head(&self) -> Result<AuditHead, StoreError>;
}

/// The hash before the first entry.
pub(crate) const NONE_BEFORE: Digest = [0; 32];
