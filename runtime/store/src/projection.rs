//! From entries to the line in the catalogue, refusing what [`ExecutionRecord::apply`] would panic at.

use runner_model::{Entry, ExecutionId, ExecutionRecord, Fact, Status};

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

/// Takes further entries into account. On an error the record is worth nothing.
pub(crate) fn proceed(record: &mut ExecutionRecord, entries: &[Entry]) -> Result<(), StoreError> {
    for entry in entries {
        let next = aim(record.status, &entry.fact)?;
        if !record.status.may_become(next) {
            return Err(illegal(&format!("{} may not become {next}", record.status)));
        }
        record.apply(entry);
    }
    Ok(())
}

fn aim(status: Status, fact: &Fact) -> Result<Status, StoreError> {
    match fact {
        Fact::Requested(_) => Err(illegal("a request stands only at the beginning")),
        Fact::Started => Ok(Status::Running),
        Fact::CancelRequested { .. } if !status.is_terminal() => Ok(Status::Canceling),
        Fact::Finished { status: end, .. } if !end.is_terminal() => {
            Err(illegal(&format!("an execution does not end as {end}")))
        }
        Fact::Finished { status: end, .. } => Ok(*end),
        Fact::ValuesRead { .. }
        | Fact::StepScheduled { .. }
        | Fact::AttemptStarted { .. }
        | Fact::AttemptFinished { .. }
        | Fact::CancelRequested { .. } => Ok(status),
    }
}

fn illegal(reason: &str) -> StoreError {
    StoreError::Illegal { what: "the execution", reason: reason.to_owned() }
}
