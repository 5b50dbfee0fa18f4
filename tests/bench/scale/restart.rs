//! Being ready again after the end of a process that had many executions open.

use std::path::Path;
use std::time::Instant;

use runner_model::NodeId;
use runner_store::Leases as _;

use crate::place::{Place, again as process};
use crate::report::{Line, Report};

/// Of every ten that are open, so many are at work; half of the others wait for a time, half for a person.
const AT_WORK_OF_TEN: usize = 2;

pub(crate) async fn measure(open: usize) {
    let directory = tempfile::tempdir().unwrap();
    let place = Place::open(directory.path(), "killed").await;
    let at_work = open * AT_WORK_OF_TEN / 10;
    let waiting = (open - at_work) / 2;
    place.submit("works", at_work).await;
    place.submit("delayed", waiting).await;
    place.submit("asks", open - at_work - waiting).await;
    place.guests.hang(at_work).await;
    place.leave().await;
    process(&["restarted", directory.path().to_str().unwrap(), &open.to_string()]);
}

/// In the new process.
pub(crate) async fn again(directory: &Path, open: usize) {
    let start = Instant::now();
    let place = Place::open(directory, "new").await;
    // Whoever starts knows from a lock of the operating system that the other process is dead.
    place.store.expire(&NodeId("killed".to_owned())).await.unwrap();
    let opened = start.elapsed();
    let taken = place.executor.recover_all().await.unwrap();
    let claimed = start.elapsed();
    let at_work = open * AT_WORK_OF_TEN / 10;
    place.guests.hang(at_work).await;
    let ready = start.elapsed();
    assert_eq!(taken, open);
    let (working, parked) = place.executor.count();
    let mut report = Report::default();
    report.title(&format!("restart with {open} open executions, of which {at_work} are at work"));
    for (what, time) in [("packs loaded, database open", opened), ("all claimed", claimed)] {
        report.add(Line::new(format!("{what}, {open} open executions"), time.as_secs_f64() * 1e3, "ms"));
    }
    let what = format!("all at work again, {open} open executions ({working} at work, {parked} parked)");
    report.add(Line::new(what, ready.as_secs_f64() * 1e3, "ms").aim("10,000: 2 s"));
    report.end();
    // Not to be waited for: what hangs would have to be interrupted.
    std::process::exit(0);
}
