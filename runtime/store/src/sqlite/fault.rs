//! What SQLite's errors mean to callers, and which of them end all writing.

use rusqlite::{ErrorCode, ffi};

use crate::StoreError;

/// Why a statement or a command did not work.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The command is refused by our own rules; nothing of it was written.
    Refused(StoreError),
    /// SQLite failed.
    Broken(rusqlite::Error),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Refused(error) => error,
            Problem::Broken(error) => translate(&error),
        }
    }
}

/// What an error of SQLite means to a caller.
pub(crate) fn translate(error: &rusqlite::Error) -> StoreError {
    if lacks_space(error) {
        return StoreError::Full;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt { what: error.to_string() },
        Some(_) => StoreError::Io { reason: error.to_string() },
        // Not from SQLite but from rusqlite: a column holds something that nobody here writes.
        None => StoreError::Corrupt { what: error.to_string() },
    }
}

/// Whether nothing more may be written after this error. A full disk and a lock are not of this kind: SQLite notices
/// both before it has promised anything.
pub(crate) fn is_fatal(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        && !lacks_space(error)
}

/// Whether there was no space, which SQLite reports as an input/output error where it enlarges its shared memory.
fn lacks_space(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull) || extended == Some(ffi::SQLITE_IOERR_SHMSIZE)
}

/// A column that holds something that nobody here writes.
pub(crate) fn unreadable(what: &str) -> Problem {
    Problem::Refused(StoreError::Corrupt { what: format!("a row has {what} that cannot be read") })
}

/// A refusal that comes after something was written, as an error that undoes it.
pub(crate) fn broken(problem: Problem) -> Problem {
    match problem {
        Problem::Refused(error) => {
            let error = rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, Box::new(error));
            Problem::Broken(error)
        }
        Problem::Broken(error) => Problem::Broken(error),
    }
}
