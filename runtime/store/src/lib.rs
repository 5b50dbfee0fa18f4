//! Durable truth: the journal, the leases on executions, the catalogue, open waits, key-value data.
//!
//! The traits are cut by who uses them and say nothing about a database; [`SqliteStore`] keeps them in one file,
//! [`MemoryStore`] in memory, as the model that the others are compared with.
//!
//! - **What a call acknowledges is on the disk.** A write returns after the commit it rode in.
//! - **Only the holder of the current fencing token writes to a journal.** A lease that ran out may be claimed by
//!   somebody else; from then on the former holder is refused, however late it wakes up.
//! - **Time comes in as an argument.** The store never asks what time it is.
//! - **This crate alone names a database**; nothing of it shows in the interface.

mod access;
mod audit;
mod catalogue;
mod codec;
mod error;
mod event;
mod grant;
mod journal;
mod key_value;
mod keys;
mod lease;
mod memory;
mod projection;
mod seal;
mod secret;
mod sqlite;
mod upkeep;
mod waits;

pub use access::{Access, Digest, Reservation, Reserved};
pub use audit::{
    Audit, AuditAction, AuditEntry, AuditFilter, AuditFrom, AuditHead, AuditOrigin, AuditVerdict, Audited, Deed,
    OTHER_HEAD, read_digest, shown_digest, verify as verify_audit,
};
pub use catalogue::{Catalogue, ExecutionFilter, Order};
pub use error::StoreError;
pub use event::{Advance, EventFilter, Events, NewEvent, Once, Recorded};
pub use grant::Grants;
pub use journal::{Append, Journal, NewExecution};
pub use key_value::{KeyValue, Swap};
pub use keys::{KeyError, KeySource};
pub use lease::{Claimed, Lease, Leases};
pub use memory::MemoryStore;
pub use seal::{KeyName, Keyring, SEAL_KEY_BYTES, SealError, SealKey};
pub use secret::{MustBe, NewSecret, Opened, SealedSecret, SecretRecord, Secrets, Vault, check_secret};
#[doc(hidden)]
pub use sqlite::SqliteTestOptions;
pub use sqlite::{SqliteOptions, SqliteStore, StoreStats};
pub use upkeep::{Expiry, Pruned, Upkeep};
pub use waits::{Awaited, OpenWait, WaitFilter, Waits};

/// Everything that is kept. Used as `Arc<dyn Store>`.
///
/// `get` is a method of two of these traits: write `Catalogue::get(&*store, id)`.
pub trait Store:
    Journal
    + Leases
    + Catalogue
    + Waits
    + Events
    + Access
    + Audit
    + Secrets
    + Grants
    + Upkeep
    + KeyValue
    + Send
    + Sync
    + 'static
{
}

impl<
    T: Journal
        + Leases
        + Catalogue
        + Waits
        + Events
        + Access
        + Audit
        + Secrets
        + Grants
        + Upkeep
        + KeyValue
        + Send
        + Sync
        + 'static,
> Store for T
{
}
