//! From entries to the line in the catalogue.

use runner_model::{Course, Entry, ExecutionId, ExecutionRecord, Fact, Status};

use crate::StoreError;

/// The record that a new execution's entries make.
pub(crate) fn fold(id: ExecutionId, entries: &[Entry]) -> Result<ExecutionRecord, StoreError> {
    let Some((first, rest)) = entries.split_first() else {
        return Err(illegal("an execution begins with a request, and there is no entry"));
    };
    let mut record = ExecutionRecord::begin(id, first).ok_or_else(|| illegal("an execution begins with a request"))?;
    proceed(&mut record, rest)?;
    Ok(record)
}

/// The digest of the pack that a new execution begins with.
pub(crate) fn pack_digest(entries: &[Entry]) -> Option<&str> {
    match &entries.first()?.fact {
        Fact::Requested(requested) => Some(&requested.pack_digest),
        _ => None,
    }
}

/// Whether a new execution is sealed.
pub(crate) fn is_sealed(entries: &[Entry]) -> bool {
    matches!(entries.first().map(|entry| &entry.fact), Some(Fact::Requested(requested)) if requested.sealed)
}

/// What is said of an append that says otherwise than the execution whether it is sealed.
pub(crate) fn sealed_otherwise(sealed: bool) -> StoreError {
    let reason =
        if sealed { "the execution is sealed, and they are not" } else { "the execution is not sealed, and they are" };
    StoreError::Illegal { what: "entries", reason: reason.to_owned() }
}

/// Takes further entries into account. On an error the record is worth nothing.
pub(crate) fn proceed(record: &mut ExecutionRecord, entries: &[Entry]) -> Result<(), StoreError> {
    entries.iter().try_for_each(|entry| record.apply(entry)).map_err(|error| illegal(&error.to_string()))
}

/// How an execution has gone after further entries.
pub(crate) fn moved(mut course: Course, entries: &[Entry]) -> Result<Course, StoreError> {
    let moved = entries.iter().try_for_each(|entry| course.apply(entry));
    moved.map(|()| course).map_err(|error| illegal(&error.to_string()))
}

/// Whether an end of the execution is among the entries. It may go on after it.
pub(crate) fn ends(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| matches!(entry.fact, Fact::Finished { .. }))
}

/// Whether such a move of an execution is news to the one whose step started it: it ended, paused or goes on.
pub(crate) fn is_news_to_parent(before: Status, after: Status) -> bool {
    let at_rest = |status: Status| status.is_terminal() || status == Status::Paused;
    before != after && (at_rest(before) || at_rest(after))
}

fn illegal(reason: &str) -> StoreError {
    StoreError::Illegal { what: "the execution", reason: reason.to_owned() }
}
