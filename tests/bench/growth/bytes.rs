//! What a step takes of the disk: in the journal, in the database, and written on the way there.

use rusqlite::Connection;
use serde_json::json;

use crate::asked;
use crate::place::Place;
use crate::report::{Line, Report};
use crate::throughput::Bare;

const STEPS: usize = 10;
const WORKFLOWS: usize = 500;

pub(crate) fn measure(report: &mut Report) {
    report.title("bytes of a WASM step, in workflows of 10");
    let place = Place::new(&[]);
    let (mut daemon, _) = place.start();
    daemon.run("steps_10", &json!({}));
    let before = (journal(&place), daemon.written());
    let workflows = if asked::is_quick() { WORKFLOWS / 20 } else { WORKFLOWS };
    for _ in 0..workflows {
        daemon.run("steps_10", &json!({}));
    }
    let after = (journal(&place), daemon.written());
    let steps = (workflows * STEPS) as f64;
    let entries = (after.0.entries - before.0.entries) / steps;
    report.add(Line::new("entries in the journal, a step", entries, "bytes"));
    report.add(Line::new("rows of the journal, a step", (after.0.rows - before.0.rows) / steps, "rows"));
    let database = (after.0.pages - before.0.pages) / steps;
    report.add(Line::new("database, a step", database, "bytes").beside(database / entries, "the entries"));
    let written = (after.1 - before.1) / steps;
    let of = "the entries";
    report.add(Line::new("written to storage, a step, one in flight", written, "bytes").beside(written / entries, of));
    let before = (journal(&place), daemon.written());
    Bare::new().measure(&daemon);
    let rows = journal(&place);
    let executions = rows.executions - before.0.executions;
    let written = (daemon.written() - before.1) / executions;
    report.add(Line::new("written to storage, a workflow of one step, 50 in flight", written, "bytes"));
    let database = (rows.pages - before.0.pages) / executions;
    report.add(Line::new("database, a workflow of one step", database, "bytes"));
}

struct Journal {
    entries: f64,
    rows: f64,
    pages: f64,
    executions: f64,
}

fn journal(place: &Place) -> Journal {
    let db = Connection::open(place.database()).unwrap();
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() as f64;
    Journal {
        entries: number("SELECT sum(length(entries)) FROM journal"),
        rows: number("SELECT count(*) FROM journal"),
        executions: number("SELECT count(*) FROM executions"),
        pages: number("SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)"),
    }
}
