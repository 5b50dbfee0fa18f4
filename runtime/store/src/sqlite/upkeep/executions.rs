//! Executions that are to go: trees of them, each whole.

use runner_model::{ExecutionId, Timestamp, limits};
use rusqlite::{Connection, params};

use crate::Expiry;
use crate::sqlite::blobs::{self, Owner};
use crate::sqlite::fault::Problem;
use crate::sqlite::query::count;
use crate::sqlite::versions;
use crate::sqlite::writer::Command;

/// An execution that ended and that no step of another one started, as it was when it was chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root {
    id: ExecutionId,
    ended_at: Timestamp,
}

/// Outermost executions that have ended, the first to end first.
const ENDED_ROOTS: &str = "SELECT id, finished_at FROM executions AS one
    WHERE finished_at IS NOT NULL
      AND (parent IS NULL OR NOT EXISTS (SELECT 1 FROM executions WHERE id = one.parent))
    ORDER BY finished_at, id";

/// An execution and all that its steps started, and whether each has to stay.
const TREE: &str = "WITH RECURSIVE tree (id) AS (
        VALUES (?1) UNION SELECT executions.id FROM tree JOIN executions ON executions.parent = tree.id)
    SELECT one.id, one.row,
           one.open
           OR EXISTS (SELECT 1 FROM ended WHERE execution = one.id)
           OR EXISTS (SELECT 1 FROM matches WHERE event = one.event AND rule = one.rule AND open = 1)
    FROM tree JOIN executions AS one ON one.id = tree.id";

/// The trees that are to go, the first to end first; one more than the limit says that there are more.
pub(super) fn old(db: &Connection, expiry: &Expiry, limit: usize) -> Result<Vec<Root>, Problem> {
    let Expiry { executions_before: before, executions_max: max, .. } = *expiry;
    let snapshot = db.unchecked_transaction()?;
    let mut surplus = match max {
        Some(max) => ended(&snapshot)?.saturating_sub(max),
        None => 0,
    };
    // What is chosen by number comes after what is chosen by age, so either may end the search.
    let mut statement = snapshot.prepare_cached(ENDED_ROOTS)?;
    let mut rows = statement.query([])?;
    let mut roots = Vec::new();
    while roots.len() <= limit
        && (surplus > 0 || before.is_some())
        && let Some(row) = rows.next()?
    {
        let (id, ended_at) = (ExecutionId::from_bytes(row.get(0)?), Timestamp::from_millis(row.get(1)?));
        if surplus == 0 && before.is_none_or(|before| ended_at >= before) {
            break;
        }
        if let Some(tree) = unneeded_tree(&snapshot, id)? {
            surplus = surplus.saturating_sub(tree.len() as u64);
            roots.push(Root { id, ended_at });
        }
    }
    Ok(roots)
}

fn ended(db: &Connection) -> Result<u64, rusqlite::Error> {
    db.prepare_cached("SELECT count(*) FROM executions WHERE finished_at IS NOT NULL")?
        .query_row([], |row| count(row, 0))
}

/// An execution and all that its steps started, by id and row; none if one of them is open, its end has not been dealt
/// with, or the event that started it may start it again.
fn unneeded_tree(db: &Connection, root: ExecutionId) -> Result<Option<Vec<(ExecutionId, i64)>>, rusqlite::Error> {
    let mut statement = db.prepare_cached(TREE)?;
    let mut rows = statement.query([root.as_bytes()])?;
    let mut tree = Vec::new();
    while let Some(row) = rows.next()? {
        if row.get(2)? {
            return Ok(None);
        }
        tree.push((ExecutionId::from_bytes(row.get(0)?), row.get(1)?));
    }
    Ok(Some(tree))
}

/// Removes trees, up to so many rows of their journals.
pub(super) struct Remove {
    pub trees: Vec<Root>,
}

/// What was removed.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// How many of the trees were dealt with.
    pub trees: usize,
    pub executions: u64,
    pub blobs: u64,
}

impl Command for Remove {
    type Answer = Removed;

    fn perform(&self, db: &Connection) -> Result<Removed, Problem> {
        let (mut removed, mut rows) = (Removed::default(), 0_u64);
        for root in &self.trees {
            removed.trees += 1;
            if is_as_chosen(db, root)?
                && let Some(tree) = unneeded_tree(db, root.id)?
            {
                for (id, row) in tree {
                    rows = rows.saturating_add(remove_entries(db, row)?);
                    removed.blobs = removed.blobs.saturating_add(blobs::release(db, &Owner::Execution(id))?);
                    db.prepare_cached("DELETE FROM executions WHERE row = ?1")?.execute([row])?;
                    removed.executions = removed.executions.saturating_add(1);
                }
            }
            if rows >= limits::STORE_PRUNE_ROWS_MAX {
                break;
            }
        }
        versions::forget(db)?;
        Ok(removed)
    }
}

/// Whether it has not gone on, nor ended again, since it was chosen.
fn is_as_chosen(db: &Connection, root: &Root) -> Result<bool, rusqlite::Error> {
    db.prepare_cached("SELECT 1 FROM executions WHERE id = ?1 AND finished_at = ?2")?
        .exists(params![root.id.as_bytes(), root.ended_at.as_millis()])
}

fn remove_entries(db: &Connection, row: i64) -> Result<u64, rusqlite::Error> {
    Ok(db.prepare_cached("DELETE FROM journal WHERE execution = ?1")?.execute([row])? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migration;
    use crate::sqlite::select::{Select, plan};

    #[test]
    fn what_goes_is_found_without_reading_what_stays() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let roots = plan(&db, Select::new(ENDED_ROOTS));
        assert!(roots[0].contains("executions_ended"), "{roots:?}");
        let mut select = Select::new(TREE);
        select.values.push(Box::new([7_u8; 16]));
        let tree = plan(&db, select);
        assert!(tree.iter().any(|step| step.contains("executions_by_parent (parent=?)")), "{tree:?}");
        for plan in [roots, tree] {
            let reads_all = |step: &&String| step.contains("TEMP B-TREE") || *step == "SCAN executions";
            assert_eq!(plan.iter().find(reads_all), None, "{plan:?}");
        }
    }
}
