//! Reading the catalogue: one line, pages of it, counts.

use runner_model::{ExecutionId, ExecutionRecord, Status, Timestamp, limits};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::fault::Problem;
use super::query::{count as counted, integer, record_of};
use super::select::Select;
use crate::{ExecutionFilter, Order, StoreError};

/// One line of the catalogue.
pub(crate) fn record(db: &Connection, id: ExecutionId) -> Result<ExecutionRecord, Problem> {
    db.prepare_cached(
        "SELECT id, action, status, origin, created_at, started_at, finished_at FROM executions WHERE id = ?1",
    )?
    .query_row([id.as_bytes()], |row| record_of(row, 0))
    .optional()?
    .ok_or_else(|| StoreError::NotFound.into())
}

/// A page of the catalogue.
pub(crate) fn list(
    db: &Connection,
    filter: &ExecutionFilter,
    cursor: Option<ExecutionId>,
    limit: usize,
) -> Result<Vec<ExecutionRecord>, Problem> {
    let Select { sql, values } = page(filter, cursor, limit);
    let mut statement = db.prepare_cached(&sql)?;
    let records = statement.query_map(params_from_iter(values), |row| record_of(row, 0))?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// How many lines the filter admits, up to the limit.
pub(crate) fn count(db: &Connection, filter: &ExecutionFilter) -> Result<u64, Problem> {
    let Select { sql, values } = total(filter);
    Ok(db.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| counted(row, 0))?)
}

fn page(filter: &ExecutionFilter, cursor: Option<ExecutionId>, limit: usize) -> Select {
    let mut query = Select::new(
        "SELECT id, action, status, origin, created_at, started_at, finished_at FROM executions WHERE true",
    );
    let (after, order) = match filter.order {
        Order::Newest => ("id <", " ORDER BY id DESC"),
        Order::Oldest => ("id >", " ORDER BY id"),
    };
    query.narrow(after, cursor.map(|cursor| *cursor.as_bytes()));
    admit(&mut query, filter);
    query.sql.push_str(order);
    query.push(" LIMIT", integer(limit as u64));
    query
}

fn total(filter: &ExecutionFilter) -> Select {
    let mut query = Select::new("SELECT count(*) FROM (SELECT 1 FROM executions WHERE true");
    admit(&mut query, filter);
    query.push(" LIMIT", integer(limits::EXECUTION_COUNT_MAX as u64));
    query.sql.push(')');
    query
}

fn admit(query: &mut Select, filter: &ExecutionFilter) {
    query.narrow("pack =", filter.pack.as_ref().map(|pack| pack.as_str().to_owned()));
    query.narrow("action =", filter.action.as_ref().map(|action| action.as_str().to_owned()));
    query.narrow("created_at >=", filter.created_after.map(Timestamp::as_millis));
    query.narrow("created_at <", filter.created_before.map(Timestamp::as_millis));
    query.narrow("finished_at >=", filter.finished_after.map(Timestamp::as_millis));
    query.narrow("finished_at <", filter.finished_before.map(Timestamp::as_millis));
    query.narrow("parent =", filter.parent.map(|parent| *parent.as_bytes()));
    query.narrow("rule =", filter.rule.as_ref().map(|rule| rule.as_str().to_owned()));
    query.narrow("event =", filter.event.map(|event| *event.as_bytes()));
    query.narrow("status =", filter.status.map(Status::as_str));
    // Constants, because the partial indexes ask for them. The first is true anyway.
    query.sql.push_str(match filter.status {
        None | Some(Status::Succeeded) => "",
        Some(_) => " AND status <> 'succeeded'",
    });
    query.sql.push_str(match filter.open {
        Some(true) => " AND open = 1",
        Some(false) => " AND open = 0",
        None => "",
    });
    query.sql.push_str(match filter.root {
        Some(true) => " AND parent IS NULL",
        Some(false) => " AND parent IS NOT NULL",
        None => "",
    });
}

/// The executions that steps of this one started, newest last.
pub(crate) fn children(db: &Connection, id: ExecutionId) -> Result<Vec<ExecutionRecord>, Problem> {
    let mut statement = db.prepare_cached(
        "SELECT id, action, status, origin, created_at, started_at, finished_at FROM executions
         WHERE parent = ?1 ORDER BY created_at, id",
    )?;
    let records = statement.query_map([id.as_bytes()], |row| record_of(row, 0))?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// The newest ids between two, both included.
pub(crate) fn between(
    db: &Connection,
    first: ExecutionId,
    last: ExecutionId,
    limit: usize,
) -> Result<Vec<ExecutionId>, Problem> {
    let mut statement =
        db.prepare_cached("SELECT id FROM executions WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT ?3")?;
    let ids =
        statement.query_map(params![first.as_bytes(), last.as_bytes(), integer(limit as u64)], |row| row.get(0))?;
    ids.map(|id| Ok(ExecutionId::from_bytes(id?))).collect()
}

#[cfg(test)]
mod tests {
    use runner_model::EventId;

    use super::*;
    use crate::sqlite::{migration, select};

    #[test]
    fn no_common_listing_reads_more_than_it_gives() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let any = ExecutionFilter::default;
        let rule = Some("core.nightly".parse().unwrap());
        let event = Some(EventId::from_bytes([7; 16]));
        let cases = [
            (any(), "sqlite_autoindex_executions_1"),
            (ExecutionFilter { order: Order::Oldest, ..any() }, "sqlite_autoindex_executions_1"),
            (ExecutionFilter { rule: rule.clone(), ..any() }, "executions_by_rule (rule=?)"),
            (ExecutionFilter { rule, order: Order::Oldest, ..any() }, "executions_by_rule (rule=?)"),
            (ExecutionFilter { event, ..any() }, "executions_by_event (event=?)"),
            (ExecutionFilter { root: Some(true), ..any() }, "executions_roots"),
            (ExecutionFilter { status: Some(Status::Failed), ..any() }, "executions_by_status (status=?)"),
            (ExecutionFilter { pack: Some("core".parse().unwrap()), ..any() }, "executions_by_pack (pack=?)"),
            (ExecutionFilter { open: Some(true), ..any() }, "executions_open"),
        ];
        for (filter, index) in cases {
            let plan = select::plan(&db, page(&filter, None, 9));
            // One step: nothing is sorted.
            assert!(plan.len() == 1 && plan[0].contains(index), "{filter:?}: {plan:?}");
        }
    }
}
