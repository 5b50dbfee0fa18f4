//! Open waits: one row each, changed in the transaction that appends the entry.

use runner_model::{Entry, ExecutionId, ItemIndex, StepId, Timestamp};
use rusqlite::{Connection, Row, named_params, params, params_from_iter};

use super::fault::{Problem, unreadable};
use super::query::integer;
use super::select::Select;
use crate::codec::{self, Sealer};
use crate::waits::{Change as Meant, changes, key_of};
use crate::{Awaited, KeySource, Keyring, OpenWait, StoreError, WaitFilter};

/// A change, with what is written prepared.
pub(crate) enum Change {
    Open(Box<Written>),
    Close(StepId, Option<ItemIndex>),
    CloseAll,
}

/// A wait as it is written.
pub(crate) struct Written {
    open: OpenWait,
    wait: Vec<u8>,
    key: Option<String>,
    sealed: bool,
}

/// The changes that entries lead to, sealed if there is a sealer.
pub(crate) fn prepare(id: ExecutionId, entries: &[Entry], sealer: Option<&Sealer>) -> Result<Vec<Change>, StoreError> {
    let written = |change| {
        Ok(match change {
            Meant::Open(open) => Change::Open(Box::new(Written::of(*open, sealer)?)),
            Meant::Close(step, item) => Change::Close(step, item),
            Meant::CloseAll => Change::CloseAll,
        })
    };
    changes(id, entries).into_iter().map(written).collect()
}

impl Written {
    fn of(open: OpenWait, sealer: Option<&Sealer>) -> Result<Self, StoreError> {
        let json = codec::to_json("the wait", &open.wait)?;
        let key = key_of(&open.wait);
        Ok(match sealer {
            None => Self { key: key.map(str::to_owned), wait: json, sealed: false, open },
            Some(sealer) => {
                let wait =
                    sealer.seal(WAIT, &place(open.step, number(open.item)).each_ref().map(|part| &**part), &json)?;
                Self { key: key.map(|key| sealer.tag(key)), wait, sealed: true, open }
            }
        })
    }
}

/// What a wait is called where it is sealed.
const WAIT: &str = "wait";

fn place(step: StepId, item: i64) -> [String; 2] {
    [step.0.to_string(), item.to_string()]
}

/// Whether something begins to wait.
pub(crate) fn opens(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::Open(_)))
}

/// Makes the changes that entries of an execution lead to.
pub(crate) fn change(db: &Connection, id: ExecutionId, changes: &[Change]) -> Result<(), Problem> {
    changes.iter().try_for_each(|change| match change {
        Change::Open(written) => insert(db, written),
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

fn insert(db: &Connection, written: &Written) -> Result<(), Problem> {
    let Written { open, wait, key, sealed } = written;
    db.prepare_cached(
        "INSERT OR REPLACE INTO waits (execution, step, item, kind, key, opened_at, expires_at, wait, sealed)
         VALUES (:execution, :step, :item, :kind, :key, :opened_at, :expires_at, :wait, :sealed)",
    )?
    .execute(named_params! {
        ":execution": open.execution.as_bytes(),
        ":step": open.step.0,
        ":item": number(open.item),
        ":kind": Awaited::of(&open.wait).as_str(),
        ":key": key,
        ":opened_at": open.opened_at.as_millis(),
        ":expires_at": open.wait.expires_at.map(Timestamp::as_millis),
        ":wait": wait,
        ":sealed": sealed,
    })?;
    Ok(())
}

/// The first waits that the filter admits.
pub(crate) fn list(
    db: &Connection,
    keys: Option<&KeySource>,
    filter: &WaitFilter,
    limit: usize,
) -> Result<Vec<OpenWait>, Problem> {
    // A key is looked for by its tags too only where something sealed waits for one.
    let known = match keys {
        Some(source) if filter.key.is_some() && any_sealed_key(db)? => {
            Some(source.keyring().map_err(StoreError::from)?)
        }
        _ => None,
    };
    let Select { sql, values } = select(filter, known.as_deref(), limit);
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut waits = Vec::new();
    while let Some(row) = rows.next()? {
        let open = open_of(row, keys)?;
        // A plain key may look like a tag.
        if filter.admits(&open) {
            waits.push(open);
        }
    }
    Ok(waits)
}

fn any_sealed_key(db: &Connection) -> Result<bool, rusqlite::Error> {
    db.prepare_cached("SELECT 1 FROM waits WHERE key >= 'sealed ' AND key < 'sealed!' AND sealed = 1 LIMIT 1")?
        .exists([])
}

fn select(filter: &WaitFilter, keys: Option<&Keyring>, limit: usize) -> Select {
    let mut query = Select::new("SELECT execution, step, item, opened_at, wait, sealed FROM waits WHERE true");
    query.narrow("execution =", filter.execution.map(|execution| *execution.as_bytes()));
    // With the plus its index is not used: there are few of an execution or of a key, and many of a kind.
    let few = filter.execution.is_some() || filter.key.is_some();
    query.narrow(if few { "+kind =" } else { "kind =" }, filter.kind.map(Awaited::as_str));
    match (&filter.key, keys) {
        (Some(key), Some(keys)) => {
            query.push(" AND key IN (", key.clone());
            Sealer::tags(keys, key).into_iter().for_each(|tag| query.push(",", tag));
            query.sql.push(')');
        }
        (key, _) => query.narrow("key =", key.clone()),
    }
    query.push(" ORDER BY execution, step, item LIMIT", integer(limit as u64));
    query
}

/// All waits of an execution.
pub(crate) fn of(db: &Connection, keys: Option<&KeySource>, id: ExecutionId) -> Result<Vec<OpenWait>, Problem> {
    list(db, keys, &WaitFilter { execution: Some(id), ..WaitFilter::default() }, usize::MAX)
}

fn open_of(row: &Row<'_>, keys: Option<&KeySource>) -> Result<OpenWait, Problem> {
    let (execution, step, item) = (ExecutionId::from_bytes(row.get(0)?), StepId(row.get(1)?), row.get::<_, i64>(2)?);
    let mut json = row.get_ref(4)?.as_blob().map_err(|_| unreadable("a wait"))?;
    let opened;
    if row.get(5)? {
        let sealer = Sealer::new(keys, codec::owner_of(execution))?;
        opened = sealer.open(WAIT, &place(step, item).each_ref().map(|part| &**part), json)?;
        json = &opened;
    }
    Ok(OpenWait {
        execution,
        step,
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
            let plan = plan(&db, select(&filter, None, 9));
            // One step: nothing is sorted.
            assert!(plan.len() == 1 && plan[0].contains(index), "{filter:?}: {plan:?}");
        }
    }
}
