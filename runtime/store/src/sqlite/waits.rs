//! Open waits: one row each, changed in the transaction that appends the entry.

use runner_model::{ExecutionId, ItemIndex, StepId, Timestamp};
use rusqlite::{Connection, Row, named_params, params, params_from_iter};

use super::fault::{Problem, unreadable};
use super::query::integer;
use super::select::Select;
use crate::waits::{Change, key_of};
use crate::{Awaited, OpenWait, WaitFilter, codec};

/// Makes the changes that entries of an execution lead to.
pub(crate) fn change(db: &Connection, id: ExecutionId, changes: &[Change]) -> Result<(), Problem> {
    changes.iter().try_for_each(|change| match change {
        Change::Open(open) => insert(db, open),
        Change::Close(step, item) => {
            db.prepare_cached("DELETE FROM waits WHERE execution = ?1 AND step = ?2 AND item = ?3")?
                .execute(params![id.as_bytes(), step.0, number(*item)])?;
            Ok(())
        }
        Change::CloseAll => {
            db.prepare_cached("DELETE FROM waits WHERE execution = ?1")?.execute([id.as_bytes()])?;
            Ok(())
        }
    })
}

fn insert(db: &Connection, open: &OpenWait) -> Result<(), Problem> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO waits (execution, step, item, kind, key, opened_at, expires_at, wait)
         VALUES (:execution, :step, :item, :kind, :key, :opened_at, :expires_at, :wait)",
    )?
    .execute(named_params! {
        ":execution": open.execution.as_bytes(),
        ":step": open.step.0,
        ":item": number(open.item),
        ":kind": Awaited::of(&open.wait).as_str(),
        ":key": key_of(&open.wait),
        ":opened_at": open.opened_at.as_millis(),
        ":expires_at": open.wait.expires_at.map(Timestamp::as_millis),
        ":wait": codec::to_json("the wait", &open.wait)?,
    })?;
    Ok(())
}

/// The first waits that the filter admits.
pub(crate) fn list(db: &Connection, filter: &WaitFilter, limit: usize) -> Result<Vec<OpenWait>, Problem> {
    let Select { sql, values } = select(filter, limit);
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut waits = Vec::new();
    while let Some(row) = rows.next()? {
        waits.push(open_of(row)?);
    }
    Ok(waits)
}

fn select(filter: &WaitFilter, limit: usize) -> Select {
    let mut query = Select::new("SELECT execution, step, item, opened_at, wait FROM waits WHERE true");
    query.narrow("execution =", filter.execution.map(|execution| *execution.as_bytes()));
    // With the plus its index is not used: there are few of an execution or of a key, and many of a kind.
    let few = filter.execution.is_some() || filter.key.is_some();
    query.narrow(if few { "+kind =" } else { "kind =" }, filter.kind.map(Awaited::as_str));
    query.narrow("key =", filter.key.clone());
    query.push(" ORDER BY execution, step, item LIMIT", integer(limit as u64));
    query
}

/// All waits of an execution.
pub(crate) fn of(db: &Connection, id: ExecutionId) -> Result<Vec<OpenWait>, Problem> {
    list(db, &WaitFilter { execution: Some(id), ..WaitFilter::default() }, usize::MAX)
}

fn open_of(row: &Row<'_>) -> Result<OpenWait, Problem> {
    let item: i64 = row.get(2)?;
    let json = row.get_ref(4)?.as_blob().map_err(|_| unreadable("a wait"))?;
    Ok(OpenWait {
        execution: ExecutionId::from_bytes(row.get(0)?),
        step: StepId(row.get(1)?),
        item: u32::try_from(item).ok().map(ItemIndex),
        opened_at: Timestamp::from_millis(row.get(3)?),
        wait: codec::from_json(json).map_err(|_| unreadable("a wait"))?,
    })
}

/// The item as it is kept: no item is -1.
fn number(item: Option<ItemIndex>) -> i64 {
    item.map_or(-1, |item| i64::from(item.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migration;
    use crate::sqlite::select::plan;

    #[test]
    fn no_listing_of_waits_reads_more_than_it_gives() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let any = WaitFilter::default;
        let (kind, key) = (Some(Awaited::Event), Some("k".to_owned()));
        let execution = Some(ExecutionId::from_bytes([7; 16]));
        let cases = [
            (WaitFilter { key: key.clone(), ..any() }, "waits_by_key (key=?)"),
            (WaitFilter { key, kind, ..any() }, "waits_by_key (key=?)"),
            (WaitFilter { kind, ..any() }, "waits_by_kind (kind=?)"),
            (WaitFilter { execution, ..any() }, "PRIMARY KEY (execution=?)"),
            (WaitFilter { execution, kind, ..any() }, "PRIMARY KEY (execution=?)"),
        ];
        for (filter, index) in cases {
            let plan = plan(&db, select(&filter, 9));
            // One step: nothing is sorted.
            assert!(plan.len() == 1 && plan[0].contains(index), "{filter:?}: {plan:?}");
        }
    }
}
