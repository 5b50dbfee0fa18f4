//! The chain of entries: what is hashed, and how a broken one is found.

use runner_model::{Timestamp, limits};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Audit, AuditFilter, AuditFrom, Audited, Deed, NONE_BEFORE};
use crate::{Digest, StoreError};

/// An entry as it is written, whatever stands there: what cannot be meant is found by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place, counted from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// How they came in: `cli`, `api` or `daemon`.
    pub origin: String,
    /// Where from.
    pub address: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else there is to say, as JSON.
    pub details: String,
    /// The hash of the entry before it.
    pub previous: Digest,
    /// Its own.
    pub hash: Digest,
}

/// The end of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// How many entries there are.
    pub sequence: u64,
    /// The hash of the last.
    pub hash: Digest,
}

impl Default for AuditHead {
    fn default() -> Self {
        Self { sequence: 0, hash: NONE_BEFORE }
    }
}

impl AuditHead {
    /// The entry that follows.
    pub(crate) fn entry(self, by: &Audited, deed: &Deed) -> AuditEntry {
        let mut entry = AuditEntry {
            sequence: self.sequence.saturating_add(1),
            at: by.at,
            actor: by.actor.clone(),
            origin: by.origin.as_str().to_owned(),
            address: by.origin.address().map(str::to_owned),
            action: deed.action.as_str().to_owned(),
            subject: deed.subject.clone(),
            details: deed.written(),
            previous: self.hash,
            hash: NONE_BEFORE,
        };
        entry.hash = entry.computed();
        entry
    }
}

impl AuditEntry {
    /// The head if this is the last entry.
    #[must_use]
    pub const fn head(&self) -> AuditHead {
        AuditHead { sequence: self.sequence, hash: self.hash }
    }

    /// The details; null if they are no JSON.
    #[must_use]
    pub fn details(&self) -> Value {
        serde_json::from_str(&self.details).unwrap_or_default()
    }

    /// SHA-256 of everything else: each part with its length, so that no two entries read the same.
    fn computed(&self) -> Digest {
        let mut digest = Sha256::new();
        digest.update(b"runner audit entry 1");
        digest.update(self.previous);
        digest.update(self.sequence.to_le_bytes());
        digest.update(self.at.as_millis().to_le_bytes());
        // None and an empty address are told apart.
        digest.update([u8::from(self.address.is_some())]);
        let address = self.address.as_deref().unwrap_or_default();
        for part in [&*self.actor, &*self.origin, address, &*self.action, &*self.subject, &*self.details] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        digest.finalize().into()
    }

    /// What is wrong with it as the entry after `head`.
    fn fault(&self, head: AuditHead) -> Option<&'static str> {
        if self.sequence != head.sequence.saturating_add(1) {
            return Some("an entry before it is missing");
        }
        if self.previous != head.hash {
            return Some("it does not follow from the entry before it");
        }
        (self.hash != self.computed()).then_some("it was changed")
    }
}

/// What is wrong with a chain that does not hold the head that was noted.
pub const OTHER_HEAD: &str = "no entry has the hash that was noted: what was logged since then was made anew";

/// A hash as people write it: 64 hex digits.
#[must_use]
pub fn shown_digest(hash: &Digest) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a hash as people write it.
#[must_use]
pub fn read_digest(text: &str) -> Option<Digest> {
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = NONE_BEFORE;
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// What a look at the whole chain finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every entry follows from the one before it.
    Whole {
        /// The end.
        head: AuditHead,
    },
    /// From this place on nothing can be trusted.
    Broken {
        /// The first entry that is not as it was written.
        sequence: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The chain is whole, but it is not the one that the noted head ends: what came after some entry was made anew.
    OtherHead {
        /// The end.
        head: AuditHead,
    },
}

/// Looks at the whole chain, and whether one of its entries has the hash `noted`, which was the head once. Entries that
/// are added meanwhile are left for the next time.
///
/// # Errors
/// The log cannot be read.
pub async fn verify(log: &(impl Audit + ?Sized), noted: Option<Digest>) -> Result<AuditVerdict, StoreError> {
    let end = log.audit_head().await?;
    let mut head = AuditHead::default();
    let mut found = noted.is_none_or(|noted| noted == NONE_BEFORE);
    loop {
        let from = AuditFrom::After(head.sequence);
        let page = log.audit(&AuditFilter::default(), from, limits::AUDIT_PAGE).await?;
        let is_last = page.len() < limits::AUDIT_PAGE;
        for entry in page {
            if let Some(reason) = entry.fault(head) {
                // What is missing stood at the place that follows.
                let sequence = head.sequence.saturating_add(1);
                return Ok(AuditVerdict::Broken { sequence, reason });
            }
            head = entry.head();
            found |= noted == Some(head.hash);
            if head.sequence == end.sequence && head.hash != end.hash {
                return Ok(AuditVerdict::Broken { sequence: head.sequence, reason: "it is not the one that was last" });
            }
        }
        if is_last {
            break;
        }
    }
    if head.sequence < end.sequence {
        let sequence = head.sequence.saturating_add(1);
        return Ok(AuditVerdict::Broken { sequence, reason: "the entries from here on are missing" });
    }
    // What was added meanwhile moved the note of the last entry with it.
    let end = log.audit_head().await?;
    if end.sequence < head.sequence {
        let sequence = end.sequence.saturating_add(1);
        return Ok(AuditVerdict::Broken {
            sequence,
            reason: "it was put in, or the note of the last entry was changed",
        });
    }
    Ok(if found { AuditVerdict::Whole { head } } else { AuditVerdict::OtherHead { head } })
}
