//! Executions that wait: for a time, or for a person.

use std::path::Path;
use std::time::Instant;

use runner_model::NodeId;
use runner_store::Leases as _;

use crate::place::{Place, again as process, resident, tasks, threads};
use crate::report::{Line, Report};

/// Executions before the first figure is taken: until then pools and caches grow.
const WARM: usize = 2_000;

pub(crate) async fn measure(report: &mut Report, count: usize) {
    report.title(&format!("{count} executions that wait"));
    for workflow in ["delayed", "asks"] {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::open(directory.path(), "killed").await;
        place.submit(workflow, WARM).await;
        let (memory, tasks_before, threads_before) = (resident(), tasks(), threads());
        let start = Instant::now();
        place.submit(workflow, count).await;
        let took = start.elapsed();
        // Those that were submitted last may be on their way to be parked.
        while place.executor.count().0 > 0 {
            tokio::task::yield_now().await;
        }
        let bytes = resident().saturating_sub(memory) as f64;
        let each = took.as_secs_f64() * 1e6 / count as f64;
        report.add(Line::new(format!("{workflow}: submitted, each of {count}"), each, "us"));
        let line = Line::new(format!("{workflow}: memory of {count} that wait, over idle"), bytes / 1e6, "MB");
        report.add(line.aim("100,000: under 50 MB"));
        let more = (tasks() as isize - tasks_before as isize, threads() as isize - threads_before as isize);
        report.add(Line::new(format!("{workflow}: tasks more; threads more: {}", more.1), more.0 as f64, "tasks"));
        place.leave().await;
        process(&["woken", directory.path().to_str().unwrap(), &(count + WARM).to_string()]);
    }
}

/// In a process that has nothing else in memory.
pub(crate) async fn again(report: &mut Report, directory: &Path, count: usize) {
    let place = Place::open(directory, "new").await;
    let (memory, tasks_before) = (resident(), tasks());
    place.store.expire(&NodeId("killed".to_owned())).await.unwrap();
    let start = Instant::now();
    assert_eq!(place.executor.recover_all().await.unwrap(), count);
    let took = start.elapsed();
    assert_eq!(place.executor.count(), (0, count));
    let bytes = resident().saturating_sub(memory) as f64;
    let each = took.as_secs_f64() * 1e6 / count as f64;
    report.add(Line::new(format!("taken up again, each of {count}"), each, "us"));
    let line = Line::new(format!("memory of {count} taken up again"), bytes / 1e6, "MB");
    report.add(line.aim("100,000: under 50 MB"));
    let more = tasks() as isize - tasks_before as isize;
    report.add(Line::new("tasks more", more as f64, "tasks"));
    place.leave().await;
}
