//! What can go wrong, split by what the caller may do about it.

use runner_model::{Code, SecretName, Version, code, limits};

use crate::{KeyError, SealError};

/// Why the store refused or failed. The messages fit after "failed to …: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended. Read what is there and decide again.
    #[error("the journal has {found} entries, not {expected}")]
    VersionConflict {
        /// How many entries the caller believed there were.
        expected: Version,
        /// How many there are.
        found: Version,
    },
    /// The lease was taken by another process. Stop working on this execution.
    #[error("the execution belongs to another process now")]
    Fenced,
    /// Stop: there is nothing with this id.
    #[error("there is no such execution")]
    NotFound,
    /// Stop: there is no event with this id, or the rule did not match it.
    #[error("there is no such event")]
    NoEvent,
    /// Stop: the id is taken.
    #[error("there is an execution with this id already")]
    Exists,
    /// Stop: the caller is wrong.
    #[error("{what} cannot be recorded: {reason}")]
    Illegal {
        /// What was to be written.
        what: &'static str,
        /// Why it may not be.
        reason: String,
    },
    /// Ask again with a longer prefix.
    #[error("`{prefix}` is too short, give at least {} characters of the id", limits::EXECUTION_PREFIX_CHARS_MIN)]
    ShortPrefix {
        /// What was given.
        prefix: String,
    },
    /// Nothing was written. Try again when there is space.
    #[error("the disk is full")]
    Full,
    /// Nothing was written. Try again.
    #[error("another process has locked the database for too long")]
    Busy,
    /// Stop: the data directory cannot be used.
    #[error("the data directory `{path}` cannot be opened: {reason}")]
    Open {
        /// The directory or file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// Stop: a newer version of runner has been here.
    #[error("the database has schema {found}, this version knows {known}")]
    NewerSchema {
        /// The schema's number in the database.
        found: i64,
        /// The latest one that is known here.
        known: i64,
    },
    /// Stop: what was written is not what is read.
    #[error("the database is damaged: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// Nothing was written. There is no key to seal or to open what is secret.
    #[error("there is no key for what is secret")]
    NoKey,
    /// Nothing was written. The key for what is secret cannot be had.
    #[error("the key for what is secret cannot be had: {0}")]
    Key(#[from] KeyError),
    /// Stop: something sealed does not open.
    #[error("{what} cannot be opened: {reason}")]
    Sealed {
        /// What.
        what: String,
        /// Why not.
        reason: SealError,
    },
    /// Stop: there is no secret with this name.
    #[error("there is no secret `{0}`")]
    NoSecret(SecretName),
    /// Somebody else has changed the secret. Read what is there and decide again.
    #[error("the secret `{0}` was changed by somebody else in the meantime")]
    SecretConflict(SecretName),
    /// The database could not be read, or a single write failed for a reason of its own; nothing was written.
    #[error("the database cannot be read or written: {reason}")]
    Io {
        /// What the database said.
        reason: String,
    },
    /// Stop the process: a write failed in a way that makes every later one doubtful. Whether what was being written
    /// at that moment is there shows after a restart.
    #[error("the store has stopped writing: {reason}")]
    Halted {
        /// What made it stop.
        reason: String,
    },
    /// Stop: the store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// An execution that has ended cannot be parked: nothing would wake it.
    pub(crate) fn has_ended() -> Self {
        Self::Illegal { what: "that the execution is parked", reason: "it has ended".to_owned() }
    }

    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::VersionConflict { .. } => code::STORE_CONFLICT,
            Self::Fenced => code::STORE_FENCED,
            Self::NotFound => code::STORE_NOT_FOUND,
            Self::NoEvent => code::STORE_NO_EVENT,
            Self::Exists => code::STORE_EXISTS,
            Self::Illegal { .. } => code::STORE_ILLEGAL,
            Self::ShortPrefix { .. } => code::STORE_PREFIX,
            Self::Full => code::STORE_FULL,
            Self::Busy => code::STORE_BUSY,
            Self::Open { .. } => code::STORE_OPEN,
            Self::NewerSchema { .. } => code::STORE_VERSION,
            Self::Corrupt { .. } => code::STORE_CORRUPT,
            Self::NoKey => code::STORE_NO_KEY,
            Self::Key(error) => error.code,
            Self::Sealed { reason: SealError::OtherKey(_), .. } => code::SECRET_OTHER_KEY,
            Self::Sealed { .. } => code::STORE_SEALED,
            Self::NoSecret(_) => code::SECRET_UNKNOWN,
            Self::SecretConflict(_) => code::SECRET_CONFLICT,
            Self::Io { .. } => code::STORE_IO,
            Self::Halted { .. } => code::STORE_HALTED,
            Self::Closed => code::STORE_CLOSED,
        }
    }

    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::VersionConflict { .. } | Self::Fenced => {
                "another `runner` works on this execution; look at it with `runner execution get ID`"
            }
            Self::NotFound => "list what there is with `runner execution list`",
            Self::NoEvent => "list what there is with `runner event list`",
            Self::Exists => "use another id",
            Self::Illegal { .. } => "this is a mistake in runner or in what an action returned; please report it",
            Self::ShortPrefix { .. } => "copy more of the id from `runner execution list`",
            Self::Full => "free space on the disk of the data directory; nothing that was acknowledged is lost",
            Self::Busy => "end the other process that uses this data directory, or use another one with `--data DIR`",
            Self::Open { .. } => "name a directory that this user may write to with `--data DIR`",
            Self::NewerSchema { .. } => "run the newer version of runner, or use another directory with `--data DIR`",
            Self::Corrupt { .. } => {
                "restore `runner.db` from a backup, or move it away together with `runner.db-wal` to begin anew"
            }
            Self::NoKey | Self::Key(_) => {
                "say in runner.toml where the key is: `[secrets]` with `key = { file = \"…\" }`, and have it made with `runner secret key new`"
            }
            Self::Sealed { reason: SealError::OtherKey(_), .. } => {
                "add the key that it was sealed with to `earlier_keys` under `[secrets]` in runner.toml"
            }
            Self::Sealed { .. } => {
                "the database was changed by somebody else than runner: restore `runner.db` from a backup"
            }
            Self::NoSecret(_) => {
                "list what there is with `runner secret list`, or put it in with `runner secret set NAME`"
            }
            Self::SecretConflict(_) => "try again",
            Self::Io { .. } => "look for errors of the disk in the system's log, then run `runner doctor`",
            Self::Halted { .. } => "look for errors of the disk in the system's log, then start runner again",
            Self::Closed => "runner is shutting down; start it again",
        }
    }

    /// Whether the same call may succeed later without the caller changing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Full | Self::Busy)
    }
}
