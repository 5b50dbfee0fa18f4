//! Events that are to go.

use runner_model::limits::EVENT_ID_AROUND_MS;
use runner_model::{EventId, Timestamp};
use rusqlite::{Connection, params};

use crate::sqlite::blobs::{self, Owner};
use crate::sqlite::fault::Problem;
use crate::sqlite::query::integer;
use crate::sqlite::writer::Command;

const OLD: &str = "SELECT id FROM events
    WHERE id < ?1 AND received_at < ?2 AND NOT EXISTS (SELECT 1 FROM matches WHERE event = events.id AND open = 1)
    ORDER BY id LIMIT ?3";

/// The oldest events for which nothing is left to do; one more than the limit says that there are more. A match is never
/// opened again, so they stay what they are.
pub(super) fn old(db: &Connection, before: Timestamp, limit: usize) -> Result<Vec<EventId>, Problem> {
    let mut statement = db.prepare_cached(OLD)?;
    let limit = integer((limit as u64).saturating_add(1));
    let bound = EventId::earliest(before.plus_ms(EVENT_ID_AROUND_MS));
    let ids = statement.query_map(params![bound.as_bytes(), before.as_millis(), limit], |row| row.get(0))?;
    ids.map(|id| Ok(EventId::from_bytes(id?))).collect()
}

/// Removes events and returns how many, and how many blobs with them.
pub(super) struct Remove {
    pub events: Vec<EventId>,
}

impl Command for Remove {
    type Answer = (u64, u64);

    fn perform(&self, db: &Connection) -> Result<(u64, u64), Problem> {
        let (mut events, mut blobs) = (0_u64, 0_u64);
        for id in &self.events {
            db.prepare_cached("DELETE FROM matches WHERE event = ?1")?.execute([id.as_bytes()])?;
            blobs = blobs.saturating_add(blobs::release(db, &Owner::Event(*id))?);
            let removed = db.prepare_cached("DELETE FROM events WHERE id = ?1")?.execute([id.as_bytes()])?;
            events = events.saturating_add(removed as u64);
        }
        Ok((events, blobs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migration;
    use crate::sqlite::select::{Select, plan};

    #[test]
    fn old_events_are_found_without_reading_the_others() {
        let mut db = Connection::open_in_memory().unwrap();
        migration::migrate(&mut db).unwrap();
        let mut select = Select::new(OLD);
        select.values.extend([Box::new([0_u8; 16]) as Box<dyn rusqlite::ToSql>, Box::new(0_i64), Box::new(0_i64)]);
        let plan = plan(&db, select);
        assert!(plan[0].contains("sqlite_autoindex_events_1 (id<?)"), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
