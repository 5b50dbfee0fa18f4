//! Executions that ended long ago: throughput beside them, lists, the start of the daemon.
//!
//! The database is filled by copying what the daemon itself recorded of one execution, under other ids.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use crate::asked;
use crate::curve::Curve;
use crate::place::{Daemon, Place};
use crate::report::Report;
use crate::throughput::Bare;

const LISTS: usize = 50;
/// A copy's id: of a moment long ago, in the order of the numbers, with the marks of a UUID of version 7.
const ID: &str = "unhex(printf('%012x7%03x8%015x', 1500000000000 + i, 0, i))";

pub(crate) fn measure(report: &mut Report) {
    report.title("executions that have ended, and throughput beside them");
    let (place, bare) = (Place::new(&[]), Bare::new());
    let (mut daemon, _) = place.start();
    daemon.run("steps_1", &json!({}));
    drop(daemon);
    let mut start = Curve::new("the daemon listens after, history", "ms", "about 1");
    let mut cpu = Curve::new("CPU of a workflow, history", "us", "within 10 %");
    let mut rate = Curve::new("workflows, of the bare handler, history", "x bare", "within 10 %");
    let mut list = Curve::new("GET /executions, history", "us", "about 1");
    let full = [10_000, 100_000, 1_000_000];
    let mut there = 0;
    for size in if asked::is_quick() { full.map(|size| size / 100) } else { full } {
        fill(&place, there, size);
        there = size;
        let (mut daemon, took) = place.start();
        start.point(report, size, took.as_secs_f64() * 1e3);
        let throughput = bare.measure(&daemon);
        cpu.point(report, size, throughput.cpu_us);
        rate.point(report, size, throughput.of_bare);
        list.point(report, size, listed(&mut daemon).as_secs_f64() * 1e6);
    }
}

/// Copies the first execution until there are `size` copies, of which `there` exist.
fn fill(place: &Place, there: usize, size: usize) {
    let db = Connection::open(place.database()).unwrap();
    // It is no loss if this is lost.
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN").unwrap();
    let numbers = format!(
        "WITH RECURSIVE number (i) AS (SELECT {} UNION ALL SELECT i + 1 FROM number WHERE i < {size})",
        there + 1
    );
    // Before those that the daemon recorded and will record.
    let row = "i - 100000000";
    for (table, key, own) in
        [("executions", "row", vec![("row", row), ("id", ID)]), ("journal", "execution", vec![("execution", row)])]
    {
        let columns = columns(&db, table);
        let values: Vec<_> = columns
            .iter()
            .map(|column| own.iter().find(|(name, _)| name == column).map_or(column.as_str(), |(_, value)| value))
            .collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        let first = "SELECT min(row) FROM executions WHERE row > 0";
        db.execute_batch(&format!(
            "{numbers} INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, number WHERE {table}.{key} = ({first})"
        ))
        .unwrap();
    }
    db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

fn columns(db: &Connection, table: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// The median time of the first page.
fn listed(daemon: &mut Daemon) -> Duration {
    let mut times = Vec::new();
    for _ in 0..LISTS {
        let start = Instant::now();
        let page = daemon.client.get("/api/v1/executions?limit=100");
        times.push(start.elapsed());
        assert!(page.as_array().or_else(|| page["items"].as_array()).is_some_and(|items| items.len() == 100), "{page}");
    }
    times.sort_unstable();
    times[LISTS / 2]
}
