//! Which versions of packs executions began with.

use runner_model::PackRef;
use rusqlite::{Connection, OptionalExtension as _};

use super::fault::Problem;
use super::query::parsed;

/// There are as many versions as packs were edited; of the executions one is looked at for each.
const NEEDED: &str = "SELECT pack, digest FROM versions
    WHERE EXISTS (SELECT 1 FROM executions WHERE pack_version = versions.row)
    ORDER BY pack, digest";

const FORGET: &str = "DELETE FROM versions
    WHERE NOT EXISTS (SELECT 1 FROM executions WHERE pack_version = versions.row)";

/// Those that some execution began with.
pub(crate) fn list(db: &Connection) -> Result<Vec<(PackRef, String)>, Problem> {
    let mut statement = db.prepare_cached(NEEDED)?;
    let versions = statement.query_map([], |row| Ok((parsed(row, 0, |text| PackRef::new(text).ok())?, row.get(1)?)))?;
    Ok(versions.collect::<Result<_, _>>()?)
}

/// The row of a version, which is made if it is not there.
pub(crate) fn row_of(db: &Connection, pack: &str, digest: &str) -> Result<i64, rusqlite::Error> {
    let known = db
        .prepare_cached("SELECT row FROM versions WHERE pack = ?1 AND digest = ?2")?
        .query_row([pack, digest], |row| row.get(0))
        .optional()?;
    if let Some(row) = known {
        return Ok(row);
    }
    db.prepare_cached("INSERT INTO versions (pack, digest) VALUES (?1, ?2)")?.execute([pack, digest])?;
    Ok(db.last_insert_rowid())
}

/// Forgets those that no execution is left of.
pub(crate) fn forget(db: &Connection) -> Result<(), rusqlite::Error> {
    db.prepare_cached(FORGET)?.execute([]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migration;
    use crate::sqlite::select::{Select, plan};

    #[test]
    fn one_execution_is_looked_at_for_each_version() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        for sql in [NEEDED, FORGET] {
            let plan = plan(&db, Select::new(sql));
            assert!(plan.iter().any(|step| step.contains("executions_by_version (pack_version=?)")), "{plan:?}");
            let reads_all = |step: &&String| step.contains("TEMP B-TREE") || step.starts_with("SCAN executions");
            assert_eq!(plan.iter().find(reads_all), None, "{plan:?}");
        }
    }
}
